/** Wires who we are and how we recognise others: keys, outgoing connections, DID documents, tokens, contract seals. */
import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { BlockList, isIP } from 'node:net'
import { join } from 'node:path'
import type { Config } from '../config/load.js'
import { ok, problem, type Result } from '../core/result.js'
import type { Clock, JsonObject, ParticipantId } from '../core/types.js'
import { sealAgreement, sealKid, verifySeal } from '../crypto/agreement-seal.js'
import { readStatement, type StatementType, signStatement } from '../crypto/duty-statement.js'
import { fingerprint } from '../crypto/jwk.js'
import { type KeyRing, loadKeys } from '../crypto/keys.js'
import { loadSecretBox, type SecretBox } from '../crypto/secret-box.js'
import { type AccessKind, accessKind, mayUsePlainHttp, ownIdFor } from '../domain/partner.js'
import type { Authorize } from '../dsp/client.js'
import { DUTY_PATH } from '../dsp/routes/duties.js'
import { type AuthenticationByKind, byKind } from '../identity/authentication.js'
import { bearerAuthentication } from '../identity/bearer-token.js'
import { DUTY_SERVICE, didDocument, keyId, parseDidWeb } from '../identity/did-web.js'
import { mockAuthentication } from '../identity/mock-identity.js'
import type { createOutgoing, Outgoing } from '../identity/outgoing.js'
import { createReplayGuard } from '../identity/replay.js'
import { createResolver, type Resolver } from '../identity/resolve.js'
import { createTokenIssuer, createTokenVerifier, didAuthentication } from '../identity/token.js'
import { PROFILE } from '../policy/model.js'
import { offerHash } from '../services/contract.js'
import type { StatementSeals } from '../services/duty-statements.js'
import { tokenPlace } from '../services/partner-access.js'
import type { Seals } from '../services/ports.js'
import type { Store } from '../store/store.js'

export type Identity = AsyncDisposable & {
  readonly keys: KeyRing
  readonly box: SecretBox
  readonly fingerprint: string
  readonly outgoing: Outgoing
  readonly resolver: Resolver
  readonly verify: AuthenticationByKind<AccessKind>['verify']
  readonly authorize: Authorize
  readonly seals: Seals
  readonly statementSeals: StatementSeals
  /** Signed requests of the users of machines. */
  readonly requestSeals: StatementSeals
  /** Where a partner takes statements about duties; undefined when it takes none. */
  readonly dutyAddressOf: (partner: ParticipantId) => Promise<Result<string | undefined>>
  readonly didDocument: () => JsonObject
  readonly partnerFingerprint: (did: ParticipantId) => Promise<Result<string>>
}

export type Secrets = { readonly keys: KeyRing; readonly box: SecretBox }

/**
 * Reads the keys before anything is opened: a data directory that is not one of ours stays as it is. Throws the system's
 * error when it is not there or not a folder.
 *
 * @returns the Problem of an unreadable key, with what to do
 */
export async function loadSecrets({ dataDir }: Config): Promise<Result<Secrets>> {
  if (!statSync(dataDir).isDirectory()) {
    throw Object.assign(new Error(`${dataDir} is not a folder`), { code: 'ENOTDIR', path: dataDir })
  }
  accessSync(dataDir, constants.W_OK | constants.X_OK)
  const keysDir = join(dataDir, 'keys')
  const keys = await loadKeys(keysDir)
  if (!keys.ok) return keys
  const box = await loadSecretBox(keysDir)
  return box.ok ? ok({ keys: keys.value, box: box.value }) : box
}

export function assembleIdentity(
  config: Config,
  { keys, box }: Secrets,
  deps: {
    readonly clock: Clock
    readonly store: Store
    readonly dspAddress: string
    readonly answerTimeoutMs?: number
    readonly createOutgoing: typeof createOutgoing
  },
): Identity {
  const { clock, store } = deps
  const did = config.participantId
  const outgoing = deps.createOutgoing({
    ...(deps.answerTimeoutMs === undefined ? {} : { timeoutMs: deps.answerTimeoutMs }),
    allowPrivate: privateAddresses(config.allowPrivateAddresses),
    ...(config.trustedCa === undefined ? {} : { ca: [readFileSync(config.trustedCa, 'utf8')] }),
  })
  const resolver = createResolver({ fetch: outgoing.fetch, clock })
  const replay = createReplayGuard({
    clock,
    onRemember: ({ jti, expiresAt }) => store.rememberToken(jti, expiresAt),
  })
  replay.load(store.rememberedTokens(clock()))
  const { auth, seal } = keys
  const sealKey = { kid: keyId(did, seal.kid), privateKey: seal.privateKey }

  const seals: Seals = {
    sign: async ({ offer, ...m }) =>
      sealAgreement({ ...m, offerHash: offerHash(offer), at: clock() }, sealKey),
    verify: async (jws, signer, { offer, ...m }) => {
      const kid = sealKid(jws)
      if (!kid.ok) return kid
      const subject = { ...m, offerHash: offerHash(offer) }
      // Our own seals are checked with our own keys, retired ones included: no request goes out for that.
      const own = [seal, ...keys.retiredSeals].find((key) => keyId(did, key.kid) === kid.value)
      if (signer === did && own !== undefined) return void0(verifySeal(jws, subject, own.publicJwk))
      if (!parseDidWeb(signer).ok) {
        return problem('SignatureInvalid', {
          en: `${signer} has no DID and with it no published key, so a signature of it cannot be checked.`,
          de: `${signer} hat keine DID und damit keinen veröffentlichten Schlüssel; eine Signatur von dort lässt sich nicht prüfen.`,
        })
      }
      const key = await resolver.keyFor(signer, kid.value, 'assertionMethod')
      return key.ok ? void0(verifySeal(jws, subject, key.value.key)) : key
    },
  }

  const statementsOf = (type: StatementType): StatementSeals => ({
    sign: (content) => signStatement(content, sealKey, type),
    read: (jws) => {
      const read = readStatement(jws, type)
      return read.ok ? ok(read.value.content) : read
    },
    verify: async (jws, signer) => {
      const read = readStatement(jws, type)
      if (!read.ok) return read
      const key = await resolver.keyFor(signer, read.value.kid, 'assertionMethod')
      if (!key.ok) return key
      return read.value.isBy(key.value.key)
        ? ok(undefined)
        : problem('SignatureInvalid', {
            en: `The statement was not signed with the key ${read.value.kid}.`,
            de: `Die Erklärung wurde nicht mit dem Schlüssel ${read.value.kid} signiert.`,
          })
    },
  })

  const verifier = createTokenVerifier({
    ownDid: did,
    resolver,
    clock,
    replay,
    isKnown: (sender) => {
      const partner = store.partner(sender)
      return partner?.trust === 'trusted' && accessKind(partner) === 'did'
    },
    maxSkewMs: config.maxClockSkewMs,
  })
  const authentication = byKind<AccessKind>(
    {
      lab: mockAuthentication,
      bearer: bearerAuthentication({
        byHash: (hash) => {
          const partner = store.partnerByToken(hash)
          return partner?.access?.kind === 'bearer'
            ? { id: partner.did, hash: partner.access.tokenHash }
            : undefined
        },
        tokenFor: (id) => {
          const access = store.partner(id)?.access
          return access?.kind === 'bearer'
            ? box.open(access.sealedToken, tokenPlace(id))
            : problem('NotTrusted', {
                en: `There is no token for ${id}.`,
                de: `Für ${id} gibt es kein Token.`,
              })
        },
      }),
      did: didAuthentication(verifier, createTokenIssuer({ did, authKey: auth, clock, profiles: [PROFILE] })),
    },
    (id) => {
      const partner = store.partner(id)
      return partner === undefined ? undefined : accessKind(partner)
    },
  )

  return {
    keys,
    box,
    // All published keys, so that it is what partners compute from the DID document.
    fingerprint: fingerprint(auth.publicJwk, seal.publicJwk, ...keys.retiredSeals.map((k) => k.publicJwk)),
    outgoing,
    resolver,
    verify: authentication.verify,
    authorize: (id, baseUrl) => {
      const partner = store.partner(id)
      const ownId = ownIdFor(partner, did)
      const authorization = authentication.present({ id: id as ParticipantId, ownId, baseUrl })
      return authorization.ok
        ? ok({ authorization: authorization.value, plainHttp: mayUsePlainHttp(partner) })
        : authorization
    },
    seals,
    statementSeals: statementsOf('duty-statement+jws'),
    requestSeals: statementsOf('user-request+jws'),
    dutyAddressOf: async (partner) => {
      const document = await resolver.resolve(partner)
      if (!document.ok) return document
      return ok(document.value.services.find(({ type }) => type === DUTY_SERVICE)?.serviceEndpoint)
    },
    didDocument: () =>
      didDocument({
        did,
        keys,
        dspBase: deps.dspAddress,
        versionUrl: `${config.publicUrl}/.well-known/dspace-version`,
        dutyUrl: deps.dspAddress + DUTY_PATH,
      }),
    partnerFingerprint: async (partner) => {
      resolver.forget(partner)
      const document = await resolver.resolve(partner)
      if (!document.ok) return document
      const [first, ...others] = [...document.value.keys.values()].map((key) => key.jwk)
      return first === undefined
        ? problem('IdentityUnresolvable', {
            en: `The DID document of ${partner} has no P-256 key that could be used.`,
            de: `Das DID-Dokument von ${partner} enthält keinen brauchbaren P-256-Schlüssel.`,
          })
        : ok(fingerprint(first, ...others))
    },
    [Symbol.asyncDispose]: () => outgoing[Symbol.asyncDispose](),
  }
}

const void0 = (result: Result<unknown>): Result<void> => (result.ok ? ok(undefined) : result)

/** Which hosts and networks may be called although they are not public. */
function privateAddresses(allowed: Config['allowPrivateAddresses']): boolean | ((host: string) => boolean) {
  if (typeof allowed === 'boolean') return allowed
  const networks = new BlockList()
  const names = new Set<string>()
  for (const entry of allowed) {
    const [address = '', prefix] = entry.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (isIP(address) === 0) names.add(entry.toLowerCase())
    else if (prefix === undefined) networks.addAddress(address, family)
    else networks.addSubnet(address, Number(prefix), family)
  }
  return (host) =>
    names.has(host.toLowerCase()) ||
    (isIP(host) !== 0 && networks.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4'))
}
