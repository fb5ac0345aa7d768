import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createValidator } from '../../connector/dsp/validate.js'
import { applied, enc, ended, pullLines } from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'
import { asConsumer, dataAddress, newPid, offering, type Pids, stateOf } from './parties.js'
import { message, type Received, type Sent } from './peer.js'
import { openScene, type Scene } from './scene.js'

const validate = createValidator()
let tankContract: string
let pumpContract: string
let scene: Scene
let member: Scene['member']
let peer: Scene['peer']
let rival: Scene['rival']
let consumer: Scene['consumer']
let provider: Scene['provider']

beforeAll(async () => {
  scene = await openScene()
  ;({ member, peer, rival, consumer, provider } = scene)
  tankContract = await consumer.contract()
  pumpContract = await provider.contract()
})
afterAll(() => scene[Symbol.asyncDispose]())

function refused(answer: Sent, status: number, code: string, pids: Partial<Pids> = {}): string {
  expect([answer.status, answer.json.code, answer.text]).toEqual([status, code, answer.text])
  expect(answer.headers['content-type']).toMatch(/^application\/json/)
  expect(validate('TransferError', answer.json, 'outgoing')).toMatchObject({ ok: true })
  expect(answer.json).toMatchObject(pids)
  return (answer.json.reason as readonly string[]).join(' ')
}

const MESSAGES = {
  start: 'TransferStartMessage',
  suspension: 'TransferSuspensionMessage',
  completion: 'TransferCompletionMessage',
  termination: 'TransferTerminationMessage',
} as const
type Kind = keyof typeof MESSAGES

/** Sends a message of the peer; `own` is the member's pid, which is in the path. */
const send = (kind: Kind, own: string, pids: Pids, more: object = {}) =>
  peer.send(
    member,
    `/transfers/${own}/${kind}`,
    message(MESSAGES[kind], { providerPid: pids.providerPid, consumerPid: pids.consumerPid, ...more }),
  )
const toProvider = (kind: Kind, pids: Pids, more: object = {}) => send(kind, pids.providerPid, pids, more)
const toConsumer = (kind: Kind, pids: Pids, more: object = {}) => send(kind, pids.consumerPid, pids, more)

const stateAt = (pid: string) => stateOf(peer, member, pid, 'transfers')
const reached = (pid: string, state: string) =>
  waitFor(async () => (await stateAt(pid)) === state, { what: `${pid} to be ${state}` })
const pathOf = (pid: string) => `/api/v1/transfers/${enc(pid)}`

/** Address and token in a start message. */
function addressOf(start: Received): { readonly endpoint: string; readonly token: string } {
  const address = start.body.dataAddress as unknown as {
    readonly endpoint: string
    readonly endpointProperties: readonly { readonly name: string; readonly value: string }[]
  }
  const token = address.endpointProperties.find(({ name }) => name === 'authorization')?.value ?? ''
  return { endpoint: address.endpoint, token }
}
const pull = (start: Received) => {
  const { endpoint, token } = addressOf(start)
  return peer.fetch(endpoint, { authorization: token })
}

const transferStarted = async () => {
  const started = await consumer.started(tankContract)
  await reached(started.providerPid, 'STARTED')
  return started
}
const starts = (consumerPid: string) => peer.messages('TransferStartMessage', { consumerPid })

describe('as provider', () => {
  it('TP:01-02 request, start with a data address, data, completion by the operator', async () => {
    const { consumerPid, providerPid, status, json } = await consumer.requestTransfer(tankContract)
    expect(status).toBe(201)
    expect(validate('TransferProcess', json, 'outgoing').ok).toBe(true)
    expect(json).toMatchObject({ consumerPid, state: 'REQUESTED' })
    const start = await peer.message('TransferStartMessage', { consumerPid })
    expect(start.path).toBe(`/partner/v1/dsp/transfers/${consumerPid}/start`)
    expect(start.body.providerPid).toBe(providerPid)
    await reached(providerPid, 'STARTED')
    const shown = await peer.send(member, `/transfers/${providerPid}`)
    expect(validate('TransferProcess', shown.json, 'outgoing').ok).toBe(true)
    const data = await pull(start)
    expect(data.status).toBe(200)
    expect(data.text.trim().split('\n')).toHaveLength(5)
    await member.post(`${pathOf(providerPid)}/complete`)
    await peer.message('TransferCompletionMessage', { consumerPid })
    await reached(providerPid, 'COMPLETED')
    expect((await pull(start)).status).toBe(403)
  })

  it('TP:01-03 start, suspension and termination by the operator, with reasons', async () => {
    const { consumerPid, providerPid } = await transferStarted()
    await member.post(`${pathOf(providerPid)}/suspend`, { reason: 'Maintenance' })
    const paused = await peer.message('TransferSuspensionMessage', { consumerPid })
    expect(paused.body.reason).toEqual(['Maintenance'])
    await reached(providerPid, 'SUSPENDED')
    await member.post(`${pathOf(providerPid)}/terminate`, { reason: 'Broken' })
    const ending = await peer.message('TransferTerminationMessage', { consumerPid })
    expect([ending.body.code, ending.body.reason]).toEqual(['OperatorDecision', ['Broken']])
    await reached(providerPid, 'TERMINATED')
  })

  it('TP:01-04 start, suspension, start again with another token, completion', async () => {
    const { consumerPid, providerPid, start } = await transferStarted()
    await member.post(`${pathOf(providerPid)}/suspend`, { reason: 'Maintenance' })
    await reached(providerPid, 'SUSPENDED')
    const paused = await pull(start)
    expect([paused.status, paused.json.reason]).toEqual([403, ['The transfer is suspended: Maintenance']])
    await member.post(`${pathOf(providerPid)}/resume`)
    await waitFor(() => starts(consumerPid).length === 2)
    await reached(providerPid, 'STARTED')
    const again = starts(consumerPid)[1] ?? start
    expect(addressOf(again).token).not.toBe(addressOf(start).token)
    expect((await pull(again)).status).toBe(200)
    expect((await pull(start)).status).toBe(401)
    await member.post(`${pathOf(providerPid)}/complete`)
    await reached(providerPid, 'COMPLETED')
  })

  it('TP:02-01 start, termination by the consumer', async () => {
    const transfer = await transferStarted()
    expect((await toProvider('termination', transfer, { code: '1' })).status).toBe(200)
    expect(await stateAt(transfer.providerPid)).toBe('TERMINATED')
    expect((await pull(transfer.start)).status).toBe(403)
  })

  it('TP:02-02 start, completion by the consumer', async () => {
    const transfer = await transferStarted()
    const answer = await toProvider('completion', transfer)
    expect([answer.status, answer.text]).toEqual([200, ''])
    expect(await stateAt(transfer.providerPid)).toBe('COMPLETED')
  })

  it('TP:02-03 start, suspension and termination by the consumer', async () => {
    const transfer = await transferStarted()
    expect((await toProvider('suspension', transfer, { code: '1' })).status).toBe(200)
    expect(await stateAt(transfer.providerPid)).toBe('SUSPENDED')
    expect((await toProvider('termination', transfer, { code: '1' })).status).toBe(200)
    expect(await stateAt(transfer.providerPid)).toBe('TERMINATED')
  })

  it('TP:02-04 start, suspension and start again by the consumer, and its token still opens the data', async () => {
    const transfer = await transferStarted()
    await toProvider('suspension', transfer)
    expect((await pull(transfer.start)).status).toBe(403)
    expect((await toProvider('start', transfer)).status).toBe(200)
    expect(await stateAt(transfer.providerPid)).toBe('STARTED')
    expect((await pull(transfer.start)).status).toBe(200)
    expect((await toProvider('completion', transfer)).status).toBe(200)
    expect(await stateAt(transfer.providerPid)).toBe('COMPLETED')
  })

  it('lets only the operator end a suspension of its own', async () => {
    const transfer = await transferStarted()
    await member.post(`${pathOf(transfer.providerPid)}/suspend`, { reason: 'Maintenance' })
    await reached(transfer.providerPid, 'SUSPENDED')
    expect(refused(await toProvider('start', transfer), 400, 'InvalidTransition')).toBe(
      'The provider suspended this transfer; only the provider can start it again.',
    )
    expect(await stateAt(transfer.providerPid)).toBe('SUSPENDED')
    expect((await pull(transfer.start)).status).toBe(403)
  })

  it('suspends again with the very bytes of an earlier suspension, because it was started in between', async () => {
    const transfer = await transferStarted()
    for (const _ of [1, 2]) {
      expect((await toProvider('suspension', transfer, { code: 'night' })).status).toBe(200)
      expect(await stateAt(transfer.providerPid)).toBe('SUSPENDED')
      expect((await pull(transfer.start)).status).toBe(403)
      expect((await toProvider('start', transfer)).status).toBe(200)
      expect(await stateAt(transfer.providerPid)).toBe('STARTED')
    }
  })

  it('refuses an agreement that does not exist, is of another partner, not final or revoked, alike', async () => {
    const unknown = 'There is no such agreement with you.'
    const ask = async (agreementId: string, more: object = {}) =>
      consumer.requestTransfer(agreementId, newPid(), more)
    expect(refused(await ask(newPid()), 404, 'NotFound')).toBe(unknown)
    const theirs = await asConsumer(rival, member).contract()
    expect(refused(await ask(theirs), 404, 'NotFound')).toBe(unknown)
    const pending = await consumer.agreed()
    expect(refused(await ask(String(pending.agreement['@id'])), 404, 'NotFound')).toBe(unknown)
    // A contract in which the member is the consumer gives the peer nothing.
    expect(refused(await ask(pumpContract), 404, 'NotFound')).toBe(unknown)
    const revoked = await consumer.contract()
    await waitFor(async () => (await member.get(`/api/v1/contracts/${enc(revoked)}`)).status === 'active')
    await member.post(`/api/v1/contracts/${enc(revoked)}/revoke`, { reason: 'Sold.' })
    expect(refused(await ask(revoked), 400, 'GrantEnded')).toBe('The contract was revoked: Sold.')
  })

  it('refuses a format that is not offered and a callbackAddress that cannot be called', async () => {
    const ask = (more: object) => consumer.requestTransfer(tankContract, newPid(), more)
    expect(refused(await ask({ format: 'AmazonS3-PUSH' }), 400, 'FormatUnsupported')).toBe(
      'The format AmazonS3-PUSH is not offered for this dataset. Offered: HttpData-PULL, HttpData-PUSH.',
    )
    expect(refused(await ask({ callbackAddress: 'http://localhost:1' }), 400, 'CallbackRefused')).toBe(
      'The callbackAddress cannot be used: it must begin with https://.',
    )
    expect(refused(await ask({ format: undefined }), 400, 'InvalidMessage')).toBe(
      'TransferRequestMessage is not valid: format is missing.',
    )
  })

  it('answers a request that comes again with the process that is there, and starts it once', async () => {
    const first = await consumer.requestTransfer(tankContract)
    const { consumerPid, providerPid } = first
    const twins = await Promise.all([1, 2, 3].map(() => peer.send(member, '/transfers/request', first.body)))
    await reached(providerPid, 'STARTED')
    const late = await consumer.requestTransfer(tankContract, consumerPid, {
      callbackAddress: `${peer.address}/`,
    })
    for (const twin of [...twins, late]) {
      expect([twin.status, twin.json.providerPid]).toEqual([201, providerPid])
    }
    expect(late.json.state).toBe('STARTED')
    await member.connector().dispatcher.idle()
    expect(starts(consumerPid)).toHaveLength(1)
    const other = await consumer.requestTransfer(await consumer.contract(), consumerPid)
    expect(refused(other, 400, 'InvalidTransition')).toBe(
      'There is already another transfer with this consumerPid.',
    )
  })

  it('takes a suspension that overtakes the answer to its start, and lets nothing flow', async () => {
    peer.script((m) => (m.type === 'TransferStartMessage' ? { status: 503 } : undefined))
    const requested = await consumer.requestTransfer(tankContract)
    const { consumerPid, providerPid } = requested
    const start = await peer.message('TransferStartMessage', { consumerPid })
    expect((await toProvider('suspension', requested)).status).toBe(200)
    expect(await stateAt(providerPid)).toBe('SUSPENDED')
    expect((await pull(start)).status).toBe(403)
    peer.script(offering())
    await member.connector().dispatcher.idle()
    expect((await member.get(pathOf(providerPid))).owed).toEqual([])
  })

  it('acknowledges each redelivered message like the first time and changes nothing', async () => {
    const transfer = await transferStarted()
    for (const [kind, state] of [
      ['suspension', 'SUSPENDED'],
      ['start', 'STARTED'],
      ['completion', 'COMPLETED'],
    ] as const) {
      for (const _ of [1, 2]) expect((await toProvider(kind, transfer)).status).toBe(200)
      expect(await stateAt(transfer.providerPid)).toBe(state)
    }
    const timeline = (await member.get(pathOf(transfer.providerPid))).timeline as unknown as readonly {
      readonly direction: string
      readonly event: string
    }[]
    expect(timeline.filter(({ direction }) => direction === 'in').map(({ event }) => event)).toEqual([
      'request',
      'suspend',
      'start',
      'complete',
    ])
  })

  const situations: readonly {
    readonly name: string
    readonly state: string
    readonly reach: () => Promise<Pids>
    readonly illegal: readonly Kind[]
  }[] = [
    {
      name: 'a start in REQUESTED, although ours is on its way',
      state: 'REQUESTED',
      reach: async () => {
        peer.script((m) => (m.type === 'TransferStartMessage' ? { status: 503 } : undefined))
        return consumer.requestTransfer(tankContract)
      },
      illegal: ['start'],
    },
    { name: 'a start in STARTED', state: 'STARTED', reach: transferStarted, illegal: ['start'] },
    {
      name: 'TP:03-03 completion in SUSPENDED, and a second suspension with other words',
      state: 'SUSPENDED',
      reach: async () => {
        const transfer = await transferStarted()
        await toProvider('suspension', transfer, { code: 'first' })
        return transfer
      },
      illegal: ['completion', 'suspension'],
    },
    {
      name: 'everything in COMPLETED',
      state: 'COMPLETED',
      reach: async () => {
        const transfer = await transferStarted()
        await toProvider('completion', transfer)
        return transfer
      },
      illegal: ['start', 'suspension', 'termination'],
    },
    {
      name: 'TP:03-04 start, TP:03-05 suspension, TP:03-06 completion in TERMINATED',
      state: 'TERMINATED',
      reach: async () => {
        const transfer = await transferStarted()
        await toProvider('termination', transfer)
        return transfer
      },
      illegal: ['start', 'suspension', 'completion'],
    },
  ]
  for (const { name, state, reach, illegal } of situations) {
    it(`answers 400 and changes nothing: ${name}`, async () => {
      const pids = await reach()
      await reached(pids.providerPid, state)
      const before = await member.get(pathOf(pids.providerPid))
      for (const kind of illegal) {
        const { providerPid, consumerPid } = pids
        refused(await toProvider(kind, pids), 400, 'InvalidTransition', { providerPid, consumerPid })
        expect([kind, await stateAt(providerPid)]).toEqual([kind, state])
      }
      const after = await member.get(pathOf(pids.providerPid))
      expect([applied(after), after.reason]).toEqual([applied(before), before.reason])
      peer.script(offering())
    })
  }

  it('answers 404 for what does not exist and 400 for pids that do not belong together', async () => {
    const unknown = { providerPid: newPid(), consumerPid: newPid() }
    for (const kind of ['start', 'suspension', 'completion', 'termination'] as const) {
      expect(refused(await toProvider(kind, unknown), 404, 'NotFound')).toBe('There is no such transfer.')
    }
    refused(await peer.send(member, `/transfers/${unknown.providerPid}`), 404, 'NotFound')
    const [one, two] = [await transferStarted(), await transferStarted()]
    expect(refused(await send('suspension', one.providerPid, two), 400, 'InvalidMessage')).toBe(
      'The providerPid in the body differs from the one in the path.',
    )
    const mixed = { providerPid: one.providerPid, consumerPid: two.consumerPid }
    expect(refused(await toProvider('suspension', mixed), 400, 'InvalidMessage')).toBe(
      'The message names another process of yours than the one we know.',
    )
    expect(await stateAt(one.providerPid)).toBe('STARTED')
    expect((await peer.send(member, `/transfers/${one.providerPid}/`)).status).toBe(200)
  })
})

describe('as consumer', () => {
  const asked = () => provider.transferAsked(pumpContract)
  const requested = async () => {
    const transfer = await asked()
    await ended(member, transfer.path, ['REQUESTED'])
    return transfer
  }
  const startedHere = async () => {
    const transfer = await requested()
    const answer = await toConsumer('start', transfer, {
      dataAddress: dataAddress(`${peer.publicUrl}/data/1`),
    })
    expect(answer.status).toBe(200)
    return transfer
  }

  it('TP_C:01-02 request, start, data through the operator, completion by the provider', async () => {
    const transfer = await startedHere()
    const request = peer.messages('TransferRequestMessage', { consumerPid: transfer.consumerPid })[0]
    expect(request?.body).toMatchObject({
      agreementId: pumpContract,
      format: 'HttpData-PULL',
      callbackAddress: `${member.config.publicUrl}/dsp`,
    })
    expect(await stateAt(transfer.consumerPid)).toBe('STARTED')
    peer.script((m) =>
      m.path.startsWith('/data/')
        ? { body: '{"id":"1","level":1}\n', headers: { 'content-type': 'application/x-ndjson' } }
        : undefined,
    )
    const data = await pullLines(member, transfer.consumerPid)
    expect(data.lines).toEqual(['{"id":"1","level":1}'])
    expect(peer.received.at(-1)).toMatchObject({ path: '/data/1', authorization: 'Bearer data-token' })
    peer.script(offering())
    expect((await toConsumer('completion', transfer)).status).toBe(200)
    expect(await stateAt(transfer.consumerPid)).toBe('COMPLETED')
  })

  it('TP_C:01-04 start, suspension, start, completion by the provider', async () => {
    const transfer = await startedHere()
    expect((await toConsumer('suspension', transfer, { code: '1' })).status).toBe(200)
    expect(await member.get(transfer.path)).toMatchObject({ state: 'SUSPENDED', suspendedBy: 'partner' })
    const refusal = await member.refused(member.api.post(`${transfer.path}/resume`))
    expect(refusal.message).toBe('The partner suspended this transfer; only the partner can start it again.')
    const again = { dataAddress: dataAddress(`${peer.publicUrl}/data/2`) }
    expect((await toConsumer('start', transfer, again)).status).toBe(200)
    expect(await stateAt(transfer.consumerPid)).toBe('STARTED')
    expect((await toConsumer('completion', transfer)).status).toBe(200)
    expect(await stateAt(transfer.consumerPid)).toBe('COMPLETED')
  })

  it('TP_C:01-05 request, termination by the provider', async () => {
    const transfer = await requested()
    const reason = ['The line', 'is down.']
    expect((await toConsumer('termination', transfer, { reason })).status).toBe(200)
    expect(await member.get(transfer.path)).toMatchObject({
      state: 'TERMINATED',
      reason: 'The line is down.',
      endedBy: 'partner',
    })
  })

  it('TP_C:02-04 start, suspension and start again by the operator, without a data address, completion', async () => {
    const transfer = await startedHere()
    const { consumerPid } = transfer
    await member.post(`${transfer.path}/suspend`, { reason: 'Disk full' })
    const paused = await peer.message('TransferSuspensionMessage', { consumerPid })
    expect(paused.path).toBe(`/partner/v1/dsp/transfers/${transfer.providerPid}/suspension`)
    await ended(member, transfer.path, ['SUSPENDED'])
    await member.post(`${transfer.path}/resume`)
    const start = await peer.message('TransferStartMessage', { consumerPid })
    expect(start.body).not.toHaveProperty('dataAddress')
    await ended(member, transfer.path, ['STARTED'])
    await member.post(`${transfer.path}/complete`)
    await peer.message('TransferCompletionMessage', { consumerPid })
    await reached(consumerPid, 'COMPLETED')
  })

  it('TP_C:02-05 request, termination by the operator', async () => {
    const transfer = await requested()
    await member.post(`${transfer.path}/terminate`, { reason: 'Never mind.' })
    const { consumerPid } = transfer
    const ending = await peer.message('TransferTerminationMessage', { consumerPid })
    expect(ending.body.reason).toEqual(['Never mind.'])
    await reached(consumerPid, 'TERMINATED')
  })

  it('takes a start that overtakes the answer to its request', async () => {
    let release: (() => void) | undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    peer.script(async (m) => {
      if (m.type === 'TransferRequestMessage') await held
      return undefined
    })
    const transfer = await asked()
    const start = { dataAddress: dataAddress(`${peer.publicUrl}/data/3`) }
    expect((await toConsumer('start', transfer, start)).status).toBe(200)
    release?.()
    await member.connector().dispatcher.idle()
    expect(await member.get(transfer.path)).toMatchObject({
      state: 'STARTED',
      partnerPid: transfer.providerPid,
      owed: [],
    })
    peer.script(offering())
  })

  it('says that there is no data address before a start, after one without it, and after the end', async () => {
    const transfer = await requested()
    const said = async () => (await pullLines(member, transfer.consumerPid)).lines
    expect(await said()).toEqual([
      'The transfer is REQUESTED: the partner has not said yet where the data is. Wait until it is STARTED.',
    ])
    expect((await toConsumer('start', transfer)).status).toBe(200)
    expect(await stateAt(transfer.consumerPid)).toBe('STARTED')
    expect(await said()).toEqual([
      'The partner started the transfer without a data address and token, so nothing can be read. Ask the partner, or end the transfer.',
    ])
    await toConsumer('termination', transfer, { reason: ['Sold.'] })
    expect(await said()).toEqual([
      'Nothing can be read under this transfer any more; it is TERMINATED: Sold.',
    ])
  })

  it('refuses a start whose data address has no endpoint or one that cannot be called', async () => {
    const transfer = await requested()
    const bare = { '@type': 'DataAddress', endpointType: 'https://w3id.org/idsa/v4.1/HTTP' }
    expect(refused(await toConsumer('start', transfer, { dataAddress: bare }), 400, 'InvalidMessage')).toBe(
      'The dataAddress does not say where the data is: endpoint is missing.',
    )
    const file = dataAddress('file:///etc/passwd')
    expect(refused(await toConsumer('start', transfer, { dataAddress: file }), 400, 'InvalidMessage')).toBe(
      'The endpoint of the dataAddress is not an http or https address.',
    )
    expect(await stateAt(transfer.consumerPid)).toBe('REQUESTED')
  })

  const situations: readonly {
    readonly name: string
    readonly state: string
    readonly reach: () => Promise<Pids & { readonly path: string }>
    readonly illegal: readonly Kind[]
  }[] = [
    {
      name: 'TP_C:03-01 completion, TP_C:03-02 suspension in REQUESTED',
      state: 'REQUESTED',
      reach: requested,
      illegal: ['completion', 'suspension'],
    },
    {
      name: 'TP_C:03-03 completion in SUSPENDED',
      state: 'SUSPENDED',
      reach: async () => {
        const transfer = await startedHere()
        await toConsumer('suspension', transfer, { code: 'first' })
        return transfer
      },
      illegal: ['completion', 'suspension'],
    },
    { name: 'a start in STARTED', state: 'STARTED', reach: startedHere, illegal: ['start'] },
    {
      name: 'everything in COMPLETED',
      state: 'COMPLETED',
      reach: async () => {
        const transfer = await startedHere()
        await toConsumer('completion', transfer)
        return transfer
      },
      illegal: ['start', 'suspension', 'termination'],
    },
    {
      name: 'TP_C:03-04 start, TP_C:03-05 suspension, TP_C:03-06 completion in TERMINATED',
      state: 'TERMINATED',
      reach: async () => {
        const transfer = await startedHere()
        await toConsumer('termination', transfer)
        return transfer
      },
      illegal: ['start', 'suspension', 'completion'],
    },
  ]
  for (const { name, state, reach, illegal } of situations) {
    it(`answers 400 and changes nothing: ${name}`, async () => {
      const transfer = await reach()
      const { providerPid, consumerPid } = transfer
      await reached(consumerPid, state)
      const before = await member.get(transfer.path)
      for (const kind of illegal) {
        refused(await toConsumer(kind, transfer), 400, 'InvalidTransition', { providerPid, consumerPid })
        expect([kind, await stateAt(consumerPid)]).toEqual([kind, state])
      }
      const after = await member.get(transfer.path)
      expect([applied(after), after.reason]).toEqual([applied(before), before.reason])
    })
  }

  it('refuses to ask for a transfer under a contract in which it is the provider', async () => {
    const refusal = await member.refused(member.api.post('/api/v1/transfers', { contract: tankContract }))
    expect(refusal).toEqual({
      code: 'InvalidInput',
      message: 'Under this contract you are the provider: the partner asks for the transfer.',
    })
  })
})
