/** The operator's facts: what is confirmed about partners and events. They are recorded and ended, never edited. */
import { ok, problem, type Result } from '../core/result.js'
import { type Clock, type EpochMs, iso, type JsonObject, type Text } from '../core/types.js'
import { type Evidence, type Fact, inForce } from '../domain/fact.js'
import { conditionWords } from '../policy/condition-words.js'
import { parseTimestamp } from '../policy/instant.js'
import { shortName } from '../policy/model.js'
import type { Operand } from '../policy/operands/operand.js'
import { leftOperandIri, OPERANDS, operandOf } from '../policy/registry.js'
import type { Store } from '../store/store.js'
import { compact } from './operator-view.js'
import { unknownPartner } from './partners.js'
import type { NewPid } from './ports.js'
import { checkedRequest, signRequest, type UserRequest, type UserRequestDeps } from './user-requests.js'

export type NewFact = {
  readonly partner?: string
  readonly dataset?: string
  readonly machine?: string
  /** Short name or IRI of a left operand. */
  readonly condition: string
  readonly value: string
  readonly not?: boolean
  readonly from?: string
  readonly until?: string
  readonly note?: string
  /** A document that the operator keeps. */
  readonly document?: { readonly sha256: string; readonly name?: string }
  /** A request that the user of the machine signed. */
  readonly signed?: string
}

export type FactView = {
  readonly id: string
  readonly partner?: string
  readonly partnerName?: string
  readonly dataset?: string
  readonly machine?: string
  readonly condition: string
  readonly value: string
  readonly not?: true
  readonly text: Text
  readonly from: string
  readonly until?: string
  readonly status: 'in-force' | 'not-yet' | 'run-out' | 'ended'
  readonly note?: string
  readonly evidence?: Evidence
  readonly by: string
  readonly at: string
  readonly ended?: { readonly at: string; readonly by: string; readonly reason: string }
}

export type FactDeps = UserRequestDeps & {
  readonly store: Store
  readonly clock: Clock
  readonly newPid: NewPid
}

/** Shown at once. */
const MOST = 1000

/** Short names of what can be confirmed. */
const CONFIRMABLE = OPERANDS.flatMap(({ confirmed, iri }) =>
  confirmed === undefined ? [] : [shortName(iri)],
).join(', ')

export function factOperations(deps: FactDeps) {
  const { store, clock } = deps

  return {
    list({ partner, all }: { readonly partner?: string; readonly all?: string }): {
      readonly facts: readonly FactView[]
    } {
      const found = store.facts({ limit: MOST, ended: all === 'true' })
      const now = clock()
      return {
        facts: found
          .filter(({ about }) => partner === undefined || about.partner === partner)
          .map((fact) => viewOf(store, fact, now)),
      }
    },

    show(id: string): Result<FactView> {
      const fact = store.fact(id)
      return fact === undefined
        ? problem('NotFound', {
            en: `There is no fact ${id}. See: handschlag fact list`,
            de: `Es gibt keine Bestätigung ${id}. Siehe: handschlag fact list`,
          })
        : ok(viewOf(store, fact, clock()))
    },

    async add(m: NewFact, by: string): Promise<Result<FactView>> {
      const request = m.signed === undefined ? ok(undefined) : await checkedRequest(deps, m.signed, m)
      if (!request.ok) return request
      const about = request.value?.about ?? {}
      const read = factFrom(deps, { ...m, ...about }, by)
      if (!read.ok) return read
      const { signed } = m
      const fact: Fact =
        request.value === undefined || signed === undefined
          ? read.value
          : {
              ...read.value,
              evidence: { kind: 'signed', signer: request.value.signer, statement: signed },
            }
      await store.addFact(fact, {
        subject: fact.id,
        at: fact.at,
        direction: 'own',
        event: 'fact recorded',
        detail: { by, ...detailOf(fact) },
      })
      return ok(viewOf(store, fact, clock()))
    },

    signRequest: (m: UserRequest) => signRequest(deps, m),

    async end(id: string, reason: string, by: string): Promise<Result<FactView>> {
      if (reason.trim() === '')
        return problem('InvalidInput', {
          en: 'The end of a fact needs a reason.',
          de: 'Das Ende einer Bestätigung braucht einen Grund.',
        })
      const at = clock()
      const ended = await store.endFact(
        id,
        { at, by, reason },
        { subject: id, at, direction: 'own', event: 'fact ended', detail: { by, reason } },
      )
      return ended.ok ? ok(viewOf(store, ended.value, at)) : ended
    },
  }
}

export type FactOperations = ReturnType<typeof factOperations>

function factFrom(deps: FactDeps, m: NewFact, by: string): Result<Fact> {
  const { store, clock } = deps
  const operand = operandOf(leftOperandIri(m.condition)) ?? operandOf(leftOperandIri(`mdp:${m.condition}`))
  if (operand?.confirmed === undefined) {
    return problem('InvalidInput', {
      en: `"${m.condition}" is nothing that can be confirmed. Known: ${CONFIRMABLE}.`,
      de: `„${m.condition}“ lässt sich nicht bestätigen. Bekannt: ${CONFIRMABLE}.`,
    })
  }
  const { confirmed, iri } = operand
  const name = shortName(iri)
  const wrong = operand.wrong({
    kind: 'atomic',
    leftOperand: iri,
    operator: 'eq',
    rightOperand: m.value,
    path: '',
  })
  if (wrong !== undefined) return problem('InvalidInput', wrong)
  const partner = m.partner === undefined ? undefined : store.partner(m.partner)
  if (m.partner !== undefined && partner === undefined) return unknownPartner(m.partner)
  if (confirmed.of === 'recipient' && partner === undefined) {
    return problem('InvalidInput', {
      en: `"${name}" is confirmed about a partner: name one.`,
      de: `„${name}“ wird über einen Partner bestätigt: Nennen Sie ihn.`,
    })
  }
  if (m.dataset !== undefined && store.dataset(m.dataset) === undefined) {
    return problem('NotFound', {
      en: `There is no dataset ${m.dataset}. See: handschlag dataset list`,
      de: `Es gibt keinen Datensatz ${m.dataset}. Siehe: handschlag dataset list`,
    })
  }
  if (m.machine !== undefined && !store.datasets().some(({ machineId }) => machineId === m.machine)) {
    return problem('NotFound', {
      en: `No dataset is about a machine ${m.machine}. See: handschlag dataset list`,
      de: `Kein Datensatz handelt von einer Maschine ${m.machine}. Siehe: handschlag dataset list`,
    })
  }
  const at = clock()
  const times = timesOf(m, at)
  if (!times.ok) return times
  const fact: Fact = {
    id: deps.newPid(),
    about: compact({ partner: partner?.did, dataset: m.dataset, machine: m.machine }),
    operand: iri,
    value: operand.normal(m.value),
    ...(m.not === true ? { not: true } : {}),
    ...times.value,
    ...(m.note === undefined || m.note.trim() === '' ? {} : { note: m.note }),
    ...(m.document === undefined ? {} : { evidence: { kind: 'document', ...m.document } }),
    by,
    at,
  }
  return contradicted(store, operand, fact) ?? ok(fact)
}

function timesOf(m: NewFact, at: EpochMs): Result<{ readonly from: EpochMs; readonly until?: EpochMs }> {
  const from = m.from === undefined ? at : parseTimestamp(m.from)
  const until = m.until === undefined ? undefined : parseTimestamp(m.until)
  if (from === undefined || (m.until !== undefined && until === undefined)) {
    return problem('InvalidInput', {
      en: 'Beginning and end are dates and times with an offset, such as 2027-12-31T23:00:00Z.',
      de: 'Beginn und Ende sind Zeitpunkte mit Zeitzone, etwa 2027-12-31T23:00:00Z.',
    })
  }
  if (until !== undefined && (until <= from || until <= at)) {
    return problem('InvalidInput', {
      en: 'The end lies before the beginning or in the past: that would confirm nothing.',
      de: 'Das Ende liegt vor dem Beginn oder in der Vergangenheit: Das würde nichts bestätigen.',
    })
  }
  return ok({ from, ...(until === undefined ? {} : { until }) })
}

/** What another fact says otherwise, or what was taken back for good. */
function contradicted(store: Store, { confirmed }: Operand, fact: Fact): Result<never> | undefined {
  const { about, operand, value } = fact
  if (
    confirmed?.lapse === 'end' &&
    store.factsOfValue(operand, value).some(({ ended }) => ended !== undefined)
  ) {
    return problem('Conflict', {
      en: 'This request was withdrawn, and stays so. A new request has an id of its own.',
      de: 'Dieses Verlangen wurde widerrufen, und dabei bleibt es. Ein neues Verlangen hat eine eigene Kennung.',
    })
  }
  const others = store
    .standingFacts(about.partner ?? '')
    .filter(
      (one) =>
        one.operand === operand &&
        one.about.partner === about.partner &&
        one.about.dataset === about.dataset &&
        one.about.machine === about.machine &&
        overlap(one, fact),
    )
  const other = others.find(
    (one) =>
      (one.value === value && one.not !== fact.not) ||
      (confirmed?.single === true && one.value !== value && one.not === undefined && fact.not === undefined),
  )
  return other === undefined
    ? undefined
    : problem('Conflict', {
        en: `Another fact for the same time says otherwise: ${shortName(operand)}${other.not === true ? ' not' : ''} "${other.value}". End it first: handschlag fact end ${other.id}`,
        de: `Eine andere Bestätigung für dieselbe Zeit sagt etwas anderes: ${shortName(operand)}${other.not === true ? ' nicht' : ''} „${other.value}“. Beenden Sie zuerst diese: handschlag fact end ${other.id}`,
      })
}

const overlap = (a: Fact, b: Fact): boolean =>
  (a.until === undefined || b.from < a.until) && (b.until === undefined || a.from < b.until)

const detailOf = ({ about, operand, value, not, from, until }: Fact): JsonObject => ({
  ...about,
  condition: shortName(operand),
  value,
  ...(not === undefined ? {} : { not }),
  from: iso(from),
  ...(until === undefined ? {} : { until: iso(until) }),
})

function statusOf(fact: Fact, now: EpochMs): FactView['status'] {
  if (fact.ended !== undefined) return 'ended'
  if (inForce(fact, now)) return 'in-force'
  return now < fact.from ? 'not-yet' : 'run-out'
}

function viewOf(store: Store, fact: Fact, now: EpochMs): FactView {
  const { id, about, operand, value, not, from, until, note, evidence, by, at, ended } = fact
  const known = operandOf(operand)
  const name = shortName(operand)
  const text =
    known === undefined
      ? { en: `${name}: ${value}`, de: `${name}: ${value}` }
      : conditionWords(known, {
          kind: 'atomic',
          leftOperand: operand,
          operator: not === true ? 'isNoneOf' : 'isAllOf',
          rightOperand: value,
          path: '',
        })
  return compact({
    id,
    partner: about.partner,
    partnerName: about.partner === undefined ? undefined : store.partner(about.partner)?.name,
    dataset: about.dataset,
    machine: about.machine,
    condition: name,
    value,
    not,
    text,
    from: iso(from),
    until: until === undefined ? undefined : iso(until),
    status: statusOf(fact, now),
    note,
    evidence,
    by,
    at: iso(at),
    ended: ended === undefined ? undefined : { ...ended, at: iso(ended.at) },
  })
}
