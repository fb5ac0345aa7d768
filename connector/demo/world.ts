/** What the demo is played with: a broker, a machine, and two connectors in processes and folders of their own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createManagementClient, findToken, type ManagementClient } from '../cli/client.js'
import { type Lang, systemClock } from '../core/types.js'
import { createKeys } from '../crypto/keys.js'
import { createSecretKey } from '../crypto/secret-box.js'

export type Company = AsyncDisposable & {
  readonly name: string
  readonly did: string
  readonly publicUrl: string
  readonly configFile: string
  readonly api: ManagementClient
  readonly pid: number
  /** Sends the signal and resolves when the process is gone. */
  end(signal: NodeJS.Signals): Promise<void>
}

/** Ports that are free now; all are held until the last one is known, so that none is given twice. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(0, '127.0.0.1', resolve)
      })
      return server
    }),
  )
  const ports = servers.map((server) => {
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  })
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

const START_TIMEOUT_MS = 30_000

export type CompanyPlace = {
  readonly name: string
  readonly folder: string
  readonly port: number
  readonly managementPort: number
  readonly lang?: Lang
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string }
  /** Another build of the program, for tests that run from source. */
  readonly program?: string
}

/** Creates keys and configuration in `folder` and starts `handschlag serve --dev` there. */
export async function startCompany(place: CompanyPlace): Promise<Company> {
  await settle(place)
  return runCompany(place)
}

/** Keys and configuration of a company; what is there stays. */
export async function settle(place: CompanyPlace): Promise<void> {
  const keysDir = join(place.folder, 'data', 'keys')
  await mkdir(join(place.folder, 'data'), { recursive: true, mode: 0o700 })
  for (const made of [await createSecretKey(keysDir), await createKeys(keysDir, systemClock)]) {
    if (!made.ok) throw new Error(made.error.message)
  }
  const settings = {
    name: place.name,
    publicUrl: publicUrlOf(place),
    host: '127.0.0.1',
    port: place.port,
    managementPort: place.managementPort,
    dataDir: join(place.folder, 'data'),
    tlsCert: place.tls.cert,
    tlsKey: place.tls.key,
    trustedCa: place.tls.ca,
    allowPrivateAddresses: ['localhost', '127.0.0.0/8', '::1/128'],
  }
  await writeFile(configFileOf(place), `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 })
}

const publicUrlOf = (place: CompanyPlace): string => `https://localhost:${place.port}`
const configFileOf = (place: CompanyPlace): string => join(place.folder, 'handschlag.yaml')

/** Starts the connector of a settled company and resolves when it is ready. */
export async function runCompany(place: CompanyPlace): Promise<Company> {
  const logFile = join(place.folder, 'log.ndjson')
  const log = openSync(logFile, 'a')
  const child = spawn(
    process.execPath,
    [place.program ?? PROGRAM, 'serve', '--dev', '--config', configFileOf(place)],
    {
      stdio: ['ignore', 'pipe', log],
      env: withoutSettings(process.env),
    },
  )
  closeSync(log)
  await ready(child, place.name, logFile)
  const token = findToken({}, join(place.folder, 'data'), 'en')
  if (!token.ok) throw new Error(token.error.message)
  const exited = () => child.exitCode !== null || child.signalCode !== null
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (exited()) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await ended
  }
  return {
    name: place.name,
    did: `did:web:localhost%3A${place.port}`,
    publicUrl: publicUrlOf(place),
    configFile: configFileOf(place),
    pid: child.pid ?? 0,
    api: createManagementClient({
      url: `http://127.0.0.1:${place.managementPort}`,
      token: token.value,
      lang: place.lang ?? 'en',
    }),
    end,
    [Symbol.asyncDispose]: () => end('SIGTERM'),
  }
}

/** The compiled program beside this file. */
const PROGRAM = join(import.meta.dirname, '..', 'main.js')

/** The demo's connectors are configured by their files alone. */
const withoutSettings = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([key]) => !key.startsWith('HANDSCHLAG_')))

/** The last lines of a log; its folder may be gone when somebody wants to look. */
const endOf = (file: string): string => readFileSync(file, 'utf8').trimEnd().split('\n').slice(-20).join('\n')

function ready(child: ChildProcess, name: string, logFile: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) =>
      reject(
        new Error(`The connector of ${name} did not start: ${why}. The end of its log:\n${endOf(logFile)}`),
      )
    const timer = setTimeout(() => fail('it was not ready in time'), START_TIMEOUT_MS)
    child.stdout?.on('data', (chunk: Buffer) => {
      if (!chunk.toString().includes('"event":"ready"')) return
      clearTimeout(timer)
      resolve()
    })
    child.once('exit', (code) => {
      clearTimeout(timer)
      fail(`it ended with code ${code}`)
    })
  })
}

export type Broker = AsyncDisposable & { readonly url: string; readonly kind: string }

/** The embedded broker (MQTT 3.1.1), or the one the person names. */
export async function openBroker(external: string | undefined, port: number): Promise<Broker> {
  if (external !== undefined)
    return { url: external, kind: 'external', [Symbol.asyncDispose]: async () => {} }
  const { Aedes } = await import('aedes').catch((cause: unknown) => {
    throw new Error(
      'The embedded MQTT broker is not installed (optional package aedes). Install it: npm install aedes. Or name a broker: handschlag demo --broker mqtt://127.0.0.1:1883',
      { cause },
    )
  })
  const broker = await Aedes.createBroker()
  const server = createServer(broker.handle)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    url: `mqtt://127.0.0.1:${port}`,
    kind: 'embedded',
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => broker.close(() => resolve()))
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export type Machine = AsyncDisposable & { published(): number }

const PUBLISH_EVERY_MS = 100

/** A pump that publishes five signals ten times a second. Its flow and speed are the know-how that stays at home. */
export async function runMachine(url: string, topic: string): Promise<Machine> {
  const { connectAsync } = await import('mqtt')
  const client = await connectAsync(url, { protocolVersion: 4, connectTimeout: 5000 })
  let published = 0
  const timer = setInterval(() => {
    const seconds = Date.now() / 1000
    const wave = (period: number, mid: number, swing: number): number =>
      Number((mid + swing * Math.sin((2 * Math.PI * seconds) / period)).toFixed(3))
    const reading = {
      time: new Date().toISOString(),
      bearing: { temperature: wave(17, 61, 4) },
      vibration: wave(3, 0.42, 0.11),
      pressure: wave(11, 4.1, 0.3),
      flow: wave(7, 31.5, 2),
      speed: wave(5, 1480, 12),
    }
    client.publish(topic, JSON.stringify(reading), { qos: 1 })
    published += 1
  }, PUBLISH_EVERY_MS)
  return {
    published: () => published,
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await client.endAsync()
    },
  }
}
