/**
 * Requests of the user of a machine that its data holder shares data with a third party (Data Act, Article 5): signed by the
 * user with the key of its DID, and checked by the holder before it records one as a fact.
 */
import { ok, problem, type Result } from '../core/result.js'
import { type Clock, iso, type JsonObject, type ParticipantId } from '../core/types.js'
import { accessKind } from '../domain/partner.js'
import type { Store } from '../store/store.js'
import type { StatementSeals } from './duty-statements.js'
import type { NewPid } from './ports.js'

/** As the user gives it; `id` is made when it is absent. */
export type UserRequest = {
  readonly holder: string
  readonly recipient: string
  readonly dataset?: string
  readonly id?: string
}

export type UserRequestDeps = {
  readonly store: Store
  readonly clock: Clock
  readonly newPid: NewPid
  readonly ownDid: ParticipantId
  readonly requestSeals: StatementSeals
}

const VERSION = '1'

export function signRequest(
  { requestSeals, ownDid, newPid, clock }: UserRequestDeps,
  { holder, recipient, dataset, id = newPid() }: UserRequest,
): Result<{ readonly id: string; readonly statement: string }> {
  const content: JsonObject = {
    version: VERSION,
    id,
    user: ownDid,
    holder,
    recipient,
    ...(dataset === undefined ? {} : { dataset }),
    at: iso(clock()),
  }
  return ok({ id, statement: requestSeals.sign(content) })
}

export type CheckedRequest = {
  readonly signer: ParticipantId
  /** What the user restricted it to. */
  readonly about: { readonly dataset?: string }
}

/** The request says what is to be recorded, is meant for us, and was signed by a partner that we trust. */
export async function checkedRequest(
  { store, ownDid, requestSeals }: UserRequestDeps,
  statement: string,
  m: {
    readonly condition: string
    readonly value: string
    readonly partner?: string
    readonly dataset?: string
  },
): Promise<Result<CheckedRequest>> {
  if (!/(?:^|[#:])userRequest$/.test(m.condition)) {
    return problem('InvalidInput', {
      en: 'Only the request of a user can be recorded as a signed one.',
      de: 'Nur das Verlangen eines Nutzers lässt sich als signiertes festhalten.',
    })
  }
  const read = requestSeals.read(statement)
  if (!read.ok) return read
  const { version, id, user, holder, recipient, dataset } = read.value
  const wanted: readonly (readonly [string, unknown, unknown])[] = [
    ['version', version, VERSION],
    ['id', id, m.value],
    ['holder', holder, ownDid],
    ['recipient', recipient, m.partner],
    ...(m.dataset === undefined || dataset === undefined ? [] : ([['dataset', dataset, m.dataset]] as const)),
  ]
  for (const [key, found, expected] of wanted) {
    if (found !== expected) {
      return problem('SignatureInvalid', {
        en: `The signed request says something else: ${key} is ${JSON.stringify(found ?? null)}, expected was ${JSON.stringify(expected ?? null)}.`,
        de: `Das signierte Verlangen sagt etwas anderes: ${key} ist ${JSON.stringify(found ?? null)}, erwartet war ${JSON.stringify(expected ?? null)}.`,
      })
    }
  }
  if (dataset !== undefined && typeof dataset !== 'string') {
    return problem('SignatureInvalid', {
      en: 'The signed request names its dataset in a way that cannot be read.',
      de: 'Das signierte Verlangen nennt seinen Datensatz auf eine Weise, die sich nicht lesen lässt.',
    })
  }
  const signer = typeof user === 'string' ? store.partner(user) : undefined
  if (signer?.trust !== 'trusted' || accessKind(signer) !== 'did') {
    return problem('NotTrusted', {
      en: `The request was signed by ${JSON.stringify(user ?? null)}, which is no partner that you trust and that has a DID. Record it with the document instead.`,
      de: `Das Verlangen wurde von ${JSON.stringify(user ?? null)} signiert; das ist kein Partner mit DID, dem Sie vertrauen. Halten Sie es stattdessen mit dem Dokument fest.`,
    })
  }
  const verified = await requestSeals.verify(statement, signer.did)
  if (!verified.ok) return verified
  return ok({ signer: signer.did, about: dataset === undefined ? {} : { dataset } })
}
