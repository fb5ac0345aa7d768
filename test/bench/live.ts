/**
 * A data plane with one live stream in a process of its own: a machine's records go durably into the record log and from
 * there, shaped under the plan, as Server-Sent Events over HTTPS. Everything of the connector but the MQTT client.
 */
import { readFileSync } from 'node:fs'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { systemClock } from '../../connector/core/types.js'
import { hashToken } from '../../connector/crypto/tokens.js'
import { createDataPlane } from '../../connector/dataplane/delivery/data-plane.js'
import { createMqttSource } from '../../connector/dataplane/sources/mqtt.js'
import { parseMqttConfig } from '../../connector/dataplane/sources/mqtt-config.js'
import { openRecordLog } from '../../connector/store/sqlite/record-log.js'
import { answerParent, childInput } from './child.js'
import { machineRecords, plan, SIGNALS } from './machine.js'
import { demand } from './report.js'

export type LiveInput = {
  readonly file: string
  readonly tls: { readonly cert: string; readonly key: string }
}
export type LiveAddress = { readonly url: string; readonly token: string }
export type PublishInput = { readonly from: number; readonly records: number; readonly batch: number }

const STREAM = 'machine'
const TOKEN = 'benchmark-token'

const { file, tls } = childInput<LiveInput>()
const log = openRecordLog(file, { clock: systemClock })
const paths = Object.fromEntries(SIGNALS.map(({ name }) => [name, name]))
const source = createMqttSource(
  demand(
    parseMqttConfig({
      url: 'mqtt://127.0.0.1:1',
      topics: ['machine'],
      mapping: { time: 'arrival', signals: paths },
    }),
  ),
  {
    signals: SIGNALS,
    clock: systemClock,
    report: { malformed: () => {}, state: () => {} },
    log,
    stream: STREAM,
    retentionMs: 3_600_000,
    connectorId: 'did:web:bench.example',
  },
)
const plane = createDataPlane({
  clock: systemClock,
  sourceOf: () => ({ ok: true, value: source }),
  signalsOf: () => SIGNALS,
  usage: { book: async (_agreementId, { records: granted }) => ({ granted }) },
  log: { delivered: () => {}, stopped: () => {} },
})
plane.start({
  transferPid: 'live',
  agreementId: 'agreement',
  datasetId: STREAM,
  recipient: 'did:web:consumer.example',
  plan,
  tokenHash: hashToken(TOKEN),
})
const server = https.createServer(
  { cert: readFileSync(tls.cert), key: readFileSync(tls.key) },
  (req, res) => {
    plane.handle(req, res).catch(() => res.destroy())
  },
)
await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))

/** Appends as fast as it becomes durable; the stream follows on the same thread. */
async function publish({ from, records, batch }: PublishInput): Promise<number> {
  const began = performance.now()
  for (let at = from; at < from + records; at += batch) await log.append(STREAM, machineRecords(at, batch))
  return performance.now() - began
}

const address = (): LiveAddress => ({
  url: `https://localhost:${(server.address() as AddressInfo).port}/data/live`,
  token: TOKEN,
})

answerParent({ address, publish }, async () => {
  await plane[Symbol.asyncDispose]()
  server.closeAllConnections()
  await log[Symbol.asyncDispose]()
})
