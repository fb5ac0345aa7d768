/** A whole connector in a process of its own, asked over IPC to negotiate and to open transfers as its operator would. */
import { subscribe } from 'node:diagnostics_channel'
import { join } from 'node:path'
import { startConnector } from '../../connector/app.js'
import { resolveConfig } from '../../connector/config/load.js'
import { createLog } from '../../connector/core/log.js'
import { type JsonObject, type Pid, systemClock } from '../../connector/core/types.js'
import { orderedUuid } from '../../connector/core/uuid.js'
import { loadSecretBox } from '../../connector/crypto/secret-box.js'
import type { Agreement } from '../../connector/domain/agreement.js'
import type { Process } from '../../connector/domain/step.js'
import { createValidator } from '../../connector/dsp/validate.js'
import { createWire } from '../../connector/dsp/wire.js'
import { requestContract } from '../../connector/services/negotiation-consumer.js'
import { requestTransfer } from '../../connector/services/transfer.js'
import { answerParent, childInput } from './child.js'
import { demand } from './report.js'

export type MemberInput = {
  readonly env: Readonly<Record<string, string>>
  /** Writes that may share one commit. */
  readonly groupSize?: number
  /** Every timer of this process takes so many times as long: what waits for one shows. */
  readonly stretchTimers?: number
}
export type NegotiateInput = {
  readonly partner: string
  readonly offer: JsonObject
  readonly count: number
  readonly inFlight: number
}
export type NegotiateAnswer = { readonly totalMs: number; readonly latencies: readonly number[] }
/** Absolute milliseconds, comparable between processes of one machine. */
export type Moment = {
  readonly at: number
  readonly what: 'committed' | 'sent'
  readonly state?: string
  readonly pending?: string | undefined
}
export type TransferInput = { readonly partner: string; readonly offer: JsonObject }
export type TransferAnswer = { readonly endpoint: string; readonly token: string }
/** Bytes of the bodies of one negotiation: request, agreement, verification, finalization. */
export type MessageSizes = readonly [number, number, number, number]

const { env, groupSize, stretchTimers = 1 } = childInput<MemberInput>()
stretch(stretchTimers)
const resolved = demand(resolveConfig({ cwd: process.cwd(), env }))
const log = createLog(resolved.config.logLevel)
const connector = demand(
  await startConnector(resolved.config, {
    clock: systemClock,
    log,
    dev: true,
    version: 'bench',
    ...(groupSize === undefined ? {} : { groupSize }),
  }),
)
const { store } = connector
const box = demand(await loadSecretBox(join(resolved.config.dataDir, 'keys')))
const wire = createWire(createValidator())

/** Beginning a process needs these; everything behind the first message is the connector's own business. */
const services = {
  store,
  clock: systemClock,
  log,
  newPid: () => `urn:uuid:${orderedUuid()}` as Pid,
  ownDid: connector.did,
  callbackAddress: connector.dspAddress,
  wire,
} as unknown as Parameters<typeof requestContract>[0] & Parameters<typeof requestTransfer>[0]

/** Processes somebody waits for, by pid. */
const awaited = new Map<string, (process: Process) => void>()
store.onProcess((process) => awaited.get(process.pid)?.(process))

function settled(pid: string, wanted: string): Promise<Process> {
  return new Promise((resolve, reject) => {
    awaited.set(pid, (process) => {
      if (process.state !== wanted && process.state !== 'TERMINATED') return
      awaited.delete(pid)
      if (process.state === wanted) resolve(process)
      else reject(new Error(process.reason ?? 'terminated'))
    })
  })
}

const partnerOf = (did: string) => {
  const partner = store.partner(did)
  if (partner === undefined) throw new Error(`no partner ${did}`)
  return partner
}

async function negotiateOnce({ partner, offer }: TransferInput): Promise<Process> {
  const begun = demand(
    await requestContract(services, {
      partner: partnerOf(partner),
      datasetId: String(offer.target),
      offer,
    }),
  )
  return settled(begun.pid, 'FINALIZED')
}

async function negotiate(input: NegotiateInput): Promise<NegotiateAnswer> {
  const latencies: number[] = []
  let left = input.count
  const began = performance.now()
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      const at = performance.now()
      await negotiateOnce(input)
      latencies.push(performance.now() - at)
    }
  }
  await Promise.all(Array.from({ length: input.inFlight }, worker))
  return { totalMs: performance.now() - began, latencies }
}

const newest = (): Agreement => {
  const [agreement] = store.agreements()
  if (agreement === undefined) throw new Error('no agreement yet')
  return agreement
}

function messageSizes(): MessageSizes {
  const agreement = newest()
  const pids = { providerPid: agreement.negotiationPid, consumerPid: agreement.negotiationPid }
  const { offer, body, providerSeal: seal, consumerSeal, receipt } = agreement
  const callbackAddress = connector.dspAddress
  return [
    wire.contractRequest({ consumerPid: pids.consumerPid, offer, callbackAddress }),
    wire.contractAgreement({ ...pids, agreement: body, seal }),
    wire.agreementVerification({ ...pids, seal: consumerSeal }),
    wire.finalized({ ...pids, receipt }),
  ].map((message) => Buffer.byteLength(message.body)) as unknown as MessageSizes
}

async function transfer(input: TransferInput): Promise<TransferAnswer> {
  const negotiated = await negotiateOnce(input)
  const agreement = store.agreement('agreementId' in negotiated ? String(negotiated.agreementId) : '')
  if (agreement === undefined) throw new Error('no agreement')
  const begun = demand(
    await requestTransfer(services, {
      agreement,
      partner: partnerOf(input.partner),
      format: 'HttpData-PULL',
    }),
  )
  const started = await settled(begun.pid, 'STARTED')
  if (started.kind !== 'transfer' || started.endpoint === undefined) throw new Error('no data address')
  const token = demand(box.open(started.sealedToken ?? '', `transfer:${started.pid}`))
  return { endpoint: started.endpoint, token }
}

/** What happened on this side, for the time between a commit and the message that follows from it. */
let moments: Moment[] = []
const at = (): number => performance.timeOrigin + performance.now()
store.onProcess(({ pending, state }) => void moments.push({ at: at(), what: 'committed', state, pending }))
subscribe('undici:client:sendHeaders', () => void moments.push({ at: at(), what: 'sent' }))

function takeMoments(): readonly Moment[] {
  const taken = moments
  moments = []
  return taken
}

function stretch(times: number): void {
  if (times === 1) return
  const { setTimeout: timeout, setInterval: interval } = globalThis
  globalThis.setTimeout = ((run: () => void, ms = 0, ...more: []) =>
    timeout(run, ms * times, ...more)) as typeof timeout
  globalThis.setInterval = ((run: () => void, ms = 0, ...more: []) =>
    interval(run, ms * times, ...more)) as typeof interval
}

answerParent({ negotiate, takeMoments, messageSizes, transfer }, () => connector[Symbol.asyncDispose]())
