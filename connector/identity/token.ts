/**
 * Self-issued identity tokens: a JWT that a participant signs for one partner and one request. Issuing and verifying stand
 * side by side because they are one agreement; which partners are known and trusted is for others to say.
 */
import { err, ok, type Problem, type ProblemCode, type Result } from '../core/result.js'
import type { Clock, EpochMs, JsonObject, ParticipantId } from '../core/types.js'
import { orderedUuid } from '../core/uuid.js'
import { type CompactJws, parseCompact, parseObject, signCompact, verifyEs256 } from '../crypto/jws.js'
import type { SigningKey } from '../crypto/keys.js'
import {
  type Authenticated,
  type Authentication,
  type AuthenticationProblem,
  stranger,
} from './authentication.js'
import { keyId, parseDidWeb } from './did-web.js'
import type { ReplayGuard } from './replay.js'
import type { Resolver } from './resolve.js'
import { expiryProblem } from './token-time.js'

const LIFETIME = 120_000
const MAX_TOKEN_BYTES = 8 * 1024
const MAX_JTI = 128
/** RFC 7519, "Public Claim Names": a name that nobody else gives. A list of IRIs of policy profiles. */
const PROFILES = 'https://w3id.org/machine-data-policy/v1#profiles'
const MAX_PROFILES = 32

export type TokenIssuer = {
  /** A fresh token for one request to one partner, without `Bearer `. */
  tokenFor(audience: ParticipantId): string
}

export type TokenIssuerOptions = {
  readonly did: ParticipantId
  readonly authKey: SigningKey
  readonly clock: Clock
  /** Policy profiles whose duties this connector carries out. */
  readonly profiles?: readonly string[]
  /** A new token id; random, in order of time, when absent. */
  readonly newJti?: () => string
}

export function createTokenIssuer({
  did,
  authKey,
  clock,
  profiles = [],
  newJti = orderedUuid,
}: TokenIssuerOptions): TokenIssuer {
  const header = { alg: 'ES256', kid: keyId(did, authKey.kid), typ: 'JWT' }
  return {
    tokenFor(audience) {
      const now = clock()
      const iat = Math.floor(now / 1000)
      const claims = {
        iss: did,
        sub: did,
        aud: audience,
        jti: newJti(),
        iat,
        exp: iat + LIFETIME / 1000,
        ...(profiles.length === 0 ? {} : { [PROFILES]: profiles }),
      }
      return signCompact(header, claims, authKey.privateKey)
    },
  }
}

export type TokenAuthenticated = Authenticated & {
  /** DID URL of the key that signed. */
  readonly kid: string
  readonly jti: string
  readonly expiresAt: EpochMs
}

export type TokenVerifier = {
  /** `authorization` is the header as received, with `Bearer `. */
  verify(authorization: string | undefined): Promise<Result<TokenAuthenticated, AuthenticationProblem>>
}

export type TokenVerifierOptions = {
  readonly ownDid: ParticipantId
  readonly resolver: Pick<Resolver, 'keyFor' | 'replacementFor'>
  readonly clock: Clock
  readonly replay: ReplayGuard
  /** Asked before anything is fetched: a stranger causes no request of ours. */
  readonly isKnown: (did: ParticipantId) => boolean
  /** How far two clocks may differ. Default 60 s. */
  readonly maxSkewMs?: number
}

export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { ownDid, resolver, clock, replay, isKnown, maxSkewMs = 60_000 } = options
  return {
    async verify(authorization) {
      const read = readToken(authorization)
      if (!read.ok) return stranger(read.error)
      const { jws, claims, sender, kid } = read.value
      if (!isKnown(sender)) return stranger('Your identity is not known here.')

      const signed = await verifySignature(resolver, jws, sender, kid)
      if (!signed.ok) return stranger(signed.error)

      const proven = (code: ProblemCode, message: string) =>
        err({ code, message, proven: true, sender } satisfies AuthenticationProblem)
      if (!isFor(claims.aud, ownDid)) {
        return proven(
          'TokenAudience',
          `Your identity token is for ${shown(claims.aud)}; this is ${ownDid}. Check the DID you have noted for this partner.`,
        )
      }
      const late = expiryProblem(claims, clock(), maxSkewMs)
      if (late !== undefined) return proven('TokenExpired', late)
      const { jti, exp } = claims
      if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI) {
        return proven('Unauthenticated', `Your identity token needs a jti of 1 to ${MAX_JTI} characters.`)
      }
      const expiresAt = (Number(exp) * 1000) as EpochMs
      const use = replay.use(`${sender} ${jti}`, (expiresAt + maxSkewMs) as EpochMs)
      if (use === 'replayed') {
        return proven(
          'TokenReplayed',
          'Your identity token has been used before. Make a new one for each request, with its own jti.',
        )
      }
      if (use === 'full') {
        return proven(
          'Unauthenticated',
          'Too many identity tokens in a short time. Wait a minute and send again.',
        )
      }
      return ok({ sender, kid, jti, expiresAt, profiles: profilesIn(claims) })
    },
  }
}

/** What the sender says that its connector carries out; a claim of another shape says nothing. */
function profilesIn(claims: JsonObject): readonly string[] {
  const listed = claims[PROFILES]
  return Array.isArray(listed) && listed.length <= MAX_PROFILES
    ? listed.filter((one) => typeof one === 'string')
    : []
}

type ReadToken = {
  readonly jws: CompactJws
  readonly claims: JsonObject
  readonly sender: ParticipantId
  readonly kid: string
}

/** Everything that can be judged without a key; the error is a sentence. */
function readToken(authorization: string | undefined): Result<ReadToken, string> {
  if (authorization === undefined || authorization === '') return err('The Authorization header is missing.')
  if (authorization.length > MAX_TOKEN_BYTES) return err('The Authorization header is too long.')
  const [, token] = /^Bearer +([^\s]+)$/i.exec(authorization) ?? []
  if (token === undefined) return err('The Authorization header must be "Bearer" and an identity token.')
  const jws = parseCompact(token)
  if (!jws.ok) return err('The identity token is not a JWT.')
  const { header, payload } = jws.value
  if (header.alg !== 'ES256') return err('The identity token must be signed with ES256.')
  if (header.crit !== undefined || header.b64 !== undefined) {
    return err('The identity token has a critical header that is not understood.')
  }
  const claims = parseObject(payload)
  if (claims === undefined) return err('The identity token holds no JSON object.')
  const { iss, sub } = claims
  const sender = typeof iss === 'string' ? parseDidWeb(iss) : undefined
  if (sender?.ok !== true) return err('The identity token must have a did:web as iss.')
  if (sub !== iss) return err('The identity token must have the same iss and sub.')
  const { kid } = header
  if (typeof kid !== 'string' || !kid.startsWith(`${sender.value}#`)) {
    return err('The identity token must name a key of its issuer (kid).')
  }
  return ok({ jws: jws.value, claims, sender: sender.value, kid })
}

async function verifySignature(
  resolver: TokenVerifierOptions['resolver'],
  jws: CompactJws,
  sender: ParticipantId,
  kid: string,
): Promise<Result<void, Problem | string>> {
  const key = await resolver.keyFor(sender, kid, 'authentication')
  if (!key.ok) return err(key.error)
  const input = `${jws.protectedPart}.${jws.payloadPart}`
  if (verifyEs256(input, jws.signature, key.value.key)) return ok(undefined)
  const replaced = await resolver.replacementFor(key.value, sender, 'authentication')
  return replaced !== undefined && verifyEs256(input, jws.signature, replaced.key)
    ? ok(undefined)
    : err('The signature of the identity token does not verify.')
}

/** Tokens signed with the key of the sender's DID. Takes whatever no other kind has taken. */
export const didAuthentication = (verifier: TokenVerifier, issuer: TokenIssuer): Authentication => ({
  verify: (authorization) => verifier.verify(authorization),
  present: ({ id }) => ok(`Bearer ${issuer.tokenFor(id)}`),
})

/** RFC 7519, "aud": one string or a list; a token for several could be passed on by one of them. */
const isFor = (aud: unknown, own: ParticipantId): boolean =>
  aud === own || (Array.isArray(aud) && aud.length === 1 && aud[0] === own)

const shown = (value: unknown): string => String(value).slice(0, 200)
