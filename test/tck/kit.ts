/**
 * The kit as a program: fetched by Maven once, kept in kit/target, and run by Java in a process of its own. A second run
 * asks no network.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { ok, problem, type Result } from '../../connector/core/result.js'
import type { KitResult } from './verdict.js'

/** The kit's sources, seen from dist/test/tck. */
const KIT = join(import.meta.dirname, '../../../test/tck/kit')
const TARGET = join(KIT, 'target')
/** Where the outcome of the last run is kept. */
export const RESULTS = join(TARGET, 'results')
/** What the compiled kit was made from. */
const STAMP = join(TARGET, 'made-from')

export const KIT_NAME = 'Eclipse Dataspace Protocol kit 1.0.0-RC6'

const MINIMUM_JAVA = 17

/** Longest that Maven may take, and a whole run of the kit against a connector that never answers, milliseconds. */
const MAVEN_MS = 120_000
const RUN_MS = 600_000

type Ended = { readonly code: number | undefined; readonly output: string }

/** Runs a program to its end. `show` passes its words on; they are collected in any case. */
function run(
  program: string,
  args: readonly string[],
  options: { readonly timeoutMs: number; readonly show: boolean },
): Promise<Ended> {
  return new Promise((resolve) => {
    const child: ChildProcess = spawn(program, args, {
      cwd: KIT,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        if (options.show) process.stdout.write(chunk)
      })
    }
    child.once('error', (cause) => resolve({ code: undefined, output: output + cause.message }))
    child.once('close', (code) => resolve({ code: code ?? undefined, output }))
  })
}

/** Whether a Java is there that can run the kit. */
export async function checkJava(): Promise<Result<void>> {
  const { code, output } = await run('java', ['-version'], { timeoutMs: 20_000, show: false })
  const wanted = `The kit needs Java ${MINIMUM_JAVA} or newer on the PATH`
  const advice = 'On Debian: apt-get install openjdk-17-jdk-headless'
  if (code !== 0) return problem('InvalidInput', `${wanted}, and there is none. ${advice}`)
  const version = Number(/version "(\d+)/.exec(output)?.[1] ?? Number.NaN)
  return version >= MINIMUM_JAVA
    ? ok(undefined)
    : problem(
        'InvalidInput',
        `${wanted}; there is Java ${Number.isNaN(version) ? 'of an unknown version' : version}. ${advice}`,
      )
}

const digestOfSources = (): string => {
  const digest = createHash('sha256')
  const sources = readdirSync(join(KIT, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  for (const file of [join(KIT, 'pom.xml'), ...sources.sort()]) {
    digest.update(relative(KIT, file)).update(readFileSync(file))
  }
  return digest.digest('hex')
}

const isPrepared = (digest: string): boolean =>
  existsSync(STAMP) && readFileSync(STAMP, 'utf8') === digest && existsSync(join(TARGET, 'lib'))

/** Fetches and compiles the kit unless that has been done. */
export async function prepareKit(): Promise<Result<void>> {
  const digest = digestOfSources()
  if (isPrepared(digest)) return ok(undefined)
  const found = await run('mvn', ['-version'], { timeoutMs: 20_000, show: false })
  if (found.code !== 0) {
    return problem(
      'InvalidInput',
      'The kit is fetched by Maven, and there is no mvn on the PATH. On Debian: apt-get install maven',
    )
  }
  process.stdout.write('fetching the kit\n')
  const make = () => run('mvn', ['-B', '-q', 'clean', 'compile'], { timeoutMs: MAVEN_MS, show: false })
  let made = await make()
  // What has been fetched is kept, so that a second try goes on where a weak connection broke.
  if (made.code !== 0) made = await make()
  if (made.code !== 0) {
    return problem('InvalidInput', `Maven could not fetch or compile the kit:\n${made.output.trim()}`)
  }
  await writeFile(STAMP, digest)
  return ok(undefined)
}

/** Runs every case once. A Problem means that the kit itself broke; how the cases ended is for the caller to judge. */
export async function runKit(files: {
  readonly properties: string
  readonly result: string
  /** Certificate of the authority that the connector's certificate comes from. */
  readonly ca: string
}): Promise<Result<KitResult>> {
  const classPath = [join(TARGET, 'classes'), join(TARGET, 'lib', '*')].join(':')
  const { code, output } = await run(
    'java',
    [
      '-Dslf4j.internal.verbosity=ERROR',
      '-cp',
      classPath,
      'handschlag.kit.RunKit',
      files.properties,
      files.result,
      files.ca,
    ],
    { timeoutMs: RUN_MS, show: true },
  )
  if (code !== 0 || !existsSync(files.result)) {
    const end = code === undefined ? 'was ended from outside or took too long' : `ended with code ${code}`
    return problem('InvalidInput', `The kit ${end}.${output === '' ? ' It said nothing.' : ''}`)
  }
  return ok(JSON.parse(await readFile(files.result, 'utf8')) as KitResult)
}
