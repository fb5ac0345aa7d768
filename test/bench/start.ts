/**
 * How fast `handschlag serve` is ready and what it takes when nothing happens: the compiled program in a process of its
 * own, against an empty Node and a bare Express with an open database.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { cpuOf, memoryOf } from './child.js'
import { type Company, foundCompanies, furnish, openPlace } from './company.js'
import { aim, figure, median, megabytes, ms, note, section, times, title } from './report.js'

const STARTS = 7
const IDLE_MS = 5_000
/** Longest a start may take, milliseconds. */
const PATIENCE = 20_000
const PROGRAM = join(import.meta.dirname, '..', '..', 'connector', 'main.js')
const BARE = join(import.meta.dirname, 'bare-start.js')

title(
  'Start and rest',
  `From the call of node to the line that says that it is ready; median of ${STARTS} starts, each in a new process.`,
)
await using place = await openPlace()
const [company, partner] = await foundCompanies(place, ['company', 'partner'])
if (company === undefined || partner === undefined) throw new Error('no companies')
await furnish(company, partner, [
  {
    id: 'pump',
    kind: 'bytes',
    config: { file: join(place.folder, 'pump.bin') },
    signals: [],
    terms: { until: '2099-12-31' },
  },
])

/** `cpu` is 0 for a program that has ended. */
type Started = { readonly ms: number; readonly cpu: number; readonly child: ChildProcess }

/** Resolves when the program has printed `sign`, or has ended when there is none. */
function start(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  sign?: string,
): Promise<Started> {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...withoutSettings(process.env), ...env },
    })
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`${args[0]} was not ready within ${PATIENCE / 1000} s`))
    }, PATIENCE)
    const done = (): void => {
      clearTimeout(timer)
      resolve({ ms: performance.now() - began, cpu: cpuOf(child.pid ?? 0) ?? 0, child })
    }
    let printed = ''
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
      if (sign !== undefined && printed.includes(sign)) done()
    })
    child.once('error', reject)
    child.once('exit', (code) => {
      if (sign === undefined && code === 0) return done()
      clearTimeout(timer)
      reject(new Error(`${args.join(' ')} ended with code ${code}. ${printed}`))
    })
  })
}

async function stop({ child }: Started): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}

type Starts = { readonly all: readonly number[]; readonly cpu: number }

async function startSeveral(run: () => Promise<Started>): Promise<Starts> {
  const all: number[] = []
  const cpu: number[] = []
  for (let round = 0; round < STARTS; round++) {
    const started = await run()
    all.push(started.ms)
    cpu.push(started.cpu)
    await stop(started)
  }
  return { all, cpu: median(cpu) }
}

const serve = ({ env }: Company) => start([PROGRAM, 'serve', '--dev'], env, '"event":"ready"')
const bareStart = () => start([BARE, join(place.folder, 'bare.db')], {}, 'ready')

/** Memory of a process that has had nothing to do for a while. */
async function idle(run: () => Promise<Started>): Promise<number> {
  const started = await run()
  await pause(IDLE_MS)
  const memory = memoryOf(started.child.pid ?? 0) ?? Number.NaN
  await stop(started)
  return memory
}

const show = (name: string, { all, cpu }: Starts): void => {
  const range = `${ms(Math.min(...all))} to ${ms(Math.max(...all))}`
  figure(name, ms(median(all)), cpu === 0 ? range : `${range}, ${ms(cpu)} of CPU`)
}

section('Start')
const ours = await startSeveral(() => serve(company))
show('handschlag serve', ours)
const bare = await startSeveral(bareStart)
show('yardstick: Express and an open database', bare)
const empty = await startSeveral(() => start(['-e', '0'], {}))
show('yardstick: node -e 0', empty)
figure('against Express and a database', times(median(ours.all) / median(bare.all)))
figure('against node -e 0', times(median(ours.all) / median(empty.all)))

section(`Memory (RSS) ${IDLE_MS / 1000} s after the start`)
const memory = await idle(() => serve(company))
figure('handschlag serve', megabytes(memory))
const bareMemory = await idle(bareStart)
figure('yardstick: Express and an open database', megabytes(bareMemory), `ours ${times(memory / bareMemory)}`)

section('Aims')
aim(`ready in less than 700 ms: ${ms(median(ours.all))}`, median(ours.all) < 700)
aim(`less than 110 MB at rest: ${megabytes(memory)}`, memory < 110e6)
note('For reference, one stock EDC connector on such a machine: 2.5 s to start, 230 MB at rest.')
note(
  'What limits it: loading and compiling the modules of Express, ajv, undici, pino and better-sqlite3; at rest Node',
)
note('itself takes most of the memory.')

function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([key]) => !key.startsWith('HANDSCHLAG_')))
}
