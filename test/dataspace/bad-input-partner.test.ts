import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { issueServerCertificate } from '../../certs-dev/generate.js'
import type { EpochMs } from '../../connector/core/types.js'
import { freePorts } from '../../connector/demo/world.js'
import { asConsumer, asProvider, offering } from '../protocol/parties.js'
import { introduce, message, type Peer, startPeer } from '../protocol/peer.js'
import { publishTank } from '../protocol/tank.js'
import { contractOn, enc, ended, type Member, startPair } from '../support/dataspace.js'
import { recordingLog } from '../support/recording-log.js'
import { waitFor } from '../support/wait-for.js'

const MINUTE = 60_000
let space: Awaited<ReturnType<typeof startPair>>
let provider: Member
let consumer: Member
let peer: Peer
/** How far the clock of the consumer is ahead, milliseconds. */
let ahead = 0
const providerLog = recordingLog()
const consumerLog = recordingLog()

beforeAll(async () => {
  space = await startPair(
    { log: providerLog.log },
    { log: consumerLog.log, clock: () => (Date.now() + ahead) as EpochMs },
  )
  ;({ provider, consumer } = space)
  await publishTank(provider, space.folder)
  peer = await startPeer(space)
  await introduce(provider, peer)
  peer.script(offering())
})
afterAll(async () => {
  await peer[Symbol.asyncDispose]()
  await space[Symbol.asyncDispose]()
})

/** Ports and times differ from run to run. */
const steady = (text: string): string =>
  text
    .replaceAll(/localhost(%3A|:)\d+/g, 'localhost$1<port>')
    .replaceAll(/(\d{4}-\d{2}-\d{2}T)?\d{2}:\d{2}:\d{2}Z/g, '<time>')

const authority = () => ({
  cert: readFileSync(space.ca, 'utf8'),
  key: readFileSync(join(space.folder, 'certs', 'ca.key'), 'utf8'),
})
const wrongName = () => issueServerCertificate(authority(), { dnsNames: ['other.example.com'] })
const expired = () =>
  issueServerCertificate(authority(), {
    dnsNames: ['localhost'],
    from: new Date(Date.now() - 20 * 86_400_000),
    days: 10,
  })
const selfSigned = () => issueServerCertificate(undefined, { dnsNames: ['localhost'] })

const adding = async (at: { readonly did: string; readonly publicUrl: string }) => {
  const refusal = await provider.refused(
    provider.api.post('/api/v1/partners', { did: at.did, address: at.publicUrl }),
  )
  return [refusal.code, steady(refusal.message)]
}

describe('a partner that cannot be reached', () => {
  it('is not added, and the reason says what to check', async () => {
    const [port] = await freePorts(1)
    const at = { did: `did:web:localhost%3A${port}`, publicUrl: `https://localhost:${port}` }
    expect(await adding(at)).toEqual([
      'PartnerUnreachable',
      'localhost:<port> refused the connection: nothing listens on that port. Check the address, and that the partner is running.',
    ])
    expect((await provider.refused(provider.api.get(`/api/v1/partners/${enc(at.did)}`))).code).toBe(
      'NotFound',
    )
  })

  it('keeps what it is owed, with the reason of the last attempt, and gets it when it is back', async () => {
    const contract = await contractOn(consumer, provider, 'tank')
    await provider.stop()
    const catalog = consumer.api.get(`/api/v1/partners/${enc(provider.did)}/catalog`)
    const sentence =
      'localhost:<port> refused the connection: nothing listens on that port. Check the address, and that the partner is running.'
    expect(steady((await consumer.refused(catalog)).message)).toBe(sentence)
    const { pid } = await consumer.post('/api/v1/transfers', { contract })
    const path = `/api/v1/transfers/${enc(String(pid))}`
    const shown = await waitFor(async () => {
      const answer = await consumer.get(path)
      return answer.lastError === undefined ? undefined : answer
    })
    expect(shown).toMatchObject({ state: 'NEW', pending: 'request', waitingFor: 'partner' })
    expect(steady(String(shown.lastError))).toBe(sentence)
    await provider.start()
    await consumer.post(`${path}/retry`)
    await ended(consumer, path, ['STARTED'])
  })

  it('is not added when there is something else than a connector, or one of another version', async () => {
    await using other = await startPeer(space, { version: '0.8' })
    expect(await adding(other)).toEqual([
      'VersionUnsupported',
      'https://localhost:<port> speaks 0.8, not 2025-1.',
    ])
    await using web = await startPeer(space, { version: '' })
    expect(await adding(web)).toEqual([
      'VersionUnsupported',
      "https://localhost:<port> answered without a DSP version document. Give the public address of the partner's connector, such as https://connector.example.com",
    ])
  })
})

describe('a certificate that is wrong', () => {
  it('keeps a partner from being added: another name, expired, self-signed', async () => {
    const cases = [
      [
        wrongName(),
        'The TLS certificate of localhost:<port> is for another name (other.example.com). Check the address; if it is right, the partner must get a certificate for this name.',
      ],
      [
        expired(),
        'The TLS certificate of localhost:<port> has expired. The partner must renew it; also check the clock of this machine.',
      ],
      [
        selfSigned(),
        'The TLS certificate of localhost:<port> is self-signed. Ask the partner for a certificate from a public authority, or add this one to the file that the setting trustedCa names.',
      ],
    ] as const
    for (const [certificate, sentence] of cases) {
      await using wrong = await startPeer(space, { tls: await certificate })
      expect(await adding(wrong)).toEqual(['PartnerCertificate', sentence])
      expect(wrong.received).toEqual([])
    }
  })

  it('keeps messages back from a partner whose certificate goes bad, until it is right again', async () => {
    await using partner = await startPeer(space)
    await introduce(provider, partner, { name: 'careless' })
    const asked = asConsumer(partner, provider)
    const agreed = await asked.agreed()
    const path = `/api/v1/negotiations/${enc(agreed.providerPid)}`
    await ended(provider, path, ['AGREED'])
    const good = await issueServerCertificate(authority(), { dnsNames: ['localhost'] })
    partner.present(await expired())
    await provider.post(`${path}/terminate`, { reason: 'Enough.' })
    const shown = await waitFor(async () => {
      const answer = await provider.get(path)
      return answer.lastError === undefined ? undefined : answer
    })
    expect(steady(String(shown.lastError))).toBe(
      'The TLS certificate of localhost:<port> has expired. The partner must renew it; also check the clock of this machine.',
    )
    expect(shown).toMatchObject({ state: 'AGREED', pending: 'terminate' })
    expect(partner.messages('ContractNegotiationTerminationMessage')).toEqual([])
    partner.present(good)
    await provider.post(`${path}/retry`)
    await ended(provider, path, ['TERMINATED'])
  })
})

describe('an identity token that is wrong', () => {
  const ask = (authorization: string) =>
    peer.send(provider, '/catalog/request', message('CatalogRequestMessage', {}), { authorization })
  const refused = async (authorization: string): Promise<readonly unknown[]> => {
    const answer = await ask(authorization)
    const { '@type': type, code, reason } = answer.json
    return [answer.status, type, code, steady((reason as readonly string[]).join(' '))]
  }

  it('has expired: says until when it was valid and how far the clocks are apart', async () => {
    expect(await refused(peer.token(provider.did, Date.now() - 10 * MINUTE))).toEqual([
      401,
      'CatalogError',
      'TokenExpired',
      'Your identity token is valid from <time> to <time>, but the time here is <time>: the two clocks are 10 minutes apart. Set the clock (NTP) and send again.',
    ])
  })

  it('is for somebody else: says for whom, and who this is', async () => {
    expect(await refused(peer.token(consumer.did))).toEqual([
      401,
      'CatalogError',
      'TokenAudience',
      'Your identity token is for did:web:localhost%3A<port>; this is did:web:localhost%3A<port>. Check the DID you have noted for this partner.',
    ])
  })

  it('is replayed: says so, also after a restart', async () => {
    const sentence =
      'Your identity token has been used before. Make a new one for each request, with its own jti.'
    const token = peer.token(provider.did)
    expect((await ask(token)).status).toBe(200)
    expect(await refused(token)).toEqual([401, 'CatalogError', 'TokenReplayed', sentence])
    await provider.stop()
    await provider.start()
    expect(await refused(token)).toEqual([401, 'CatalogError', 'TokenReplayed', sentence])
  })

  it('is seen by the operator of the connector that refused it', () => {
    const seen = providerLog.entries('request refused').map(({ from, why }) => [from === peer.did, why])
    expect(seen).toEqual([
      [true, 'TokenExpired'],
      [true, 'TokenAudience'],
      [true, 'TokenReplayed'],
      [true, 'TokenReplayed'],
    ])
  })
})

describe('a clock that is off by ten minutes', () => {
  const apart =
    'Your identity token is valid from <time> to <time>, but the time here is <time>: the two clocks are 10 minutes apart. Set the clock (NTP) and send again.'

  for (const [name, shift] of [
    ['ahead', 10 * MINUTE],
    ['behind', -10 * MINUTE],
  ] as const) {
    it(`${name}: both operators read that the clocks are apart, whoever asks`, async () => {
      ahead = shift
      providerLog.clear()
      consumerLog.clear()
      const asked = consumer.api.get(`/api/v1/partners/${enc(provider.did)}/catalog`)
      expect(steady((await consumer.refused(asked)).message)).toBe(`provider answered 401: ${apart}`)
      const [seen] = providerLog.entries('request refused')
      expect(seen).toMatchObject({ from: consumer.did, why: 'TokenExpired' })
      expect(steady(String(seen?.detail))).toBe(apart)

      const back = provider.api.get(`/api/v1/partners/${enc(consumer.did)}/catalog`)
      expect(steady((await provider.refused(back)).message)).toBe(`consumer answered 401: ${apart}`)
      expect(consumerLog.entries('request refused')).toMatchObject([
        { from: provider.did, why: 'TokenExpired' },
      ])
      ahead = 0
    })
  }

  it('keeps what is owed, with that reason, until the clock is right', async () => {
    const contract = await contractOn(consumer, provider, 'tank')
    ahead = 10 * MINUTE
    const { pid } = await consumer.post('/api/v1/transfers', { contract })
    const path = `/api/v1/transfers/${enc(String(pid))}`
    const shown = await waitFor(async () => {
      const answer = await consumer.get(path)
      return answer.lastError === undefined ? undefined : answer
    })
    expect(steady(String(shown.lastError))).toBe(`The partner answered 401: ${apart}`)
    ahead = 0
    await consumer.post(`${path}/retry`)
    await ended(consumer, path, ['STARTED'])
  })
})

describe('a partner that is not trusted', () => {
  it('is asked for nothing, and the operator reads what to do first', async () => {
    await using stranger = await startPeer(space)
    await introduce(provider, stranger, { trusted: false, name: 'newcomer' })
    const begun = provider.api.post('/api/v1/negotiations', { partner: stranger.did, dataset: 'pump' })
    expect(await provider.refused(begun)).toMatchObject({
      code: 'NotTrusted',
      message: `newcomer is not trusted yet. Compare its fingerprint, then: handschlag partner trust ${stranger.did}`,
    })
    await provider.post(`/api/v1/partners/${enc(stranger.did)}/block`)
    const catalog = provider.api.get(`/api/v1/partners/${enc(stranger.did)}/catalog`)
    expect((await provider.refused(catalog)).message).toBe(
      `newcomer is blocked. Compare its fingerprint, then: handschlag partner trust ${stranger.did}`,
    )
    expect(stranger.received).toEqual([])
  })

  it('reads only that it is probably not trusted yet, when it asks', async () => {
    await provider.post(`/api/v1/partners/${enc(consumer.did)}/block`)
    const catalog = consumer.api.get(`/api/v1/partners/${enc(provider.did)}/catalog`)
    expect((await consumer.refused(catalog)).message).toBe(
      'provider answered 404. Probably it does not trust you yet, or the address is wrong.',
    )
    await provider.post(`/api/v1/partners/${enc(consumer.did)}/trust`)
    await consumer.get(`/api/v1/partners/${enc(provider.did)}/catalog`)
  })

  it('cannot be dealt with under the contracts of before while it is blocked', async () => {
    await using partner = await startPeer(space)
    await introduce(provider, partner, { name: 'pump maker' })
    partner.script(offering())
    const contract = await asProvider(partner, provider).contract()
    await provider.post(`/api/v1/partners/${enc(partner.did)}/block`)
    const started = provider.api.post('/api/v1/transfers', { contract })
    expect((await provider.refused(started)).message).toBe(
      `pump maker is blocked. Compare its fingerprint, then: handschlag partner trust ${partner.did}`,
    )
  })
})
