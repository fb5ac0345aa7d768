/**
 * How a partner proves who it is, as the operator says it: a DID by default, a fixed token each way, or the mock identity of
 * a laboratory. Checks what was given; the secrets leave here only sealed or hashed.
 */
import { ok, problem, type Result } from '../core/result.js'
import type { ParticipantId } from '../core/types.js'
import { hashToken } from '../crypto/tokens.js'
import type { Access, Dialect, Partner, SealMode } from '../domain/partner.js'
import { checkBearerToken } from '../identity/bearer-token.js'

export type AccessInput = {
  /** A laboratory, whose identity nobody proves. */
  readonly lab?: boolean
  /** What we send to the partner; write-only. */
  readonly outgoingToken?: string
  /** What the partner sends to us; write-only. */
  readonly incomingToken?: string
  readonly ownId?: string
  readonly ownAddress?: string
}

/** How messages of this partner are taken and how ours to it are put. */
export type MannersInput = {
  readonly dialect?: 'dsp' | Dialect
  readonly dataToken?: 'as-given' | 'bearer'
  readonly emptyPolicies?: 'refuse' | 'accept'
}

export type AccessDeps = {
  readonly parseDid: (text: string) => Result<ParticipantId>
  readonly sealSecret: (plaintext: string, context: string) => string
}

/** Where the token for a partner is sealed to. */
export const tokenPlace = (id: string): string => `partner:${id}:token`

const OPAQUE_ID = /^[\x21-\x7e]{1,500}$/

/** The id of a partner: a did:web, or in a laboratory whatever it calls itself. */
export function readId(deps: AccessDeps, text: string, lab: boolean): Result<ParticipantId> {
  if (!lab) return deps.parseDid(text)
  return OPAQUE_ID.test(text)
    ? ok(text as ParticipantId)
    : problem('InvalidInput', {
        en: 'The id of a partner has 1 to 500 visible characters without spaces.',
        de: 'Die Kennung eines Partners hat 1 bis 500 sichtbare Zeichen ohne Leerzeichen.',
      })
}

/** `undefined` means a DID. */
export function readAccess(deps: AccessDeps, id: ParticipantId, m: AccessInput): Result<Access | undefined> {
  const { outgoingToken, incomingToken } = m
  const tokens = outgoingToken !== undefined || incomingToken !== undefined
  if (m.lab === true) {
    return tokens
      ? problem('InvalidInput', {
          en: 'A laboratory partner has no tokens: give either lab or the two tokens.',
          de: 'Ein Laborpartner hat keine Token: Geben Sie entweder lab oder die beiden Token an.',
        })
      : ok({ kind: 'lab' })
  }
  if (!tokens) return ok(undefined)
  if (outgoingToken === undefined || incomingToken === undefined) {
    return problem('InvalidInput', {
      en: 'Both tokens are needed: the one that we send to the partner and the one that it sends to us.',
      de: 'Es braucht beide Token: das, das wir dem Partner senden, und das, das er uns sendet.',
    })
  }
  return withTokens(deps, id, { outgoingToken, incomingToken })
}

function withTokens(
  deps: AccessDeps,
  id: ParticipantId,
  m: { readonly outgoingToken: string; readonly incomingToken: string },
): Result<Access> {
  const outgoing = checkBearerToken(m.outgoingToken, 'outgoing')
  if (!outgoing.ok) return outgoing
  const incoming = checkBearerToken(m.incomingToken, 'incoming')
  if (!incoming.ok) return incoming
  return m.outgoingToken === m.incomingToken
    ? problem('InvalidInput', {
        en: 'The two tokens must differ: with the same one each side could pass itself off as the other.',
        de: 'Die beiden Token müssen verschieden sein: Mit demselben könnte sich jede Seite für die andere ausgeben.',
      })
    : ok({
        kind: 'bearer',
        sealedToken: deps.sealSecret(m.outgoingToken, tokenPlace(id)),
        tokenHash: hashToken(m.incomingToken),
      })
}

/** Who and where we are for this partner, when that is not what everybody else sees. */
export function readOwn(
  m: AccessInput,
  access: Access | undefined,
): Result<{ readonly ownId?: ParticipantId; readonly ownAddress?: string }> {
  const { ownId, ownAddress } = m
  if (ownId !== undefined && access === undefined) {
    return problem('InvalidInput', {
      en: 'A partner with a DID knows you by your own DID. Another id is for laboratory partners and for partners with tokens.',
      de: 'Ein Partner mit DID kennt Sie unter Ihrer eigenen DID. Eine andere Kennung gibt es nur für Laborpartner und für Partner mit Token.',
    })
  }
  if (ownId !== undefined && !OPAQUE_ID.test(ownId)) {
    return problem('InvalidInput', {
      en: 'Your own id has 1 to 500 visible characters without spaces.',
      de: 'Ihre eigene Kennung hat 1 bis 500 sichtbare Zeichen ohne Leerzeichen.',
    })
  }
  const address = ownAddress === undefined ? ok(undefined) : originOf(ownAddress, access?.kind === 'lab')
  if (!address.ok) return address
  return ok({
    ...(ownId === undefined ? {} : { ownId: ownId as ParticipantId }),
    ...(address.value === undefined ? {} : { ownAddress: address.value }),
  })
}

function originOf(address: string, lab: boolean): Result<string> {
  const url = URL.canParse(address) ? new URL(address) : undefined
  const allowed = lab ? ['https:', 'http:'] : ['https:']
  return url !== undefined && allowed.includes(url.protocol) && url.href.replace(/\/$/, '') === url.origin
    ? ok(url.origin)
    : problem('InvalidInput', {
        en: `Your own address for this partner must be ${lab ? 'an http or https' : 'an https'} address without a path, such as https://connector.example.com`,
        de: `Ihre eigene Adresse für diesen Partner muss eine ${lab ? 'http- oder https' : 'https'}-Adresse ohne Pfad sein, etwa https://connector.example.com`,
      })
}

type Manners = Pick<Partner, 'dialect' | 'bearerForData' | 'takesEmptyPolicies'>

/** What is not said stays as it was. */
export function mannersOf({ dialect, dataToken, emptyPolicies }: MannersInput, before: Manners): Manners {
  const spoken = dialect === undefined ? before.dialect : dialect === 'dsp' ? undefined : dialect
  const bearer = dataToken === undefined ? before.bearerForData === true : dataToken === 'bearer'
  const empty = emptyPolicies === undefined ? before.takesEmptyPolicies === true : emptyPolicies === 'accept'
  return {
    ...(spoken === undefined ? {} : { dialect: spoken }),
    ...(bearer ? { bearerForData: true } : {}),
    ...(empty ? { takesEmptyPolicies: true } : {}),
  }
}

/** A laboratory's DSP base address is taken as it is given: it has no document that would lead there. */
export function labAddress(address: string): Result<string> {
  const url = URL.canParse(address) ? new URL(address) : undefined
  return url !== undefined &&
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.username === '' &&
    url.password === '' &&
    url.search === '' &&
    url.hash === ''
    ? ok(url.href.replace(/\/+$/, ''))
    : problem('InvalidInput', {
        en: 'The address of a laboratory partner is its whole DSP base address, such as http://edc.example.com:8282/protocol/2025-1',
        de: 'Die Adresse eines Laborpartners ist seine vollständige DSP-Basisadresse, etwa http://edc.example.com:8282/protocol/2025-1',
      })
}

/** Signatures need a published key. */
export const checkSeal = (
  deps: Pick<AccessDeps, 'parseDid'>,
  id: string,
  seal: SealMode | undefined,
): Result<void> =>
  seal === 'require' && !deps.parseDid(id).ok
    ? problem('InvalidInput', {
        en: `Signatures cannot be required of ${id}: it has no DID, so there is no key to check them with.`,
        de: `Von ${id} lassen sich keine Signaturen verlangen: Ohne DID gibt es keinen Schlüssel, mit dem sie zu prüfen wären.`,
      })
    : ok(undefined)
