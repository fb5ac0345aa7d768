/** What is known of a use at an instant: who asks, what the operator has confirmed about it, and where the data would go. */
import type { Clock, EpochMs } from '../core/types.js'
import { type Fact, inForce } from '../domain/fact.js'
import type { Confirmed, Facts } from '../policy/model.js'
import type { Store } from '../store/store.js'

export type Use = {
  /** DID of the recipient. */
  readonly partner: string
  readonly datasetId: string
  /** Where it is to be pushed; the partner's own connector when absent. */
  readonly endpoint?: string
}

type Deps = { readonly store: Store; readonly clock: Clock }

export function factsFor(
  { store, clock }: Deps,
  { partner, datasetId, endpoint }: Use,
  at: EpochMs = clock(),
): Facts {
  const deliveredTo = hostOf(endpoint ?? store.partner(partner)?.address)
  return {
    at,
    recipient: partner,
    confirmed: standingAbout(store, partner, datasetId).flatMap((fact) =>
      inForce(fact, at) ? [statementOf(fact)] : [],
    ),
    ...(deliveredTo === undefined ? {} : { deliveredTo }),
  }
}

const hostOf = (url: string | undefined): string | undefined =>
  url !== undefined && URL.canParse(url) ? new URL(url).hostname : undefined

/** Facts that are about this recipient and dataset, whatever the time. */
function standingAbout(store: Store, partner: string, datasetId: string): readonly Fact[] {
  const facts = store.standingFacts(partner)
  if (facts.length === 0) return facts
  const machine = store.dataset(datasetId)?.machineId
  return facts.filter(
    ({ about }) =>
      (about.dataset === undefined || about.dataset === datasetId) &&
      (about.machine === undefined || about.machine === machine),
  )
}

const statementOf = ({ id, operand, value, not }: Fact): Confirmed => ({
  id,
  operand,
  value,
  ...(not === undefined ? {} : { not }),
})

/** Instants at which what is confirmed about this participant, or about none, begins or runs out. */
export const edgesOf = (store: Store, partner: string): readonly EpochMs[] =>
  store.standingFacts(partner).flatMap(({ from, until }) => (until === undefined ? [from] : [from, until]))

/** The first instant after `at` at which what is confirmed about this use is otherwise by itself. */
export function nextChange(store: Store, { partner, datasetId }: Use, at: EpochMs): EpochMs | undefined {
  const edges = standingAbout(store, partner, datasetId)
    .flatMap(({ from, until }) => (until === undefined ? [from] : [from, until]))
    .filter((edge) => edge > at)
  return edges.length === 0 ? undefined : (Math.min(...edges) as EpochMs)
}
