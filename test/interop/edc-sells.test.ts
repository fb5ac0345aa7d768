/** EDC as provider, replayed from recordings: our connector buys from it, pulls, and follows it through every state. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Answer,
  type Dataspace,
  enc,
  ended,
  list,
  type Member,
  pullLines,
  startDataspace,
} from '../support/dataspace.js'
import { titled } from '../support/shared-data.js'
import { waitFor } from '../support/wait-for.js'
import { type EdcProvider, startEdcProvider } from './edc-provider.js'
import { introduceLab, PLAIN } from './lab.js'
import { hasRecordings, RECORDINGS } from './recordings.js'

let space: Dataspace
let member: Member
let edc: EdcProvider

describe.skipIf(!hasRecordings)(titled('EDC as provider', RECORDINGS), () => {
  beforeAll(async () => {
    space = await startDataspace([{ name: 'member', settings: PLAIN }])
    const [first] = space.members
    if (first === undefined) throw new Error('no member')
    member = first
    edc = await startEdcProvider(() => member)
    await introduceLab(member, edc)
  })
  afterAll(async () => {
    await edc[Symbol.asyncDispose]()
    await space[Symbol.asyncDispose]()
  })

  const negotiated = async (dataset: string): Promise<Answer> => {
    const begun = await member.post('/api/v1/negotiations', { partner: 'provider', dataset })
    return ended(member, `/api/v1/negotiations/${enc(String(begun.pid))}`, ['FINALIZED', 'TERMINATED'])
  }
  const contract = async (): Promise<string> => String((await negotiated('ruled-asset')).contract)
  const transferPath = (pid: string) => `/api/v1/transfers/${enc(pid)}`
  const started = async (): Promise<string> => {
    const begun = await member.post('/api/v1/transfers', { contract: await contract() })
    await ended(member, transferPath(String(begun.pid)), ['STARTED'])
    return String(begun.pid)
  }
  const refusals = () => edc.answers.filter(({ status }) => status !== 200)

  it('shows its catalog: an offer with a term, and one without any, which cannot be accepted', async () => {
    const catalog = await member.get('/api/v1/partners/provider/catalog')
    const offers = list(catalog, 'datasets').map((one) => {
      const [offer] = one.offers as unknown as readonly Answer[]
      return [one.id, one.formats, offer?.acceptable]
    })
    expect(offers).toEqual([
      ['ruled-asset', ['HttpData-PULL', 'HttpData-PUSH'], true],
      ['open-asset', ['HttpData-PULL', 'HttpData-PUSH'], false],
    ])
    expect(edc.received.at(-1)?.body).not.toHaveProperty('filter')
  })

  it('sells: request, agreement, verification, finalization, and the contract says what was offered', async () => {
    const done = await negotiated('ruled-asset')
    expect([done.state, done.reason]).toEqual(['FINALIZED', undefined])
    const asked = edc.received.find(({ type }) => type === 'ContractRequestMessage')
    expect((asked?.body.offer as unknown as Answer)['@id']).toMatch(/^cnVsZWQtZGVmaW5pdGlvbg==:/)
    const shown = await member.get(`/api/v1/contracts/${enc(String(done.contract))}`)
    expect(shown.agreement).toMatchObject({
      assigner: 'provider',
      assignee: 'handschlag',
      target: 'ruled-asset',
    })
    expect((shown.agreement as unknown as Answer).timestamp).toMatch(/T\d\d:\d\d:\d\dZ$/)
    expect(JSON.stringify(shown.clauses)).toContain('until the end of 31 December 2098 (UTC)')
    expect(refusals()).toEqual([])
  })

  it('is sent a verification again that came too early for it, first after a tenth of a second', async () => {
    edc.tooEarly()
    const before = edc.received.length
    const done = await negotiated('ruled-asset')
    expect(done.state).toBe('FINALIZED')
    const sent = edc.received.slice(before).filter(({ type }) => type.includes('Verification'))
    expect(sent).toHaveLength(2)
    expect(sent[1]?.text).toBe(sent[0]?.text)
  })

  it('refuses an offer that it does not know, and the reason is told', async () => {
    const dataset = await member.refused(
      member.api.post('/api/v1/negotiations', { partner: 'provider', dataset: 'no-such-asset' }),
    )
    expect(dataset.message).toContain('offers you no dataset no-such-asset')
  })

  it('lets us pull with the bare token it gave', async () => {
    const pid = await started()
    const pulled = await pullLines(member, pid)
    expect([pulled.status, pulled.lines]).toEqual([200, [edc.bytes]])
    expect(edc.received.at(-1)?.authorization).toBe(edc.token())
  })

  it('refuses a token behind Bearer, which is how a partner of that kind would want it', async () => {
    const pid = await started()
    const set = await member.api.patch('/api/v1/partners/provider', { dataToken: 'bearer' })
    expect(set.ok).toBe(true)
    await pullLines(member, pid)
    expect(edc.received.at(-1)?.authorization).toBe(`Bearer ${edc.token()}`)
    await member.api.patch('/api/v1/partners/provider', { dataToken: 'as-given' })
    expect((await pullLines(member, pid)).status).toBe(200)
  })

  it('is suspended and resumed by us: its own start follows, and the newest token counts', async () => {
    const pid = await started()
    const first = edc.token()
    await member.post(`${transferPath(pid)}/suspend`, {})
    await ended(member, transferPath(pid), ['SUSPENDED'])
    await member.post(`${transferPath(pid)}/resume`, {})
    await waitFor(async () => (edc.token() !== first && edc.token() !== '' ? true : undefined), {
      what: 'a new token',
    })
    await ended(member, transferPath(pid), ['STARTED'])
    await waitFor(async () => ((await pullLines(member, pid)).status === 200 ? true : undefined), {
      what: 'a pull with the new token',
    })
    expect(refusals()).toEqual([])
    expect((await member.get(transferPath(pid))).state).toBe('STARTED')
  })

  it('suspends and resumes by itself, again with a new token', async () => {
    const pid = await started()
    const first = edc.token()
    expect((await edc.suspend(pid)).status).toBe(200)
    expect(await member.get(transferPath(pid))).toMatchObject({
      state: 'SUSPENDED',
      suspendedBy: 'partner',
      reason: 'the provider pauses',
    })
    expect((await edc.resume(pid)).status).toBe(200)
    expect(edc.token()).not.toBe(first)
    expect((await pullLines(member, pid)).status).toBe(200)
  })

  it('terminates with a reason and no code', async () => {
    const pid = await started()
    expect((await edc.terminate(pid)).status).toBe(200)
    expect(await member.get(transferPath(pid))).toMatchObject({
      state: 'TERMINATED',
      endedBy: 'partner',
      reason: 'the provider is done',
    })
  })

  it('is told by us that a transfer has ended', async () => {
    const pid = await started()
    await member.post(`${transferPath(pid)}/complete`, {})
    expect((await ended(member, transferPath(pid), ['COMPLETED'])).state).toBe('COMPLETED')
  })

  it('delivers to the address that we name, and completes', async () => {
    const begun = await member.post('/api/v1/transfers', {
      contract: await contract(),
      format: 'HttpData-PUSH',
    })
    const pid = String(begun.pid)
    const done = await ended(member, transferPath(pid), ['COMPLETED', 'TERMINATED'])
    expect([done.state, done.reason]).toEqual(['COMPLETED', undefined])
    expect(refusals()).toEqual([])
    const folder = join(member.config.dataDir, 'received')
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    const texts = files.map((name) => join(folder, name)).filter((file) => statSync(file).isFile())
    expect(texts.map((file) => readFileSync(file, 'utf8')).join('')).toContain(edc.bytes)
  })

  describe('with an offer without terms', () => {
    it('is refused by default, with the way to allow it', async () => {
      const refused = await member.refused(
        member.api.post('/api/v1/negotiations', { partner: 'provider', dataset: 'open-asset' }),
      )
      expect(refused.code).toBe('PolicyUnsupported')
      expect(refused.message).toContain('no permission')
    })

    it('sells where the operator allows it, and the contract says plainly that it holds no terms', async () => {
      await member.api.patch('/api/v1/partners/provider', { emptyPolicies: 'accept' })
      const done = await negotiated('open-asset')
      expect([done.state, done.reason]).toEqual(['FINALIZED', undefined])
      const asked = edc.received.filter(({ type }) => type === 'ContractRequestMessage').at(-1)
      expect(asked?.body.offer).not.toHaveProperty('permission')
      const shown = await member.get(`/api/v1/contracts/${enc(String(done.contract))}`)
      expect(JSON.stringify(shown.clauses)).toContain('There are no terms')
      expect(shown.agreement).not.toHaveProperty('permission')
      const begun = await member.post('/api/v1/transfers', { contract: String(done.contract) })
      await ended(member, transferPath(String(begun.pid)), ['STARTED'])
      expect((await pullLines(member, String(begun.pid))).lines).toEqual([edc.bytes])
      await member.api.patch('/api/v1/partners/provider', { emptyPolicies: 'refuse' })
    })
  })
})
