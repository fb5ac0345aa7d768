/** What the README tells people to type is typed here, and what it shows is what they see. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { writeDevelopmentCertificates } from '../../certs-dev/generate.js'
import { freePorts, openBroker } from '../../connector/demo/world.js'
import { waitFor } from '../support/wait-for.js'
import { blocksOf, commandsOf } from './markdown.js'

const PROGRAM = resolve('dist/connector/main.js')
const README = readFileSync('README.md', 'utf8')
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }

type Outcome = { readonly code: number; readonly out: string; readonly err: string }

const outside = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HANDSCHLAG_')))

const bash = (command: string, cwd: string, env: NodeJS.ProcessEnv): Promise<Outcome> =>
  new Promise((done) => {
    execFile('bash', ['-c', command], { cwd, env, encoding: 'utf8' }, (cause, out, err) => {
      const code = typeof cause?.code === 'number' ? cause.code : cause === null ? 0 : -1
      done({ code, out, err })
    })
  })

it('asks a newcomer for two commands, which exist', () => {
  const [demo, test] = ['sh demo', 'sh test'].map((info) =>
    blocksOf(README).find((block) => block.info === info),
  )
  expect(demo?.text).toBe('npm ci && npm run demo\n')
  expect(test?.text).toBe('npm ci && npm test\n')
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['demo', 'test', 'prepare']))
})

it('names only scripts that exist', () => {
  const named = ['README.md', 'README.de.md', 'connector/DECISIONS.md', 'connector/REFERENCE.md'].flatMap(
    (file) => [...readFileSync(file, 'utf8').matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name),
  )
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([])
})

/** What differs from run to run, made alike: addresses, ids, fingerprints, dates, numbers. */
const alike = (line: string): string =>
  line
    .replaceAll(/urn:uuid:[0-9a-f-]+/g, 'ID')
    .replaceAll(/([0-9A-Z]{4} ){7}[0-9A-Z]{4}/g, 'FINGERPRINT')
    .replaceAll(/\d{1,2}\.? \p{L}+ \d{4}/gu, 'DATE')
    .replaceAll(/localhost(:|%3A)\d+/g, 'localhost')
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1')
    .replaceAll(/\d{4}-\d\d-\d\d(T[\d:.]+Z)?/g, 'DATE')
    .replaceAll(/\b\d+ ms\b/g, 'N ms')
    .replaceAll(/"id":"[^"]+"/g, '"id":"N"')
    .replaceAll(/("\w+"):-?\d+(\.\d+)?/g, '$1:N')

it.each([
  ['README.md', 'en'],
  ['README.de.md', 'de'],
])('%s shows what the demo prints', { timeout: 60_000 }, async (file, lang) => {
  const shown = blocksOf(readFileSync(file, 'utf8')).find(({ info }) => info === 'text demo')
  const played = await bash(`npm run --silent demo -- --lang ${lang}`, process.cwd(), outside())
  expect(played.err).not.toMatch(/Error/)
  expect(played.code).toBe(0)
  const printed = played.out.split('\n').map(alike)
  let from = 0
  for (const line of shown?.text.trimEnd().split('\n').map(alike) ?? ['a transcript is missing']) {
    const at = printed.indexOf(line, from)
    expect(
      at,
      `the demo does not print this line, or not there: ${line}\n${played.out}`,
    ).toBeGreaterThanOrEqual(0)
    from = at + 1
  }
})

/** One company of the README in a folder of its own, with its real commands behind `npx handschlag`. */
type Company = {
  readonly name: string
  readonly folder: string
  readonly env: NodeJS.ProcessEnv
  readonly port: number
}

const HOSTS = { operator: 'connector.operator.example', builder: 'connector.builder.example' } as const
const ID = '3f2a91c4'

/** Starts what keeps running, and collects what it says. */
function keepRunning(command: string, { folder, env }: Company) {
  const child: ChildProcess = spawn('bash', ['-c', `exec ${command}`], { cwd: folder, env })
  const said = { out: '', err: '' }
  child.stdout?.on('data', (chunk: Buffer) => {
    said.out += chunk.toString()
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    said.err += chunk.toString()
  })
  const ended = new Promise<number | null>((done) => child.once('exit', done))
  return { child, said, ended }
}

it('leads two companies from the installation to the end of a contract', { timeout: 180_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'handschlag-readme-'))
  const [brokerPort = 0, ...ports] = await freePorts(5)
  const running: ReturnType<typeof keepRunning>[] = []
  await using broker = await openBroker(undefined, brokerPort)
  const { connectAsync } = await import('mqtt')
  const machine = await connectAsync(broker.url)
  const publishing = setInterval(() => {
    const values = { bearing: { temperature: 61.2 }, vibration: 0.42, flow: 31.5, speed: 1480 }
    machine.publish('plant/pump-7/state', JSON.stringify({ time: new Date().toISOString(), ...values }), {
      qos: 1,
    })
  }, 100)
  const republished: string[] = []
  machine.on('message', (_topic, payload) => republished.push(payload.toString()))
  await machine.subscribeAsync('partner/pump-7/#')
  try {
    const companies = await settle(folder, ports)
    const transcript = await walk(companies, broker.url, running)
    const said = (command: string): string => transcript.find(([line]) => line.includes(command))?.[1] ?? ''

    expect(said('partner add did:web:localhost')).toMatch(/Fingerprint +([0-9A-Z]{4} ){7}/)
    expect(said('negotiate').match(/valid signature/g)).toHaveLength(3)
    expect(said('contract show')).toContain(
      'Only these signals are delivered: bearing_temperature and vibration.',
    )
    const [head, ...rows] = readFileSync(join(folder, 'builder', 'pump-7.csv'), 'utf8')
      .trim()
      .split('\r\n')
    expect(head).toBe('id,ts,series,bearing_temperature,vibration')
    expect(rows.length).toBeGreaterThan(0)
    expect(republished.length).toBeGreaterThanOrEqual(5)
    expect(republished.join()).not.toMatch(/flow|speed/)
    expect(said('contract verify')).toContain('The text is what was agreed.')
  } finally {
    clearInterval(publishing)
    await machine.endAsync()
    for (const { child } of running) child.kill('SIGTERM')
    await Promise.all(running.map(({ ended }) => ended))
    await rm(folder, { recursive: true, force: true })
  }
})

/**
 * Everything the README takes for granted: host names, certificates, a way in. The host names become ports on
 * loopback, and `--dev` stands behind `serve` and `doctor` because the certificates are our own.
 */
async function settle(
  folder: string,
  ports: readonly number[],
): Promise<Record<keyof typeof HOSTS, Company>> {
  const certificates = await writeDevelopmentCertificates(join(folder, 'certs'), ['localhost'])
  const server = certificates.servers.localhost
  if (server === undefined) throw new Error('no certificate')
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  const npx = `#!/bin/sh\n[ "$1" = handschlag ] || exit 127\nshift\ncase "$1" in serve|doctor) set -- "$@" --dev ;; esac\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`
  writeFileSync(join(bin, 'npx'), npx, { mode: 0o755 })
  const company = (name: string, port = 0, managementPort = 0): Company => {
    const home = join(folder, name)
    mkdirSync(home)
    copyFileSync(server.cert, join(home, 'fullchain.pem'))
    copyFileSync(server.key, join(home, 'privkey.pem'))
    const env = {
      ...outside(),
      PATH: `${bin}:${process.env.PATH}`,
      LC_ALL: 'C.UTF-8',
      HANDSCHLAG_HOST: '127.0.0.1',
      HANDSCHLAG_PORT: String(port),
      HANDSCHLAG_MANAGEMENT_PORT: String(managementPort),
      HANDSCHLAG_TRUSTED_CA: certificates.ca,
      HANDSCHLAG_ALLOW_PRIVATE_ADDRESSES: 'localhost,127.0.0.0/8,::1/128',
    }
    return { name, folder: home, env, port }
  }
  const [port1, management1, port2, management2] = ports
  return {
    operator: company('operator', port1, management1),
    builder: company('builder', port2, management2),
  }
}

/** Types every command of section "Run it for real", in order, and answers what each printed. */
async function walk(
  companies: Record<keyof typeof HOSTS, Company>,
  brokerUrl: string,
  running: ReturnType<typeof keepRunning>[],
): Promise<readonly (readonly [command: string, printed: string])[]> {
  const transcript: (readonly [string, string])[] = []
  let contract = ID
  let stream: ReturnType<typeof keepRunning> | undefined

  const here = (command: string, company: Company): string => {
    const own = companies[company.name as keyof typeof HOSTS]
    const isInit = / init /.test(command)
    let text = command.replaceAll('mqtt://127.0.0.1', brokerUrl).replaceAll(ID, contract)
    for (const [name, host] of Object.entries(HOSTS)) {
      const { port } = isInit ? own : companies[name as keyof typeof HOSTS]
      text = text
        .replaceAll(`did:web:${host}`, `did:web:localhost%3A${port}`)
        .replaceAll(host, `localhost:${port}`)
    }
    return isInit && company.name === 'builder' ? text.replace('Pump Operator', 'Machine Builder') : text
  }
  const type = async (line: string, company: Company): Promise<void> => {
    const [written = '', comment] = here(line, company).split(/\s+# /)
    if (/ serve$/.test(written)) {
      running.push(keepRunning(written, company))
      const up = () =>
        bash('npx handschlag status', company.folder, company.env).then(({ code }) => code === 0)
      await waitFor(up, { timeoutMs: 30_000, what: `the connector of the ${company.name}` })
      return
    }
    if (/ stream \S+$/.test(written)) {
      stream = keepRunning(written, company)
      running.push(stream)
      await waitFor(() => stream?.said.out.includes('\n'), { timeoutMs: 30_000, what: 'a live record' })
      return
    }
    const { code, out, err } = await bash(written, company.folder, company.env)
    const [, reason] = /^refused: (.*)$/.exec(comment ?? '') ?? []
    expect({ written, code, err: reason === undefined ? err : '' }).toEqual({
      written,
      code: reason === undefined ? 0 : 1,
      err: reason === undefined ? (code === 0 ? err : '') : '',
    })
    if (reason !== undefined) expect(err).toContain(reason)
    contract = / negotiate /.test(written)
      ? (/ contract show ([0-9a-f]+)/.exec(out + err)?.[1] ?? ID)
      : contract
    transcript.push([written, out])
  }

  for (const block of blocksOf(README)) {
    const [, who] = /^sh (both|operator|builder)$/.exec(block.info) ?? []
    if (who === undefined) continue
    const own = who === 'both' ? Object.values(companies) : [companies[who as keyof typeof HOSTS]]
    for (const company of own) for (const line of commandsOf(block)) await type(line, company)
  }
  expect(await stream?.ended, 'a stream that is cut off ends with 1').toBe(1)
  expect(stream?.said.err).toContain('Pump 7 is taken out of service')
  return transcript
}
