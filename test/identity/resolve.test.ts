import { generateKeyPairSync } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { createDevelopmentCa, issueServerCertificate } from '../../certs-dev/generate.js'
import { err, ok } from '../../connector/core/result.js'
import type { EpochMs, ParticipantId } from '../../connector/core/types.js'
import { publicJwkOf } from '../../connector/crypto/jwk.js'
import { didDocument } from '../../connector/identity/did-web.js'
import { createOutgoing, type OutgoingFetch } from '../../connector/identity/outgoing.js'
import { createResolver, type ResolverOptions } from '../../connector/identity/resolve.js'
import { fakeDns, serve } from './https-server.js'

const partner = 'did:web:partner.test' as ParticipantId
const newJwk = () => publicJwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
const documentWith = (kid: string, publicJwk = newJwk()) =>
  didDocument({
    did: partner,
    keys: {
      auth: { kid: `${kid}-auth`, publicJwk },
      seal: { kid: `${kid}-seal`, publicJwk: newJwk() },
      retiredSeals: [],
    },
    dspBase: 'https://partner.test/dsp',
  })

let now: EpochMs
let document: unknown
let status: number
let fetched: string[]
const fetchDocument: OutgoingFetch = async ({ url }) => {
  fetched.push(url)
  if (document === undefined)
    return err({ code: 'PartnerUnreachable', message: 'partner.test refused the connection.' })
  const body = Buffer.from(typeof document === 'string' ? document : JSON.stringify(document))
  return ok({ status, headers: {}, body })
}
beforeEach(() => {
  now = Date.parse('2026-11-22T10:00:00Z') as EpochMs
  document = documentWith('2026-11-a')
  status = 200
  fetched = []
})
const pass = (ms: number) => {
  now = (now + ms) as EpochMs
}
const resolverWith = (options: Partial<ResolverOptions> = {}) =>
  createResolver({ fetch: fetchDocument, clock: () => now, ...options })

describe('a DID document', () => {
  it('is fetched once for many askers and again when it is ten minutes old', async () => {
    const resolver = resolverWith()
    await Promise.all([resolver.resolve(partner), resolver.resolve(partner), resolver.resolve(partner)])
    pass(599_999)
    await resolver.resolve(partner)
    expect(fetched).toEqual(['https://partner.test/.well-known/did.json'])
    pass(1)
    await resolver.resolve(partner)
    expect(fetched).toHaveLength(2)
  })

  it('that cannot be fetched is not asked for again at once', async () => {
    const resolver = resolverWith()
    document = undefined
    expect(await resolver.resolve(partner)).toMatchObject({
      ok: false,
      error: {
        code: 'IdentityUnresolvable',
        message:
          'The DID document https://partner.test/.well-known/did.json could not be fetched. partner.test refused the connection.',
      },
    })
    await resolver.resolve(partner)
    expect(fetched).toHaveLength(1)
    document = documentWith('2026-11-a')
    pass(10_000)
    expect((await resolver.resolve(partner)).ok).toBe(true)
  })

  it('is not believed longer when the clock is set back', async () => {
    const resolver = resolverWith()
    await resolver.resolve(partner)
    pass(-3_600_000)
    await resolver.resolve(partner)
    expect(fetched).toHaveLength(2)
  })

  it('is fetched again after it was forgotten', async () => {
    const resolver = resolverWith()
    await resolver.resolve(partner)
    resolver.forget(partner)
    await resolver.resolve(partner)
    expect(fetched).toHaveLength(2)
  })

  it('is kept for a bounded number of partners', async () => {
    const resolver = resolverWith({ maxEntries: 2 })
    document = undefined
    for (const name of ['a', 'b', 'c', 'c', 'b', 'a'])
      await resolver.resolve(`did:web:${name}.test` as ParticipantId)
    expect(fetched.map((url) => url.charAt(8))).toEqual(['a', 'b', 'c', 'a'])
  })

  it.each([
    [
      'is somebody else',
      () => ({ ...documentWith('a'), id: 'did:web:other.test' }),
      'it says it belongs to "did:web:other.test".',
    ],
    ['has no id', () => ({}), 'it says it belongs to "undefined".'],
    ['is a list', () => [], 'it is not a JSON object.'],
    ['is not JSON', () => '<html>', 'The body is not JSON'],
    ['has a key twice', () => `{"id":"${partner}","id":"${partner}"}`, 'The key "id" appears twice.'],
    [
      'names a key twice',
      () => {
        const { verificationMethod, ...rest } = documentWith('a')
        return { ...rest, verificationMethod: [verificationMethod, verificationMethod].flat() }
      },
      'the key did:web:partner.test#a-auth appears twice.',
    ],
    [
      'has thousands of keys',
      () => ({ id: partner, verificationMethod: Array.from({ length: 2_000 }, (_, i) => ({ id: `#${i}` })) }),
      'it has more than 64 keys.',
    ],
  ])('that %s is refused', async (_, make, why) => {
    document = make()
    const result = await resolverWith().resolve(partner)
    expect(result).toMatchObject({ ok: false, error: { code: 'IdentityUnresolvable' } })
    expect(result.ok ? '' : result.error.message).toContain(why)
  })

  it('is not looked for elsewhere when the answer is a redirect or an error', async () => {
    status = 302
    expect(await resolverWith().resolve(partner)).toMatchObject({
      error: { message: expect.stringContaining('the answer was 302; redirects are not followed.') },
    })
    status = 404
    expect(await resolverWith().resolve(partner)).toMatchObject({
      error: { message: expect.stringContaining('the answer was 404.') },
    })
  })

  it('gives the services of the partner', async () => {
    const result = await resolverWith().resolve(partner)
    expect(
      result.ok && result.value.services.map(({ type, serviceEndpoint }) => [type, serviceEndpoint]),
    ).toEqual([
      ['CatalogService', 'https://partner.test/dsp/catalog'],
      ['DataService', 'https://partner.test/.well-known/dspace-version'],
    ])
  })
})

describe('a key', () => {
  const auth = `${partner}#2026-11-a-auth`
  const seal = `${partner}#2026-11-a-seal`

  it('is given for its own purpose only', async () => {
    const resolver = resolverWith()
    expect(await resolver.keyFor(partner, auth, 'authentication')).toMatchObject({
      ok: true,
      value: { kid: auth },
    })
    expect((await resolver.keyFor(partner, seal, 'assertionMethod')).ok).toBe(true)
    expect(await resolver.keyFor(partner, seal, 'authentication')).toMatchObject({
      error: {
        message: `The key ${seal} cannot be used. The DID document does not list it under "authentication".`,
      },
    })
    expect((await resolver.keyFor(partner, auth, 'assertionMethod')).ok).toBe(false)
  })

  it('that is new has the document fetched again at once, and then not more often than every ten seconds', async () => {
    const resolver = resolverWith()
    await resolver.resolve(partner)
    document = documentWith('2026-11-b')
    pass(10_000)
    expect((await resolver.keyFor(partner, `${partner}#2026-11-b-auth`, 'authentication')).ok).toBe(true)
    expect(fetched).toHaveLength(2)
    for (let i = 0; i < 50; i++) {
      const unknown = await resolver.keyFor(partner, `${partner}#made-up-${i}`, 'authentication')
      expect(unknown).toMatchObject({
        error: { message: expect.stringContaining('is not in the DID document') },
      })
    }
    expect(fetched).toHaveLength(2)
    pass(10_000)
    await resolver.keyFor(partner, `${partner}#made-up`, 'authentication')
    expect(fetched).toHaveLength(3)
  })

  it('that was replaced under the same name is found after a signature did not verify', async () => {
    const resolver = resolverWith()
    const old = await resolver.keyFor(partner, auth, 'authentication')
    if (!old.ok) throw new Error(old.error.message)
    pass(10_000)
    expect(await resolver.replacementFor(old.value, partner, 'authentication')).toBeUndefined()
    const replaced = newJwk()
    document = documentWith('2026-11-a', replaced)
    expect(await resolver.replacementFor(old.value, partner, 'authentication')).toBeUndefined()
    pass(10_000)
    expect(await resolver.replacementFor(old.value, partner, 'authentication')).toMatchObject({
      jwk: replaced,
    })
  })

  it('may be written relative to the document or inside its purpose', async () => {
    const publicKeyJwk = newJwk()
    document = {
      id: partner,
      verificationMethod: [{ id: '#1', type: 'JsonWebKey2020', controller: partner, publicKeyJwk }],
      authentication: [
        '#1',
        { id: `${partner}#2`, type: 'JsonWebKey', controller: partner, publicKeyJwk: newJwk() },
      ],
    }
    const resolver = resolverWith()
    expect(await resolver.keyFor(partner, `${partner}#1`, 'authentication')).toMatchObject({
      value: { jwk: publicKeyJwk },
    })
    expect((await resolver.keyFor(partner, `${partner}#2`, 'authentication')).ok).toBe(true)
  })

  it('that is no ES256 key or is controlled by somebody else is not used', async () => {
    const rsa = { kty: 'RSA', n: 'AQAB', e: 'AQAB' }
    document = {
      id: partner,
      verificationMethod: [
        { id: '#rsa', controller: partner, publicKeyJwk: rsa },
        { id: '#theirs', controller: 'did:web:other.test', publicKeyJwk: newJwk() },
        { id: 'did:web:other.test#1', controller: partner, publicKeyJwk: newJwk() },
      ],
      authentication: ['#rsa', '#theirs', 'did:web:other.test#1'],
    }
    const resolver = resolverWith()
    expect(await resolver.keyFor(partner, `${partner}#rsa`, 'authentication')).toMatchObject({
      error: { message: expect.stringContaining('only ES256 keys (EC, P-256) are accepted') },
    })
    expect((await resolver.keyFor(partner, `${partner}#theirs`, 'authentication')).ok).toBe(false)
    expect((await resolver.keyFor(partner, 'did:web:other.test#1', 'authentication')).ok).toBe(false)
  })
})

describe('a real DID server', () => {
  it('is asked over HTTPS, in bounded time and size', async () => {
    const ca = await createDevelopmentCa()
    const certificate = await issueServerCertificate(ca, { dnsNames: ['partner.test'] })
    let mode: 'good' | 'slow' | 'large' = 'good'
    let port = 0
    await using server = await serve((_, res) => {
      if (mode === 'slow') return
      const own = `did:web:partner.test%3A${port}`
      const body = JSON.stringify(documentWith('2026-11-a')).replaceAll(partner, own)
      res.end(mode === 'large' ? body + ' '.repeat(64 * 1024) : body)
    }, certificate)
    port = server.port
    const did = `did:web:partner.test%3A${port}` as ParticipantId
    await using outgoing = createOutgoing({
      allowPrivate: true,
      ca: [ca.cert],
      lookup: fakeDns({ 'partner.test': ['127.0.0.1'] }),
    })
    const resolve = () =>
      createResolver({ fetch: outgoing.fetch, clock: () => now, timeoutMs: 200 }).resolve(did)
    expect(await resolve()).toMatchObject({ ok: true, value: { id: did } })
    mode = 'slow'
    expect(await resolve()).toMatchObject({
      error: {
        code: 'IdentityUnresolvable',
        message: expect.stringContaining('did not answer within 0.2 s'),
      },
    })
    mode = 'large'
    expect(await resolve()).toMatchObject({
      error: { code: 'IdentityUnresolvable', message: expect.stringContaining('larger than 65536 bytes') },
    })
  })
})
