/** EDC as consumer, replayed from recordings: it buys from our connector, pulls, and is delivered to. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../connector/core/types.js'
import { publishTank } from '../protocol/tank.js'
import { type Answer, type Dataspace, enc, list, type Member, startDataspace } from '../support/dataspace.js'
import { titled } from '../support/shared-data.js'
import { waitFor } from '../support/wait-for.js'
import { type EdcConsumer, startEdcConsumer } from './edc-consumer.js'
import { introduceLab, PLAIN, plainAddress } from './lab.js'
import { hasRecordings, RECORDINGS, recorded } from './recordings.js'

let space: Dataspace
let member: Member
let edc: EdcConsumer

describe.skipIf(!hasRecordings)(titled('EDC as consumer', RECORDINGS), () => {
  beforeAll(async () => {
    space = await startDataspace([{ name: 'member', settings: PLAIN }])
    const [first] = space.members
    if (first === undefined) throw new Error('no member')
    member = first
    await publishTank(member, space.folder, {
      open: {},
      until: { until: '2098-12-31', recipients: ['consumer'] },
    })
    edc = await startEdcConsumer(() => member)
    await introduceLab(member, edc)
  })
  afterAll(async () => {
    await edc[Symbol.asyncDispose]()
    await space[Symbol.asyncDispose]()
  })

  const state = (pid: string, wanted: string) =>
    waitFor(async () => (edc.states.get(pid) === wanted ? true : undefined), {
      what: `${pid} to be ${wanted}`,
    })
  const offerOf = async (id: string): Promise<JsonObject> => {
    const dataset = await edc.dataset('tank')
    const offers = dataset.json.hasPolicy as unknown as readonly JsonObject[]
    const offer = offers.find((one) => one['@id'] === id)
    if (offer === undefined) throw new Error(dataset.text)
    return offer
  }
  const contract = async (id = 'until'): Promise<string> => {
    const { consumerPid, status, text } = await edc.request(await offerOf(id), 'tank')
    if (status >= 300) throw new Error(text)
    await state(consumerPid, 'FINALIZED')
    return String(edc.agreementOf(consumerPid)?.['@id'])
  }
  const started = async (): Promise<string> => {
    const { consumerPid, status, text } = await edc.transfer(await contract())
    if (status >= 300) throw new Error(text)
    await state(consumerPid, 'STARTED')
    return consumerPid
  }
  const pulled = async (pid: string, prefix = '') => {
    const edr = edc.edr(pid)
    if (edr === undefined) throw new Error('no data address')
    return edc.pull(edr.endpoint, prefix + edr.token)
  }
  const ours = async (pid: string): Promise<Answer> => {
    const { transfers } = (await member.get('/api/v1/transfers')) as unknown as {
      transfers: readonly Answer[]
    }
    const found = transfers.find((one) => one.partnerPid === pid)
    if (found === undefined) throw new Error(`no transfer for ${pid}`)
    return found
  }

  it('reads our catalog with the filter it always sends, and one dataset', async () => {
    const catalog = await edc.catalog()
    expect(catalog.status).toBe(200)
    expect(catalog.json).toMatchObject({
      '@type': 'Catalog',
      participantId: 'handschlag',
      service: [{ '@type': 'DataService', endpointURL: `${plainAddress(member)}/dsp` }],
    })
    const [tank] = list(catalog.json, 'dataset')
    expect(tank).toMatchObject({ '@id': 'tank' })
    const distribution = tank?.distribution as unknown as readonly Answer[]
    expect(distribution.map(({ format }) => format)).toEqual(['HttpData-PULL', 'HttpData-PUSH'])
    expect(distribution[0]?.accessService).toMatchObject({ endpointURL: `${plainAddress(member)}/dsp` })
    expect((await edc.dataset('nothing')).status).toBe(404)
    expect((await edc.dataset('nothing')).json).toMatchObject({ '@type': 'CatalogError' })
  })

  it('buys: the agreement says exactly what it asked for, and it is sent again after its 409', async () => {
    const before = edc.conflicts()
    const offer = await offerOf('until')
    const { consumerPid } = await edc.request(offer, 'tank')
    await state(consumerPid, 'FINALIZED')
    expect(edc.conflicts()).toBe(before + 1)
    expect(edc.agreementOf(consumerPid)).toMatchObject({
      '@type': 'Agreement',
      assigner: 'handschlag',
      assignee: 'consumer',
      target: 'tank',
      permission: offer.permission,
    })
    expect(offer).not.toHaveProperty('profile')
    const sent = edc.received.filter(
      ({ body, type }) => body.consumerPid === consumerPid && /Agreement/.test(type),
    )
    expect(sent).toHaveLength(2)
    expect(sent[1]?.text).toBe(sent[0]?.text)
    expect(JSON.parse(sent[0]?.authorization ?? '')).toEqual({
      region: 'eu',
      audience: edc.address,
      clientId: 'handschlag',
    })
  })

  it('is refused other terms than those of the offer, and an offer that is not for it', async () => {
    const offer = await offerOf('until')
    const other = await edc.request({ ...offer, permission: [{ action: 'use' }] }, 'tank')
    expect([other.status, other.json.code]).toEqual([400, 'OfferDiffers'])
    const unknown = await edc.request({ ...offer, '@id': 'bm8tc3VjaA==:dGFuaw==:MTIz' }, 'tank')
    expect(unknown.status).toBe(400)
    const { permission: _, ...empty } = offer
    expect((await edc.request(empty, 'tank')).status).toBe(400)
  })

  it('ends a negotiation with a reason and no code', async () => {
    await member.api.patch(`/api/v1/partners/${edc.id}`, { approval: 'manual' })
    const { consumerPid } = await edc.request(await offerOf('open'), 'tank')
    expect((await edc.terminateNegotiation(consumerPid)).status).toBe(200)
    await member.api.patch(`/api/v1/partners/${edc.id}`, { approval: 'automatic' })
    const { negotiations } = (await member.get('/api/v1/negotiations')) as unknown as {
      negotiations: Answer[]
    }
    expect(negotiations.find((one) => one.partnerPid === consumerPid)).toMatchObject({
      state: 'TERMINATED',
      endedBy: 'partner',
      reason: 'changed our mind',
    })
  })

  it('pulls with the bare token and with Bearer in front of it', async () => {
    const pid = await started()
    const bare = await pulled(pid)
    expect([bare.status, bare.text.trim().split('\n').length]).toEqual([200, 5])
    expect(await pulled(pid, 'Bearer ')).toEqual(bare)
    expect((await edc.pull(edc.edr(pid)?.endpoint ?? '', 'wrong')).status).toBe(401)
  })

  it('may name a destination for data that it fetches', async () => {
    const agreement = await contract()
    const { consumerPid, status, text } = await edc.transfer(agreement, {
      '@type': 'DataAddress',
      endpointType: 'HttpProxy',
    })
    // The recorded push with another format would deliver; a pull has no use for the address.
    expect([status, text]).toEqual([400, expect.stringContaining('endpoint')])
    const proxied = await edc.send(member, '/transfers/request', {
      ...recorded('4-transfer-pull', '01').request.body,
      consumerPid: `${consumerPid}-2`,
      agreementId: agreement,
      callbackAddress: edc.address,
      dataAddress: { '@type': 'DataAddress', endpointType: 'HttpProxy' },
    })
    expect(proxied.status).toBe(201)
  })

  it('suspends, and resumes with a start after which ours comes with a new token; the old one is worth nothing', async () => {
    const pid = await started()
    const first = edc.edr(pid)
    expect((await edc.suspend(pid)).status).toBe(200)
    expect((await pulled(pid)).status).toBe(403)
    expect(await ours(pid)).toMatchObject({ state: 'SUSPENDED', reason: 'the consumer pauses' })
    expect((await edc.resume(pid)).status).toBe(200)
    await state(pid, 'STARTED')
    expect(edc.edr(pid)?.token).not.toBe(first?.token)
    await waitFor(async () => ((await ours(pid)).state === 'STARTED' ? true : undefined), { what: 'STARTED' })
    expect((await pulled(pid)).status).toBe(200)
    expect((await edc.pull(first?.endpoint ?? '', first?.token ?? '')).status).not.toBe(200)
  })

  it('is suspended and resumed by us, and gets a new token with the one start', async () => {
    const pid = await started()
    const first = edc.edr(pid)
    const path = `/api/v1/transfers/${enc(String((await ours(pid)).pid))}`
    await member.post(`${path}/suspend`, {})
    await state(pid, 'SUSPENDED')
    await member.post(`${path}/resume`, {})
    await state(pid, 'STARTED')
    expect(edc.edr(pid)?.token).not.toBe(first?.token)
    expect((await pulled(pid)).status).toBe(200)
  })

  it('terminates with a reason and no code, and is terminated by us', async () => {
    const pid = await started()
    expect((await edc.terminate(pid)).status).toBe(200)
    expect(await ours(pid)).toMatchObject({ state: 'TERMINATED', reason: 'the consumer is done' })
    expect((await pulled(pid)).status).not.toBe(200)
    const other = await started()
    await member.post(`/api/v1/transfers/${enc(String((await ours(other)).pid))}/terminate`, {
      reason: 'over',
    })
    await state(other, 'TERMINATED')
  })

  it('is delivered to at the address it names, over plain HTTP, and is told when that is complete', async () => {
    const bodies: string[] = []
    const sink: Server = createServer(async (req, res) => {
      const chunks: Buffer[] = []
      for await (const chunk of req) chunks.push(chunk)
      bodies.push(Buffer.concat(chunks).toString())
      res.writeHead(200).end()
    })
    await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve))
    const { port } = sink.address() as AddressInfo
    const wanted = recorded('9-transfer-push', '01').request.body.dataAddress as unknown as {
      endpointProperties: readonly Answer[]
    }
    const endpointProperties = wanted.endpointProperties.map((one) => ({
      ...one,
      value: `http://localhost:${port}/sink/pushed`,
    }))
    const agreement = await contract()
    const { consumerPid, status, text } = await edc.transfer(agreement, {
      ...wanted,
      endpointProperties,
    } as unknown as JsonObject)
    expect([status, text]).toEqual([201, expect.stringContaining('REQUESTED')])
    await waitFor(async () => (bodies.join('').includes('"level"') ? true : undefined), {
      what: 'a delivery',
    })
    await state(consumerPid, 'COMPLETED')
    expect(bodies.join('').trim().split('\n')).toHaveLength(5)
    expect(edc.edr(consumerPid)).toBeUndefined()
    sink.closeAllConnections()
    await new Promise((resolve) => sink.close(resolve))
  })

  it('finds the version document below the address it was given, which leads to that address', async () => {
    const answer = await edc.pull(`${plainAddress(member)}/dsp/.well-known/dspace-version`, '')
    expect([answer.status, JSON.parse(answer.text).protocolVersions]).toEqual([
      200,
      [expect.objectContaining({ version: '2025-1', path: '/' })],
    ])
  })
})
