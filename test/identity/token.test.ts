import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, importJWK, jwtVerify, SignJWT } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { ok } from '../../connector/core/result.js'
import type { EpochMs, JsonObject, ParticipantId } from '../../connector/core/types.js'
import { publicJwkOf } from '../../connector/crypto/jwk.js'
import { signCompact } from '../../connector/crypto/jws.js'
import type { SigningKey } from '../../connector/crypto/keys.js'
import { didDocument } from '../../connector/identity/did-web.js'
import { createReplayGuard } from '../../connector/identity/replay.js'
import { createResolver } from '../../connector/identity/resolve.js'
import { createTokenIssuer, createTokenVerifier } from '../../connector/identity/token.js'

const own = 'did:web:provider.test' as ParticipantId
const partner = 'did:web:consumer.test' as ParticipantId

const signingKey = (kid: string): SigningKey => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { kid, privateKey, publicJwk: publicJwkOf(privateKey) }
}
const authKey = signingKey('2026-11-a-auth')
const sealKey = signingKey('2026-11-a-seal')

let here: EpochMs
let published: { auth: SigningKey; seal: SigningKey }
let fetches: number
let verifier: ReturnType<typeof createTokenVerifier>
beforeEach(() => {
  here = Date.parse('2026-11-22T10:00:00Z') as EpochMs
  published = { auth: authKey, seal: sealKey }
  fetches = 0
  const clock = () => here
  const resolver = createResolver({
    clock,
    fetch: async () => {
      fetches += 1
      const document = didDocument({
        did: partner,
        keys: { ...published, retiredSeals: [] },
        dspBase: 'https://consumer.test/dsp',
      })
      return ok({ status: 200, headers: {}, body: Buffer.from(JSON.stringify(document)) })
    },
  })
  verifier = createTokenVerifier({
    ownDid: own,
    resolver,
    clock,
    replay: createReplayGuard({ clock }),
    isKnown: (did) => did === partner,
  })
})

const issueAt = (time: string, audience = own, key = authKey) =>
  createTokenIssuer({ did: partner, authKey: key, clock: () => Date.parse(time) as EpochMs }).tokenFor(
    audience,
  )
const seconds = (time: string) => Date.parse(time) / 1000
const goodClaims = (): JsonObject => ({
  iss: partner,
  sub: partner,
  aud: own,
  jti: crypto.randomUUID(),
  iat: seconds('2026-11-22T10:00:00Z'),
  exp: seconds('2026-11-22T10:02:00Z'),
})
const goodHeader = { alg: 'ES256', typ: 'JWT', kid: `${partner}#2026-11-a-auth` }
const token = (claims: JsonObject = {}, header: JsonObject = {}, key: KeyObject = authKey.privateKey) =>
  signCompact({ ...goodHeader, ...header }, { ...goodClaims(), ...claims }, key)
const verify = (jwt: string) => verifier.verify(`Bearer ${jwt}`)

describe('an identity token', () => {
  it('is made for one partner and lives two minutes', () => {
    const jwt = issueAt('2026-11-22T10:00:00.700Z')
    expect(decodeProtectedHeader(jwt)).toEqual({ alg: 'ES256', typ: 'JWT', kid: `${partner}#2026-11-a-auth` })
    expect(decodeJwt(jwt)).toEqual({
      iss: partner,
      sub: partner,
      aud: own,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      iat: seconds('2026-11-22T10:00:00Z'),
      exp: seconds('2026-11-22T10:02:00Z'),
    })
    expect(decodeJwt(issueAt('2026-11-22T10:00:00Z')).jti).not.toBe(decodeJwt(jwt).jti)
  })

  it('proves who sent it', async () => {
    expect(await verify(issueAt('2026-11-22T10:00:00Z'))).toEqual({
      ok: true,
      value: {
        profiles: [],
        sender: partner,
        kid: `${partner}#2026-11-a-auth`,
        jti: expect.any(String),
        expiresAt: Date.parse('2026-11-22T10:02:00Z'),
      },
    })
    expect((await verifier.verify(`bearer  ${token()}`)).ok).toBe(true)
    expect((await verify(token({ aud: [own] }))).ok).toBe(true)
  })

  it('is understood by another JOSE implementation, and the other way round', async () => {
    const key = await importJWK({ ...authKey.publicJwk }, 'ES256')
    const jwt = issueAt('2026-11-22T10:00:00Z')
    await expect(
      jwtVerify(jwt, key, { audience: own, issuer: partner, currentDate: new Date(here) }),
    ).resolves.toBeDefined()
    const { iat, exp, ...rest } = goodClaims()
    const theirs = await new SignJWT(rest)
      .setIssuedAt(Number(iat))
      .setExpirationTime(Number(exp))
      .setProtectedHeader(goodHeader)
      .sign(authKey.privateKey)
    expect((await verify(theirs)).ok).toBe(true)
  })
})

describe('a stranger gets no reason to be told and causes no work', () => {
  const refused = async (header: string | undefined) => {
    const result = await verifier.verify(header)
    expect(result, String(header)).toMatchObject({
      ok: false,
      error: { code: 'Unauthenticated', proven: false },
    })
    return result.ok ? '' : result.error.message
  }

  it('without a token that could be one', async () => {
    expect(await refused(undefined)).toBe('The Authorization header is missing.')
    expect(await refused('{"clientId":"x"}')).toBe(
      'The Authorization header must be "Bearer" and an identity token.',
    )
    expect(await refused('Basic dXNlcjpwYXNz')).toMatch(/must be "Bearer"/)
    expect(await refused(`Bearer ${token()} ${token()}`)).toMatch(/must be "Bearer"/)
    expect(await refused(`Bearer ${'a'.repeat(9_000)}`)).toBe('The Authorization header is too long.')
    for (const text of ['x', 'a.b', 'a.b.c.d', `${token()}=`, `e30.e30.${'A'.repeat(86)}`, 'W10.e30.AA']) {
      await refused(`Bearer ${text}`)
    }
    expect(fetches).toBe(0)
  })

  it('whom nobody has added as a partner', async () => {
    const jwt = token(
      { iss: 'did:web:stranger.test', sub: 'did:web:stranger.test' },
      { kid: 'did:web:stranger.test#1' },
    )
    expect(await refused(`Bearer ${jwt}`)).toBe('Your identity is not known here.')
    expect(fetches).toBe(0)
  })

  it('with an issuer, subject, key name or algorithm that cannot be right', async () => {
    expect(await refused(`Bearer ${token({ iss: 'did:web:127.0.0.1' })}`)).toMatch(/did:web as iss/)
    expect(await refused(`Bearer ${token({ iss: 'https://consumer.test' })}`)).toMatch(/did:web as iss/)
    expect(await refused(`Bearer ${token({ sub: 'did:web:other.test' })}`)).toMatch(/same iss and sub/)
    expect(await refused(`Bearer ${token({}, { kid: '2026-11-a-auth' })}`)).toMatch(/a key of its issuer/)
    expect(await refused(`Bearer ${token({}, { kid: 'did:web:other.test#1' })}`)).toMatch(
      /a key of its issuer/,
    )
    expect(await refused(`Bearer ${token({}, { alg: 'none' })}`)).toMatch(/ES256/)
    expect(await refused(`Bearer ${token({}, { alg: 'HS256' })}`)).toMatch(/ES256/)
    expect(await refused(`Bearer ${token({}, { crit: ['exp'] })}`)).toMatch(/critical/)
    expect(await refused(`Bearer ${token({}, { crit: ['b64'], b64: false })}`)).toMatch(/critical/)
    expect(fetches).toBe(0)
  })

  it('who names a partner but does not hold its key', async () => {
    const foreign = signingKey('2026-11-a-auth').privateKey
    expect(await refused(`Bearer ${token({}, {}, foreign)}`)).toBe(
      'The signature of the identity token does not verify.',
    )
    const [head, , signature] = token().split('.')
    const other = Buffer.from(JSON.stringify({ ...goodClaims(), admin: true })).toString('base64url')
    expect(await refused(`Bearer ${head}.${other}.${signature}`)).toMatch(/does not verify/)
    const sealed = token({}, { kid: `${partner}#2026-11-a-seal` }, sealKey.privateKey)
    expect(await refused(`Bearer ${sealed}`)).toMatch(/does not list it under "authentication"/)
    expect(await refused(`Bearer ${token({}, { kid: `${partner}#made-up` })}`)).toMatch(
      /not in the DID document/,
    )
    expect(fetches).toBe(1)
  })

  it('whose wrong signature does not use up the jti of the right one', async () => {
    const foreign = signingKey('2026-11-a-auth').privateKey
    await refused(`Bearer ${token({ jti: 'same' }, {}, foreign)}`)
    expect((await verify(token({ jti: 'same' }))).ok).toBe(true)
  })
})

describe('a partner that has proven itself is told', () => {
  const told = async (jwt: string) => {
    const result = await verify(jwt)
    expect(result).toMatchObject({ ok: false, error: { proven: true, sender: partner } })
    return result.ok ? '' : `${result.error.code}: ${result.error.message}`
  }

  it('that its token is for somebody else', async () => {
    expect(await told(issueAt('2026-11-22T10:00:00Z', 'did:web:third.test' as ParticipantId))).toBe(
      'TokenAudience: Your identity token is for did:web:third.test; this is did:web:provider.test. Check the DID you have noted for this partner.',
    )
    expect(await told(token({ aud: [own, 'did:web:third.test'] }))).toMatch(/^TokenAudience/)
    expect(await told(token({ aud: [] }))).toMatch(/^TokenAudience/)
  })

  it('that its clock is ten minutes ahead', async () => {
    expect(await told(issueAt('2026-11-22T10:10:00Z'))).toBe(
      'TokenExpired: Your identity token is valid from 10:10:00Z to 10:12:00Z, but the time here is 10:00:00Z: the two clocks are 10 minutes apart. Set the clock (NTP) and send again.',
    )
  })

  it('that its clock is ten minutes behind', async () => {
    expect(await told(issueAt('2026-11-22T09:50:00Z'))).toBe(
      'TokenExpired: Your identity token is valid from 09:50:00Z to 09:52:00Z, but the time here is 10:00:00Z: the two clocks are 10 minutes apart. Set the clock (NTP) and send again.',
    )
  })

  it('the date as well when the clocks are on different days', async () => {
    expect(await told(issueAt('2026-11-20T10:00:00Z'))).toBe(
      'TokenExpired: Your identity token is valid from 2026-11-20T10:00:00Z to 2026-11-20T10:02:00Z, but the time here is 2026-11-22T10:00:00Z: the two clocks are 2 days apart. Set the clock (NTP) and send again.',
    )
  })

  it('nothing as long as the clocks differ by less than a minute', async () => {
    expect((await verify(issueAt('2026-11-22T10:01:00Z'))).ok).toBe(true)
    expect(await told(issueAt('2026-11-22T10:01:01Z'))).toMatch(/^TokenExpired/)
    // Two minutes of life and one of tolerance: valid until 10:00:00, exclusive.
    expect(await told(issueAt('2026-11-22T09:57:00Z'))).toMatch(/^TokenExpired/)
    expect((await verify(issueAt('2026-11-22T09:57:01Z'))).ok).toBe(true)
  })

  it('that its token lives too long or has no proper times', async () => {
    expect(await told(token({ exp: seconds('2026-11-22T11:00:00Z') }))).toBe(
      'TokenExpired: Your identity token is valid for 60 minutes; at most 5 minutes are accepted.',
    )
    expect((await verify(token({ exp: seconds('2026-11-22T10:05:00Z') }))).ok).toBe(true)
    expect(await told(token({ exp: seconds('2026-11-22T09:59:00Z') }))).toMatch(
      /expires before it was issued/,
    )
    for (const wrong of [{ exp: '1' }, { iat: null }, { iat: 1e300, exp: 1e300 }, { nbf: 'now' }]) {
      expect(await told(token(wrong))).toMatch(/^TokenExpired: .*needs iat and exp as numbers/)
    }
    expect(await told(token({ nbf: seconds('2026-11-22T10:02:00Z') }))).toMatch(/^TokenExpired/)
  })

  it('that it has used the token before, as long as the token is valid', async () => {
    const jwt = issueAt('2026-11-22T10:00:00Z')
    expect((await verify(jwt)).ok).toBe(true)
    const sentence =
      'TokenReplayed: Your identity token has been used before. Make a new one for each request, with its own jti.'
    expect(await told(jwt)).toBe(sentence)
    here = Date.parse('2026-11-22T10:02:59Z') as EpochMs
    expect(await told(jwt)).toBe(sentence)
    here = Date.parse('2026-11-22T10:03:00Z') as EpochMs
    expect(await told(jwt)).toMatch(/^TokenExpired/)
  })

  it('that its token needs a jti', async () => {
    for (const jti of ['', 7, 'x'.repeat(129)]) expect(await told(token({ jti }))).toMatch(/needs a jti/)
  })
})

describe('a partner with a new key', () => {
  it('is believed at once under a new name', async () => {
    await verify(token())
    published = { ...published, auth: signingKey('2026-12-a-auth') }
    here = (here + 10_000) as EpochMs
    expect((await verify(issueAt('2026-11-22T10:00:10Z', own, published.auth))).ok).toBe(true)
    expect(fetches).toBe(2)
  })

  it('is believed under the old name, too, and the old key no longer', async () => {
    await verify(token())
    published = { ...published, auth: signingKey('2026-11-a-auth') }
    here = (here + 10_000) as EpochMs
    expect((await verify(issueAt('2026-11-22T10:00:10Z', own, published.auth))).ok).toBe(true)
    expect(await verify(token())).toMatchObject({ ok: false, error: { proven: false } })
    expect(fetches).toBe(2)
  })

  it('hands on which policy profiles the sender says its connector carries out', async () => {
    const issuer = (profiles?: readonly string[]) =>
      createTokenIssuer({
        did: partner,
        authKey,
        clock: () => here,
        ...(profiles === undefined ? {} : { profiles }),
      })
    const profile = 'https://w3id.org/machine-data-policy/v1'
    const token = issuer([profile]).tokenFor(own)
    expect(decodeJwt(token)['https://w3id.org/machine-data-policy/v1#profiles']).toEqual([profile])
    expect(await verifier.verify(`Bearer ${token}`)).toMatchObject({
      ok: true,
      value: { profiles: [profile] },
    })
    const silent = issuer().tokenFor(own)
    expect(Object.keys(decodeJwt(silent))).toEqual(['iss', 'sub', 'aud', 'jti', 'iat', 'exp'])
    expect(await verifier.verify(`Bearer ${silent}`)).toMatchObject({ ok: true, value: { profiles: [] } })
  })
})
