/** The command as people get it: from the clone, and from the packed file installed in an empty folder. */
import { execFile, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { freePorts } from '../../connector/demo/world.js'
import { waitFor } from '../support/wait-for.js'

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }

/** Without what `npm test` says about the clone; how npm reaches its registry stays. */
const ENV: NodeJS.ProcessEnv = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(HANDSCHLAG_|INIT_CWD$|npm_(?!config_)|npm_config_(local|global)_prefix$)/.test(name),
    ),
  ),
  LC_ALL: 'C.UTF-8',
  npm_config_update_notifier: 'false',
}

type Outcome = { readonly code: number; readonly out: string; readonly err: string }

const run = (program: string, args: readonly string[], cwd: string): Promise<Outcome> =>
  new Promise((done) => {
    execFile(program, args, { cwd, env: ENV, encoding: 'utf8' }, (cause, out, err) => {
      done({ code: cause === null ? 0 : typeof cause.code === 'number' ? cause.code : -1, out, err })
    })
  })

const UNREACHABLE =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED|E40[37]|E50\d/

it('runs from the clone', { timeout: 60_000 }, async () => {
  const said = await run('npx', ['--no-install', 'handschlag', 'version'], process.cwd())
  expect(said).toMatchObject({ code: 0, out: `handschlag ${version}\n` })
})

it('runs from the packed file in an empty folder', { timeout: 240_000 }, async (test) => {
  const folder = mkdtempSync(join(tmpdir(), 'handschlag-package-'))
  try {
    // The tests have built the program already; prepare would do it again, under the feet of other tests.
    const packed = await run(
      'npm',
      ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder],
      process.cwd(),
    )
    expect(packed.code, packed.err).toBe(0)
    const home = join(folder, 'empty')
    mkdirSync(home)
    writeFileSync(join(home, 'package.json'), '{"private":true}\n')
    const file = join(folder, packed.out.trim())
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--fetch-retries=0']
    const installed = await run('npm', ['install', ...flags, file], home)
    if (installed.code !== 0 && UNREACHABLE.test(installed.err)) {
      test.skip(`the package registry cannot be reached: ${/\bE[A-Z0-9]+/.exec(installed.err)?.[0]}`)
    }
    expect(installed.code, installed.err).toBe(0)
    // Compiling the database driver takes a minute or more; the one of the clone is the same version, for the same Node.
    const driver = 'node_modules/better-sqlite3/build'
    cpSync(resolve(driver), join(home, driver), { recursive: true })
    await liveIn(home)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

/** version, init, serve and status, as a newcomer types them. */
async function liveIn(home: string): Promise<void> {
  const handschlag = (...args: string[]) => run('npx', ['--no-install', 'handschlag', ...args], home)
  expect(await handschlag('version')).toMatchObject({ code: 0, out: `handschlag ${version}\n` })

  const [port = 0, managementPort = 0] = await freePorts(2)
  const made = await handschlag(
    'init',
    '--dev',
    '--public-url',
    `https://localhost:${port}`,
    '--name',
    'Newcomer',
  )
  expect(made.code, made.err).toBe(0)
  const file = join(home, 'handschlag.yaml')
  const settings = readFileSync(file, 'utf8').replace(
    /^managementPort: .*$/m,
    `managementPort: ${managementPort}`,
  )
  writeFileSync(file, settings)

  const child = spawn(process.execPath, ['node_modules/.bin/handschlag', 'serve', '--dev'], {
    cwd: home,
    env: ENV,
  })
  const ended = new Promise<number | null>((done) => child.once('exit', done))
  try {
    const status = await waitFor(
      async () => {
        const said = await handschlag('status')
        return said.code === 0 ? said.out : undefined
      },
      { timeoutMs: 60_000, what: 'an answer of the installed connector' },
    )
    expect(status).toContain(`did:web:localhost%3A${port}`)
    expect(status).toContain('Newcomer')
  } finally {
    child.kill('SIGTERM')
  }
  expect(await ended).toBe(0)
}
