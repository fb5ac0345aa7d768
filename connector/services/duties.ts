/**
 * The ledger of duties: which there are under our contracts, how each stands now, and what came that they are about.
 * Consumer: what we owe. Provider: what the partner owes us. Facts are stored; how a duty stands is worked out from them.
 */
import { sha256Hex } from '../core/canonical.js'
import { problem, type Result } from '../core/result.js'
import type { Clock, EpochMs, Role } from '../core/types.js'
import { type Agreement, readableForm } from '../domain/agreement.js'
import {
  type Arrival,
  type Counted,
  type DutyState,
  graceOf,
  type Standing,
  type Statement,
  spanOf,
  standingOf,
} from '../domain/duty.js'
import type { Duration } from '../policy/duration.js'
import { type Demand, demandsOf } from '../policy/duties.js'
import { parsePolicy } from '../policy/parse.js'
import type { Store } from '../store/store.js'
import { planOf } from './contract.js'

export type LedgerDeps = { readonly store: Store; readonly clock: Clock }

export type Duty = {
  /** Short and always the same for the same duty of the same contract. */
  readonly id: string
  readonly agreement: Agreement
  readonly demand: Demand
}

export function dutiesUnder(agreement: Agreement): readonly Duty[] {
  const policy = parsePolicy(readableForm(agreement))
  if (!policy.ok) return []
  return demandsOf(policy.value).map((demand) => ({
    id: sha256Hex(`${agreement.role} ${agreement.partner} ${agreement.id} ${demand.path}`).slice(0, 16),
    agreement,
    demand,
  }))
}

/** A contract in the making owes nothing yet; one that has ended may owe still. */
export const allDuties = ({ store }: Pick<LedgerDeps, 'store'>): readonly Duty[] =>
  store.agreements().flatMap((agreement) => (agreement.status === 'pending' ? [] : dutiesUnder(agreement)))

export function findDuty(deps: Pick<LedgerDeps, 'store'>, id: string): Result<Duty> {
  const found = allDuties(deps).find((duty) => duty.id === id)
  return found === undefined
    ? problem('NotFound', {
        en: `There is no duty ${id}. See: handschlag duty list`,
        de: `Es gibt keine Pflicht ${id}. Siehe: handschlag duty list`,
      })
    : { ok: true, value: found }
}

/** The partner signs contracts as we do, so its connector may take our statements. */
export const signsAsWeDo = ({ role, providerSeal, consumerSeal }: Agreement): boolean =>
  (role === 'consumer' ? providerSeal : consumerSeal) !== undefined

/** When the contract stopped being one, or will; undefined while that is open. */
export function endOf(agreement: Agreement): EpochMs | undefined {
  if (agreement.status === 'revoked') return agreement.statusAt ?? agreement.agreedAt
  // Whatever was accepted as a promise: the contract is there, and so is its end.
  const plan = planOf({ ...agreement, tier: 3 })
  return plan.ok ? plan.value.notAfter : undefined
}

export const retentionOf = ({ demand }: Duty): Duration | undefined =>
  'limits' in demand ? demand.limits?.retention : undefined

/** Clocks of the two sides may differ by this much. */
export const SKEW_MS = 5 * 60_000

/** What the duty is about and is not settled yet, in the order in which it came. */
function outstandingOf(
  { store }: Pick<LedgerDeps, 'store'>,
  { agreement, demand }: Duty,
  latest: readonly Statement[],
): readonly Arrival[] {
  const { id, role } = agreement
  const said = latest.flatMap(({ kind, until }) =>
    (kind === 'deletion' || kind === 'done') && until !== undefined ? [until] : [],
  )
  const until = Math.max(...said) + (role === 'provider' ? SKEW_MS : 0)
  // What lies in our own files is gone when it is gone, whatever anybody says.
  const counts = ({ own, to }: Arrival): boolean => (own && demand.kind === 'delete') || to > until
  return store.arrivals(id, role).filter((arrival) => !arrival.gone && counts(arrival))
}

export type DutyAccount = Standing & {
  readonly outstanding: readonly Arrival[]
  readonly latest: readonly Statement[]
}

export function accountOf({ store, clock }: LedgerDeps, duty: Duty): DutyAccount {
  const { agreement, demand } = duty
  const latest = store.latestStatements(agreement.id, agreement.role, demand.path)
  const outstanding = outstandingOf({ store }, duty, latest)
  const endedAt = endOf(agreement)
  const settled = latest.findLast(({ kind }) => kind === 'done' || kind === 'deletion')
  const standing = standingOf(
    demand,
    {
      ...(outstanding.length === 0 ? {} : { outstanding: oldestOf(outstanding) }),
      ...(endedAt === undefined ? {} : { endedAt }),
      byItself:
        demand.kind === 'delete' &&
        (agreement.role === 'consumer' ? outstanding.every(({ own }) => own) : signsAsWeDo(agreement)),
      waived: latest.some(({ kind }) => kind === 'waiver'),
      ...(settled === undefined ? {} : { settledAt: settled.at }),
    },
    clock(),
    agreement.role === 'provider' ? graceOf(retentionOf(duty)) : 0,
  )
  return { ...standing, outstanding, latest }
}

export type DutyCounts = {
  readonly open: number
  readonly dueSoon: number
  readonly overdue: number
  readonly theirsOverdue: number
}

export function dutyCounts(deps: LedgerDeps): DutyCounts {
  const all = allDuties(deps).map((duty) => ({
    role: duty.agreement.role,
    state: accountOf(deps, duty).state,
  }))
  const count = (role: Role, state: DutyState): number =>
    all.filter((one) => one.role === role && one.state === state).length
  return {
    open: count('consumer', 'open'),
    dueSoon: count('consumer', 'due soon'),
    overdue: count('consumer', 'overdue'),
    theirsOverdue: count('provider', 'overdue'),
  }
}

const oldestOf = (arrivals: readonly Arrival[]): Pick<Arrival, 'from' | 'to'> =>
  arrivals.reduce((oldest, next) => (next.from < oldest.from ? next : oldest))

/** Until when everything that came is settled, if nothing else is outstanding than `left`; undefined for nothing. */
export function coveredUntil(all: readonly Arrival[], left: readonly Arrival[]): EpochMs | undefined {
  const oldest = Math.min(...left.map(({ from }) => from))
  const others = new Set(left.map(({ seq }) => seq))
  const settled = all.filter(({ seq, to }) => !others.has(seq) && to < oldest).map(({ to }) => to)
  return settled.length === 0 ? undefined : (Math.max(...settled) as EpochMs)
}

type Under = { readonly agreementId: string; readonly role: Role; readonly partner: string }

/** What belongs together, and whether each delivery is logged by itself. */
type Rule = { readonly spanMs: number; readonly each: boolean }

/** Whether anything that comes under a contract has to be noted, and what belongs together; kept for what is used. */
export function arrivalNotes({ store, clock }: LedgerDeps) {
  const rules = new Map<string, Rule | undefined>()
  const ruleUnder = (m: Under): Rule | undefined => {
    const key = `${m.role} ${m.partner} ${m.agreementId}`
    if (rules.has(key)) return rules.get(key)
    const agreement = store.agreement(m.agreementId, m)
    if (agreement === undefined) return undefined
    const duties = dutiesUnder(agreement)
    const spanMs = Math.min(...duties.map((duty) => spanOf(retentionOf(duty))))
    const each = duties.some(({ demand }) => demand.kind === 'log')
    const rule = duties.length === 0 ? undefined : { spanMs, each }
    if (rules.size >= 1000) rules.clear()
    rules.set(key, rule)
    return rule
  }
  return {
    /** Whether a duty of the contract is about what comes under it. */
    asksFor: (m: Under): boolean => ruleUnder(m) !== undefined,

    /** Resolves when it is noted durably; at once where no duty asks for it. */
    async note(
      m: Under & {
        readonly place: string
        readonly before?: Counted
        readonly after: Counted
        readonly own: boolean
      },
    ): Promise<void> {
      const { partner, ...rest } = m
      const rule = ruleUnder(m)
      if (rule !== undefined) await store.noteArrival({ ...rest, at: clock(), ...rule })
    },
  }
}
