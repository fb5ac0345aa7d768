/**
 * One connection to a broker, from CONNECT to its end; never reconnects by itself. Messages are handed over without
 * being acknowledged: whoever takes them calls `acknowledge` when they are safe.
 */
import { readFile } from 'node:fs/promises'
import type { IClientOptions, IPublishPacket, MqttClient } from 'mqtt'
import { err, ok, type Problem, problem, type Result } from '../../core/result.js'
import type { MqttConfig } from './mqtt-config.js'
import {
  closedEarly,
  connectionLost,
  connectionProblem,
  isVersionRefusal,
  noAnswer,
  takenOver,
} from './mqtt-problems.js'

export type Received = {
  readonly topic: string
  readonly payload: Buffer
  /** 0 at QoS 0: nothing to acknowledge. */
  readonly packetId: number
  readonly dup: boolean
  readonly retain: boolean
}

/** Sends PUBACK for messages of one connection; nothing when that connection is gone. */
export type Acknowledge = (packetIds: readonly number[]) => void

export type Connection = {
  readonly version: 5 | 4
  /** The broker remembers subscriptions and unacknowledged messages from before. */
  readonly sessionPresent: boolean
  /** Answers the filters that the broker refused. */
  subscribe(topics: readonly string[], qos: 0 | 1): Promise<Result<readonly string[]>>
  /** Resolves when the connection is gone, with the reason unless we ended it ourselves. */
  readonly ended: Promise<Problem | undefined>
  /** Ends at once, without a DISCONNECT: what is unacknowledged is redelivered. */
  destroy(): void
  /** Ends with DISCONNECT; the session stays at the broker. */
  end(): Promise<void>
}

type ConnectOptions = {
  readonly clientId: string
  readonly version: 5 | 4
  /** False for a mere check: nothing is left behind at the broker. */
  readonly keepSession: boolean
  readonly timeoutMs: number
  /** Call `next` when there is room for another message; until then the broker is not read. */
  readonly onMessage: (message: Received, acknowledge: Acknowledge, next: () => void) => void
  /** Gives up the attempt, or drops the connection. */
  readonly signal?: AbortSignal
}

type ConnectFailure = { readonly problem: Problem; readonly tryOther: boolean }

/** Longest time for which a broker is asked to keep the session, seconds: MQTT 5.0, 3.1.2.11.2, "does not expire". */
const SESSION_NEVER_EXPIRES = 0xff_ff_ff_ff
/** QoS 1 messages that the broker may send before the first is acknowledged. */
const RECEIVE_MAXIMUM = 4_096
const KEEPALIVE_SECONDS = 30
/** How long a broker may take to close its side after DISCONNECT, milliseconds. */
const END_TIMEOUT = 1_000
/** Answer to mqtt.js that leaves a message unacknowledged and goes on with the next one. */
const NOT_YET = new Error('acknowledged later')
/** MQTT 5.0, 3.14.2.1: session taken over. */
const SESSION_TAKEN_OVER = 142

/** PUBACK is the same four bytes in MQTT 3.1.1 and, for reason code 0, in MQTT 5.0 (3.4.2.1). */
function pubacks(packetIds: readonly number[]): Buffer {
  const bytes = Buffer.alloc(packetIds.length * 4)
  packetIds.forEach((packetId, index) => {
    bytes.writeUInt16BE(0x4002, index * 4)
    bytes.writeUInt16BE(packetId, index * 4 + 2)
  })
  return bytes
}

async function readPem(config: MqttConfig): Promise<Pick<IClientOptions, 'ca' | 'cert' | 'key'>> {
  const [ca, cert, key] = await Promise.all(
    [config.ca, config.cert, config.key].map((file) => (file === undefined ? undefined : readFile(file))),
  )
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
}

function clientOptions(config: MqttConfig, options: ConnectOptions, pem: object): IClientOptions {
  return {
    ...pem,
    clientId: options.clientId,
    protocolVersion: options.version,
    // MQTT 5.0: with clean start 0 the session goes on, and it lives as long as the expiry interval says.
    clean: !options.keepSession,
    ...(options.version === 5 && {
      properties: {
        receiveMaximum: RECEIVE_MAXIMUM,
        ...(options.keepSession && { sessionExpiryInterval: SESSION_NEVER_EXPIRES }),
      },
    }),
    ...(config.username !== undefined && { username: config.username }),
    ...(config.password !== undefined && { password: config.password }),
    rejectUnauthorized: true,
    keepalive: KEEPALIVE_SECONDS,
    connectTimeout: options.timeoutMs,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
  }
}

const toReceived = (packet: IPublishPacket): Received => ({
  topic: packet.topic,
  payload: typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload,
  packetId: packet.qos === 0 ? 0 : (packet.messageId ?? 0),
  dup: packet.dup,
  retain: packet.retain,
})

/** Tries the versions in turn for as long as the broker seems not to speak the one before. */
export async function connectMqtt(
  config: MqttConfig,
  versions: readonly (5 | 4)[],
  options: Omit<ConnectOptions, 'version'>,
): Promise<Result<Connection>> {
  let failed: Problem = noAnswer(config)
  for (const version of versions) {
    const connected = await connectVersion(config, { ...options, version })
    if (connected.ok) return connected
    failed = connected.error.problem
    if (!connected.error.tryOther) break
  }
  return err(failed)
}

/** Sets up one connection. Resolves after CONNACK or with what went wrong. */
async function connectVersion(
  config: MqttConfig,
  options: ConnectOptions,
): Promise<Result<Connection, ConnectFailure>> {
  const fail = (failed: Problem, tryOther = false) => err({ problem: failed, tryOther })
  let client: MqttClient
  try {
    const [mqtt, pem] = await Promise.all([import('mqtt'), readPem(config)])
    client = mqtt.connect(config.url, clientOptions(config, options, pem))
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ERR_MODULE_NOT_FOUND') {
      return fail({
        code: 'SourceUnavailable',
        message:
          'The package mqtt is not installed, so MQTT sources cannot run. Install the connector completely.',
        messageDe:
          'Das Paket mqtt ist nicht installiert, sodass MQTT-Quellen nicht laufen können. Installieren Sie den Connector vollständig.',
      })
    }
    return fail(connectionProblem(config, cause))
  }
  const acknowledge: Acknowledge = (packetIds) => {
    if (packetIds.length > 0 && client.connected) client.stream.write(pubacks(packetIds))
  }
  // mqtt.js goes on with the next packet when it gets an error here, and sends no PUBACK for this one.
  client.handleMessage = (packet, done) =>
    options.onMessage(toReceived(packet), acknowledge, () => done(NOT_YET))
  return new Promise((resolve) => {
    let end: (reason: Problem | undefined) => void = () => {}
    const ended = new Promise<Problem | undefined>((settle) => {
      end = settle
    })
    let connected = false
    let wanted = false
    let reason: Problem | undefined
    const drop = () => {
      wanted = true
      client.stream.destroy()
    }
    if (options.signal?.aborted) drop()
    options.signal?.addEventListener('abort', drop)
    client.on('error', (cause) => {
      const failed = cause.message === 'connack timeout' ? noAnswer(config) : connectionProblem(config, cause)
      if (connected) reason ??= failed
      else resolve(fail(failed, isVersionRefusal(cause)))
      client.stream?.destroy()
    })
    client.on('disconnect', (packet) => {
      if (packet.reasonCode === SESSION_TAKEN_OVER) reason = takenOver(config)
    })
    client.on('close', () => {
      options.signal?.removeEventListener('abort', drop)
      // Brokers that do not know MQTT 5 may close without a CONNACK.
      if (!connected) resolve(fail(closedEarly(config), !wanted))
      client.end(true)
      end(wanted ? undefined : (reason ?? connectionLost(config)))
    })
    client.on('connect', ({ sessionPresent }) => {
      connected = true
      resolve(
        ok({
          version: options.version,
          sessionPresent,
          ended,
          subscribe: (topics, qos) => subscribe(client, options.version, topics, qos),
          destroy: drop,
          async end() {
            wanted = true
            client.end()
            // A broker that does not close its side is not waited for.
            const impatient = setTimeout(drop, END_TIMEOUT)
            await ended
            clearTimeout(impatient)
          },
        }),
      )
    })
  })
}

function subscribe(
  client: MqttClient,
  version: 5 | 4,
  topics: readonly string[],
  qos: 0 | 1,
): Promise<Result<readonly string[]>> {
  return new Promise((resolve) => {
    // Retain handling 1 (MQTT 5.0, 3.8.3.1): retained messages only for a subscription that is new to the session.
    const wanted = version === 5 ? { qos, rh: 1 } : { qos }
    client.subscribe([...topics], wanted, (cause, _granted, packet) => {
      const codes = packet?.granted
      if (codes === undefined || codes.length !== topics.length) {
        resolve(
          problem(
            'SourceUnavailable',
            {
              en: 'The broker did not confirm the subscription.',
              de: 'Der Broker hat das Abonnement nicht bestätigt.',
            },
            {
              cause: String(cause),
            },
          ),
        )
        return
      }
      resolve(ok(topics.filter((_, index) => Number(codes[index]) >= 128)))
    })
  })
}
