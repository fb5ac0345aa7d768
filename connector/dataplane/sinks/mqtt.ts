/**
 * Republishes records to an MQTT broker, one JSON message per record, QoS 1. The broker's acknowledgement is what makes
 * a record safe, and sets the pace. After a crash the records of the last batch may be published again.
 */
import type { IClientOptions, MqttClient } from 'mqtt'
import { ok, problem, type Result } from '../../core/result.js'
import type { Received } from '../receive/received.js'
import { type Progress, readProgress, writeProgress } from './progress.js'
import { type Sink, SinkError } from './sink.js'

export type MqttSinkOptions = {
  /** mqtt://, mqtts://, ws:// or wss:// */
  readonly url: string
  /** Records go to `<topic>/<series>`, or `<topic>/record` when they have no series. */
  readonly topic: string
  readonly client?: Pick<
    IClientOptions,
    'username' | 'password' | 'ca' | 'cert' | 'key' | 'clientId' | 'protocolVersion'
  >
  /** Remembers how far it has come, so that a restarted command goes on; absent: begins anew each time. */
  readonly progress?: { readonly path: string; readonly subject: string }
  /**
   * A write fails as soon as the connection is lost, or when the broker acknowledges nothing for this long, milliseconds.
   * Without it a write waits until the broker is back.
   */
  readonly failAfterMs?: number
}

/** Messages on the way without an acknowledgement. */
const IN_FLIGHT = 64

export async function openMqttSink(options: MqttSinkOptions): Promise<Result<Sink>> {
  const { topic, progress } = options
  if (topic === '' || /[+#\0]/.test(topic)) {
    return problem('InvalidInput', {
      en: 'The topic to publish to must not be empty and has no wildcards.',
      de: 'Das Topic, in das veröffentlicht wird, darf nicht leer sein und keine Platzhalter enthalten.',
    })
  }
  const begun = progress === undefined ? ok(undefined) : await readProgress(progress.path, progress.subject)
  if (!begun.ok) return begun
  // Loaded here, so that nobody pays for it who does not publish.
  const { connectAsync } = await import('mqtt')
  try {
    const client = await connectAsync(options.url, { ...options.client, connectTimeout: 10_000 }, false)
    // The client connects again by itself; a publish that cannot be done fails on its own.
    client.on('error', () => {})
    return ok(mqttSink(client, options, begun.value))
  } catch (cause) {
    const reason =
      cause instanceof Error ? cause.message || String((cause as { code?: unknown }).code) : String(cause)
    return problem(
      'InvalidInput',
      {
        en: `The MQTT broker could not be reached: ${reason}. Check address, user and password.`,
        de: `Der MQTT-Broker war nicht erreichbar: ${reason}. Prüfen Sie Adresse, Benutzer und Passwort.`,
      },
      cause,
    )
  }
}

function mqttSink(
  client: MqttClient,
  { topic, progress, failAfterMs }: MqttSinkOptions,
  begun: Progress | undefined,
): Sink {
  let safe = begun?.lastId
  let acknowledged = safe
  let closed = false

  const sink: Sink = {
    lastId: () => safe,
    async write(batch) {
      try {
        for (let at = 0; at < batch.length; at += IN_FLIGHT) {
          const part = batch.slice(at, at + IN_FLIGHT)
          const published = Promise.all(
            part.map((record) => client.publishAsync(topicOf(topic, record), record.json, { qos: 1 })),
          )
          await (failAfterMs === undefined ? published : orLost(client, failAfterMs, published))
        }
      } catch (cause) {
        throw new SinkError(
          'The MQTT broker did not take a record. Is it running, and may this user publish there?',
          { cause },
        )
      }
      acknowledged = batch.at(-1)?.id ?? acknowledged
    },
    async flush() {
      if (acknowledged === safe) return
      if (progress !== undefined && acknowledged !== undefined) {
        await writeProgress(progress.path, { subject: progress.subject, lastId: acknowledged, size: 0 })
      }
      safe = acknowledged
    },
    async close() {
      if (closed) return
      closed = true
      try {
        await sink.flush()
      } finally {
        await client.endAsync(failAfterMs !== undefined)
      }
    },
    [Symbol.asyncDispose]: () => sink.close(),
  }
  return sink
}

/** The same, unless the broker is lost before. */
async function orLost(client: MqttClient, failAfterMs: number, published: Promise<unknown>): Promise<void> {
  // What is not acknowledged when the client is closed is given up; nobody waits for it any more.
  published.catch(() => {})
  let stop = (): void => {}
  const lost = new Promise<never>((_, reject) => {
    const gone = (): void => reject(new Error('the broker was lost'))
    const timer = setTimeout(gone, failAfterMs)
    client.once('close', gone)
    stop = () => {
      clearTimeout(timer)
      client.off('close', gone)
    }
  })
  try {
    await Promise.race([published, lost])
  } finally {
    stop()
  }
}

/** MQTT 5.0, "Topic Names and Topic Filters": a name carries no wildcard and no null character. */
const topicOf = (topic: string, { series }: Received): string =>
  `${topic}/${series === '' ? 'record' : series.replaceAll(/[+#\0]/g, '_')}`
