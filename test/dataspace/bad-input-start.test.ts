import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeDevelopmentCertificates } from '../../certs-dev/generate.js'
import { freePorts, settle } from '../../connector/demo/world.js'

/** What a person sees who starts the program, as a process of its own, with something wrong. */
const PROGRAM = resolve('dist/connector/main.js')

let folder: string
let configFile: string
let port: number
let managementPort: number

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'handschlag-start-'))
  const files = await writeDevelopmentCertificates(join(folder, 'certs'), ['localhost'])
  const server = files.servers.localhost
  if (server === undefined) throw new Error('no certificate')
  const [first = 0, second = 0] = await freePorts(2)
  port = first
  managementPort = second
  const home = join(folder, 'home')
  await settle({ name: 'Example', folder: home, port, managementPort, tls: { ...server, ca: files.ca } })
  configFile = join(home, 'handschlag.yaml')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

type Ended = { readonly code: number | null; readonly said: string; readonly printed: string }

/** Runs `serve` to its end. */
async function serve(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  /** A program that starts the one it is given, such as one that takes rights away. */
  through: readonly string[] = [],
): Promise<Ended> {
  const [program = process.execPath, ...rest] = [...through, process.execPath, PROGRAM, 'serve', ...args]
  const child = spawn(program, rest, {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', LANG: 'C', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 15_000,
    killSignal: 'SIGKILL',
  })
  let said = ''
  let printed = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk
  })
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    printed += chunk
  })
  const code = await new Promise<number | null>((ended, failed) => {
    child.once('close', ended)
    child.once('error', failed)
  })
  return { code, said: said.trim(), printed }
}

async function occupied<T>(taken: number, use: () => Promise<T>): Promise<T> {
  const server = createServer()
  await new Promise<void>((ready) => server.listen(taken, '127.0.0.1', ready))
  try {
    return await use()
  } finally {
    await new Promise((closed) => server.close(closed))
  }
}

const refused = (said: string): Ended => ({ code: 1, said, printed: '' })

describe('a port that is taken', () => {
  it('names the port, the setting and how to find the other program', async () => {
    expect(await occupied(port, () => serve(['--dev', '--config', configFile]))).toEqual(
      refused(
        `Port ${port} is taken by another program. Set HANDSCHLAG_PORT to a free port, or stop the other program (ss -ltnp 'sport = :${port}').`,
      ),
    )
    expect(await occupied(managementPort, () => serve(['--dev', '--config', configFile]))).toEqual(
      refused(
        `Port ${managementPort} is taken by another program. Set HANDSCHLAG_MANAGEMENT_PORT to a free port, or stop the other program (ss -ltnp 'sport = :${managementPort}').`,
      ),
    )
  })
})

describe('a data directory that cannot be used', () => {
  const at = (dataDir: string, through?: readonly string[]) =>
    serve(
      ['--dev'],
      {
        HANDSCHLAG_NAME: 'Example',
        HANDSCHLAG_PUBLIC_URL: `https://localhost:${port}`,
        HANDSCHLAG_TLS: 'off',
        HANDSCHLAG_PORT: String(port),
        HANDSCHLAG_MANAGEMENT_PORT: String(managementPort),
        HANDSCHLAG_DATA_DIR: dataDir,
      },
      through,
    )

  it('is not writable: says so, changes nothing, and says what to do', async () => {
    const dataDir = join(folder, 'foreign')
    mkdirSync(dataDir)
    chmodSync(folder, 0o755)
    chmodSync(dataDir, 0o555)
    // Nothing is forbidden to root, so there the program runs without the right to pass over file modes.
    const withoutRights = ['setpriv', '--bounding-set', '-dac_override,-dac_read_search']
    expect(await at(dataDir, process.getuid?.() === 0 ? withoutRights : undefined)).toEqual(
      refused(
        `The data directory ${dataDir} is not writable for this user. Nothing was changed. Make it yours (chown -R "$(id -un)" ${dataDir}), or set HANDSCHLAG_DATA_DIR to a folder that is.`,
      ),
    )
    expect(readdirSync(dataDir)).toEqual([])
  })

  it('is a file: says so', async () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    expect(await at(file)).toEqual(
      refused(
        `${file} is a file, but a data directory is needed there. Set HANDSCHLAG_DATA_DIR to a folder.`,
      ),
    )
  })

  it('does not exist, also below /proc where nothing can be made: says how to create it, and creates nothing', async () => {
    for (const dataDir of [join(folder, 'nowhere'), '/proc/handschlag']) {
      expect(await at(dataDir)).toEqual(
        refused(
          `The data directory ${dataDir} does not exist or is incomplete. Create it with: handschlag init. If it should be there, check HANDSCHLAG_DATA_DIR and whether the volume is mounted.`,
        ),
      )
    }
    expect(existsSync(join(folder, 'nowhere'))).toBe(false)
  })

  it('is a folder without keys: leaves it as it is', async () => {
    const dataDir = join(folder, 'empty')
    mkdirSync(dataDir)
    expect(await at(dataDir)).toEqual(
      refused(
        `There are no keys in ${join(dataDir, 'keys')}. Run "handschlag init", or restore the folder from a backup.`,
      ),
    )
    expect(readdirSync(dataDir)).toEqual([])
  })
})

describe('a configuration that is wrong', () => {
  it('names three mistakes at once, each with its place and an example', async () => {
    const file = join(folder, 'mistakes.yaml')
    writeFileSync(
      file,
      'name: Example\npublicUrl: http://connector.example.com\nport: 99999\nhistoryRetention: soon\ntls: off\n',
    )
    expect(await serve(['--config', file])).toEqual({
      code: 78,
      printed: '',
      said: `The connector cannot start: 3 settings need attention.

  publicUrl (mistakes.yaml:2) is "http://connector.example.com", expected an https:// address without user name.
    Example: https://connector.example.com

  port (mistakes.yaml:3) is "99999", expected a port from 1 to 65535.
    Example: 8484

  historyRetention (mistakes.yaml:4) is "soon", expected an ISO 8601 duration up to ten years, such as PT24H or P7D.
    Example: PT24H`,
    })
  })

  it('names a setting that it does not know, in the file and in the environment, and what was probably meant', async () => {
    const file = join(folder, 'unknown.yaml')
    writeFileSync(file, 'name: Example\npublicUrl: https://connector.example.com\ntls: off\nprot: 8484\n')
    expect(await serve(['--config', file], { HANDSCHLAG_DATADIR: '/tmp' })).toEqual({
      code: 78,
      printed: '',
      said: `The connector cannot start: 2 settings need attention.

  prot (unknown.yaml:4) is not a known setting.
    Did you mean "port"?

  HANDSCHLAG_DATADIR is not a known variable.
    Did you mean "HANDSCHLAG_DATA_DIR"?`,
    })
  })

  it('refuses a development certificate outside --dev', async () => {
    const { said } = await serve(['--config', configFile])
    expect(said).toBe(
      `${join(folder, 'certs', 'localhost.pem')} is a development certificate, which nobody but this machine trusts. Use a real certificate, or start with --dev for trying out.`,
    )
  })
})
