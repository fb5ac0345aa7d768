/**
 * EDC in the role of the provider, scripted from recordings: it answers 200 with the bodies that were recorded, 409 to whoever
 * is quick, wants region and clientId, refuses an empty filter, and takes nothing but the bare data token.
 */
import { randomUUID } from 'node:crypto'
import { request } from 'undici'
import type { JsonObject } from '../../connector/core/types.js'
import type { Answer, Member } from '../support/dataspace.js'
import { type Lab, mockIdentity, type Received, type Reply, type Sent, startLab } from './lab.js'
import { adapted, recorded } from './recordings.js'

const RECORDED_BASE = 'http://localhost:18198/protocol/2025-1'
const BYTES = '0123456789abcdef'
const EDC = 'https://w3id.org/edc/v0.0.1/ns/'

export type EdcProvider = Lab & {
  /** What our connector answered to each message of EDC. */
  readonly answers: readonly { readonly type: string; readonly status: number; readonly text: string }[]
  /** Whether the next verification is too early for it. */
  tooEarly(): void
  /** The operator of EDC acts. */
  suspend(consumerPid: string): Promise<Sent>
  resume(consumerPid: string): Promise<Sent>
  terminate(consumerPid: string): Promise<Sent>
  readonly token: () => string
  readonly bytes: string
}

type Process = { readonly providerPid: string; readonly consumerPid: string; readonly callback: string }

export async function startEdcProvider(member: () => Member): Promise<EdcProvider> {
  const lab = await startLab('provider')
  const processes = new Map<string, Process>()
  const answers: { type: string; status: number; text: string }[] = []
  const agreements = new Map<string, { readonly asset: string }>()
  let early = false
  let token = ''
  let tokens = 0

  const send = async (to: Process, path: string, body: JsonObject): Promise<Sent> => {
    const answer = await lab.send(member(), path, body, {
      authorization: mockIdentity('provider', to.callback),
    })
    answers.push({ type: String(body['@type']), status: answer.status, text: answer.text })
    return answer
  }
  /** A recorded message of EDC with the ids of this process in it. */
  const message = (folder: string, number: string, p: Process, more: Record<string, string> = {}): Answer => {
    const { body } = recorded(folder, number).request
    return adapted(body, {
      [String(body['@id'])]: randomUUID(),
      [String(body.providerPid)]: p.providerPid,
      [String(body.consumerPid)]: p.consumerPid,
      ...more,
    })
  }
  const opened = (arrived: Received, folder: string): { process: Process; body: Answer } => {
    const { response, request } = recorded(folder, '01')
    const process = {
      providerPid: randomUUID(),
      consumerPid: String(arrived.body.consumerPid),
      callback: String(arrived.body.callbackAddress),
    }
    processes.set(process.providerPid, process)
    processes.set(process.consumerPid, process)
    const pids = (response.body as Answer) ?? {}
    const body = adapted(pids, {
      [String(pids.providerPid)]: process.providerPid,
      [String(request.body.consumerPid)]: process.consumerPid,
    })
    return { process, body }
  }
  const asset = (arrived: Received): string =>
    String((arrived.body.offer as Answer | undefined)?.target ?? 'open-asset')

  const agree = (process: Process, name: string): void => {
    const ruled = name === 'ruled-asset'
    const agreement = randomUUID()
    agreements.set(agreement, { asset: name })
    const body = message(ruled ? '3-negotiation-ruled' : '2-negotiation-open', '02', process, {
      consumer: 'handschlag',
    })
    const text = body.agreement as unknown as Answer
    void send(process, `/negotiations/${process.consumerPid}/agreement`, {
      ...body,
      agreement: { ...text, '@id': agreement },
    })
  }
  const start = (process: Process): Promise<Sent> => {
    token = `eyJ.token-${++tokens}.sig`
    const body = message('4-transfer-pull', '02', process, { 'http://localhost:18195': lab.origin })
    const address = body.dataAddress as unknown as { endpointProperties: readonly Answer[] }
    const endpointProperties = address.endpointProperties.map((one) =>
      String(one.name).endsWith('/authorization') ? { ...one, value: token } : one,
    )
    return send(process, `/transfers/${process.consumerPid}/start`, {
      ...body,
      dataAddress: { ...address, endpointProperties },
    } as unknown as JsonObject)
  }
  /** EDC knows the address by its own names, says nothing about it in the start, and completes by itself. */
  const deliver = async (process: Process, { body }: Received): Promise<void> => {
    const address = body.dataAddress as unknown as { endpointProperties: readonly Answer[] }
    const property = (name: string): string =>
      String(address.endpointProperties.find((one) => one.name === EDC + name)?.value)
    await send(process, `/transfers/${process.consumerPid}/start`, message('9-transfer-push', '02', process))
    const pushed = await request(property('baseUrl'), {
      method: 'POST',
      headers: { [property('authKey')]: property('authCode'), 'content-type': 'application/octet-stream' },
      body: BYTES,
    })
    answers.push({ type: 'pushed', status: pushed.statusCode, text: await pushed.body.text() })
    await send(
      process,
      `/transfers/${process.consumerPid}/completion`,
      message('9-transfer-push', '03', process),
    )
  }
  const reply = (status: number, body: unknown): Reply => ({ status, body: body as object })
  const catalogError = (number: string): Reply => {
    const { response } = recorded('13-probes', number)
    return { status: response.status, body: response.body as object }
  }

  lab.script(async (arrived) => {
    if (arrived.path.startsWith('/public')) return dataPlane(arrived)
    const claims = identity(arrived.authorization)
    if (claims === undefined) return reply(401, recorded('13-probes', '03').response.body)
    if (typeof claims.region !== 'string' || typeof claims.clientId !== 'string') return catalogError('06')
    if (arrived.headers['content-type']?.includes('ld+json')) return { status: 415 }

    if (arrived.path === '/catalog/request') {
      if (Array.isArray(arrived.body.filter) && arrived.body.filter.length === 0) return catalogError('12')
      return reply(200, adapted(recorded('1-catalog', '01').response.body, { [RECORDED_BASE]: lab.address }))
    }
    if (arrived.path.startsWith('/catalog/datasets/')) {
      const catalog = recorded('1-catalog', '01').response.body as unknown as { dataset: readonly Answer[] }
      const found = catalog.dataset.find((one) => arrived.path.endsWith(`/${String(one['@id'])}`))
      const context = (catalog as unknown as Answer)['@context']
      return found === undefined
        ? reply(404, recorded('1-catalog', '03').response.body)
        : reply(200, adapted({ ...found, '@context': context } as Answer, { [RECORDED_BASE]: lab.address }))
    }
    switch (arrived.type) {
      case 'ContractRequestMessage': {
        const offer = String((arrived.body.offer as Answer | undefined)?.['@id'])
        // EDC keeps its own part of the id, the definition it was made from.
        if (!/^(b3Blbi1k|cnVsZWQt)/.test(offer)) {
          return reply(404, recorded('11-negotiation-unknown-offer', '01').response.body)
        }
        const { process, body } = opened(arrived, '2-negotiation-open')
        setImmediate(() => agree(process, asset(arrived)))
        return reply(200, body)
      }
      case 'ContractAgreementVerificationMessage': {
        if (early) {
          early = false
          return reply(409, recorded('12-negotiation-terminated-by-consumer', '02').response.body)
        }
        const process = processes.get(String(arrived.body.providerPid))
        if (process !== undefined) {
          const event = message('2-negotiation-open', '04', process)
          setImmediate(() => send(process, `/negotiations/${process.consumerPid}/events`, event))
        }
        return { status: 200 }
      }
      case 'TransferRequestMessage': {
        const push = arrived.body.format === 'HttpData-PUSH'
        const { process, body } = opened(arrived, push ? '9-transfer-push' : '4-transfer-pull')
        setImmediate(() => (push ? deliver(process, arrived) : start(process)))
        return reply(200, body)
      }
      case 'TransferSuspensionMessage':
      case 'TransferTerminationMessage':
      case 'TransferCompletionMessage':
        token = ''
        return { status: 200 }
      case 'TransferStartMessage': {
        const process = processes.get(String(arrived.body.providerPid))
        // As recorded: first the answer, then a start of its own with a new token.
        if (process !== undefined) setTimeout(() => void start(process), 20)
        return { status: 200 }
      }
      default:
        return { status: 200 }
    }
  })

  function dataPlane(arrived: Received): Reply {
    const [, wrong, missing] = ['03', '04', '05'].map(
      (number) => recorded('4-transfer-pull', number).response,
    )
    if (arrived.authorization === '') return reply(401, missing?.body)
    return token !== '' && arrived.authorization === token
      ? { status: 200, body: BYTES, headers: { 'content-type': 'application/octet-stream' } }
      : reply(403, wrong?.body)
  }

  const processOf = (consumerPid: string): Process => {
    const process = processes.get(consumerPid)
    if (process === undefined) throw new Error(`no process ${consumerPid}`)
    return process
  }
  return {
    ...lab,
    answers,
    tooEarly: () => {
      early = true
    },
    token: () => token,
    bytes: BYTES,
    suspend: (consumerPid) => {
      token = ''
      const process = processOf(consumerPid)
      const body = message('6-transfer-suspended-and-resumed-by-provider', '01', process)
      return send(process, `/transfers/${consumerPid}/suspension`, body)
    },
    resume: (consumerPid) => start(processOf(consumerPid)),
    terminate: (consumerPid) => {
      const process = processOf(consumerPid)
      const body = message('8-transfer-terminated-by-provider', '03', process)
      return send(process, `/transfers/${consumerPid}/termination`, body)
    },
  }
}

function identity(authorization: string): Answer | undefined {
  try {
    return JSON.parse(authorization) as Answer
  } catch {
    return undefined
  }
}
