/** Real brokers on loopback, and a machine that publishes to them. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { Aedes } from 'aedes'
import mqtt, { type MqttClient } from 'mqtt'
import { waitFor } from '../support/wait-for.js'

export type Broker = AsyncDisposable & {
  readonly port: number
  stop(): Promise<void>
  /** On the same port, with what it has kept. */
  start(): Promise<void>
}

export const mosquittoPath: string | undefined = [
  '/usr/sbin/mosquitto',
  ...(process.env.PATH ?? '').split(':').map((dir) => join(dir, 'mosquitto')),
].find((path) => existsSync(path))

export const withMosquitto = (title: string): string =>
  mosquittoPath === undefined ? `${title} (skipped: mosquitto is not installed)` : title

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** MQTT 3.1.1 in this process; keeps its sessions while it is stopped. */
export async function startAedes(): Promise<Broker> {
  const aedes = await Aedes.createBroker()
  const port = await freePort()
  let server: Server | undefined
  const sockets = new Set<Socket>()
  const start = async () => {
    const next = createServer((socket) => {
      sockets.add(socket.on('close', () => sockets.delete(socket)))
      aedes.handle(socket)
    })
    await new Promise<void>((resolve) => next.listen(port, '127.0.0.1', resolve))
    server = next
  }
  const stop = async () => {
    const stopped = new Promise((resolve) =>
      server === undefined ? resolve(undefined) : server.close(resolve),
    )
    for (const socket of sockets) socket.destroy()
    await stopped
    server = undefined
  }
  await start()
  return {
    port,
    start,
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
      await new Promise<void>((resolve) => aedes.close(() => resolve()))
    },
  }
}

/** A mosquitto of its own, with its sessions in `dir`. `extra` goes into its configuration. */
export async function startMosquitto(dir: string, extra: readonly string[] = []): Promise<Broker> {
  if (mosquittoPath === undefined) throw new Error('mosquitto is not installed')
  const program = mosquittoPath
  const port = await freePort()
  const config = join(dir, 'mosquitto.conf')
  const lines = [
    `listener ${port} 127.0.0.1`,
    'persistence true',
    `persistence_location ${dir}/`,
    'max_queued_messages 0',
    'user root',
    ...(extra.some((line) => line.startsWith('allow_anonymous')) ? [] : ['allow_anonymous true']),
    ...extra,
  ]
  await writeFile(config, `${lines.join('\n')}\n`)
  let child: ChildProcess | undefined
  const start = async () => {
    const log: string[] = []
    const started = spawn(program, ['-c', config, '-v'], { stdio: ['ignore', 'ignore', 'pipe'] })
    started.stderr.on('data', (text) => log.push(String(text)))
    child = started
    await waitFor(
      () => {
        if (started.exitCode !== null) throw new Error(log.join(''))
        return log.join('').includes('running')
      },
      { what: 'mosquitto to run' },
    )
  }
  const stop = async () => {
    const stopping = child
    child = undefined
    if (stopping === undefined || stopping.exitCode !== null) return
    const ended = new Promise((resolve) => stopping.once('exit', resolve))
    stopping.kill('SIGTERM')
    await ended
  }
  await start()
  return { port, start, stop, [Symbol.asyncDispose]: stop }
}

export async function connectMachine(
  broker: { readonly port: number },
  options: mqtt.IClientOptions = {},
): Promise<MqttClient> {
  return mqtt.connectAsync({
    protocol: 'mqtt',
    host: '127.0.0.1',
    port: broker.port,
    ...options,
    ...(Array.isArray(options.ca) && { ca: options.ca.map((path) => readFileSync(path)) }),
  })
}

export type Certificates = {
  readonly ca: string
  readonly cert: string
  readonly key: string
  readonly otherCa: string
}

/** An authority, a certificate for localhost signed by it, and an authority that signed nothing. */
export async function makeCertificates(dir: string): Promise<Certificates> {
  const at = (name: string) => join(dir, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' })
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  openssl('req', '-x509', ...curve, '-subj', '/CN=test authority', '-keyout', 'ca.key', '-out', 'ca.pem')
  openssl(
    'req',
    '-x509',
    ...curve,
    '-subj',
    '/CN=other authority',
    '-keyout',
    'other.key',
    '-out',
    'other.pem',
  )
  openssl('req', ...curve, '-subj', '/CN=localhost', '-keyout', 'server.key', '-out', 'server.csr')
  await writeFile(at('san.cnf'), 'subjectAltName=DNS:localhost\n')
  openssl(
    ...['x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'],
    ...['-days', '2', '-extfile', 'san.cnf', '-out', 'server.pem'],
  )
  return { ca: at('ca.pem'), cert: at('server.pem'), key: at('server.key'), otherCa: at('other.pem') }
}

/** A password file for mosquitto; answers its path. */
export async function setPassword(dir: string, user: string, password: string): Promise<string> {
  const file = join(dir, 'passwords')
  // mosquitto's own form: PBKDF2 with SHA-512, which saves the test its helper program.
  const salt = randomBytes(12)
  const iterations = 101
  const derived = pbkdf2Sync(password, salt, iterations, 64, 'sha512').toString('base64')
  await writeFile(file, `${user}:$7$${iterations}$${salt.toString('base64')}$${derived}\n`, { mode: 0o600 })
  return file
}
