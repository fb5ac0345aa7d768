/**
 * Two contracts of one partner on one dataset must not tell more together than each of them alone: records sampled in two
 * ways are denser than in either, and values combined over two sets of records, subtracted, are values of few records.
 */
import { canonicalize } from '../core/canonical.js'
import { problem, type Result } from '../core/result.js'
import type { EpochMs, JsonObject } from '../core/types.js'
import type { Agreement } from '../domain/agreement.js'
import type { Dataset } from '../domain/dataset.js'
import { delivers, type Plan } from '../policy/plan.js'
import type { Store } from '../store/store.js'
import { planOf } from './contract.js'

/** Samples or combines: what is delivered hangs on which records there are beside. */
const thins = ({ samplingIntervalMs, aggregationWindowMs }: Plan): boolean =>
  samplingIntervalMs !== undefined || aggregationWindowMs !== undefined

/** Everything on which the choice of records depends. Equal choices give nothing that one of them would not. */
function choiceOf(plan: Plan, { signals }: Pick<Dataset, 'signals'>): string {
  const { rows = {}, samplingIntervalMs = 0, aggregationWindowMs = 0, minGroup } = plan
  const { machineId, ...others } = rows
  // Machines are sampled and combined by themselves, unless a group is made of them.
  const byMachine = minGroup === undefined && !signals.some(({ name }) => name === 'machineId')
  return canonicalize({
    rows: (byMachine ? others : rows) as JsonObject,
    samplingIntervalMs,
    aggregationWindowMs,
    grouped: minGroup !== undefined,
    // A record of which nothing would be left takes no place in a sample.
    ...(samplingIntervalMs > 0 && { fields: deliveredBy(plan, signals) }),
  })
}

const deliveredBy = (plan: Plan, signals: Dataset['signals']): readonly string[] =>
  signals.map(({ name }) => name).filter((name) => delivers(plan, name))

/**
 * `PolicyDenied` when an earlier contract of the partner is in force that could be played off against this one. One that has
 * ended does not count: otherwise terms could never be changed.
 */
export function playedOff(
  { store, now }: { readonly store: Pick<Store, 'agreementsOn' | 'dataset'>; readonly now: EpochMs },
  agreement: Agreement,
  plan: Plan,
): Result<never> | undefined {
  if (!thins(plan)) return undefined
  const dataset = store.dataset(agreement.datasetId)
  if (dataset === undefined) return undefined
  const choice = choiceOf(plan, dataset)
  const signals = deliveredBy(plan, dataset.signals)
  const other = store.agreementsOn(agreement.partner, agreement.datasetId).find((one) => {
    if (!isEarlier(one, agreement)) return false
    const earlier = planOf(one)
    if (!earlier.ok || !thins(earlier.value)) return false
    const { notAfter } = earlier.value
    if (notAfter !== undefined && notAfter <= now) return false
    const shared = deliveredBy(earlier.value, dataset.signals).some((name) => signals.includes(name))
    return shared && choiceOf(earlier.value, dataset) !== choice
  })
  return other === undefined ? undefined : problem('PolicyDenied', wordsFor(other.id))
}

/** Of two contracts made at once the one with the greater id gives way. */
const isEarlier = (one: Agreement, agreement: Agreement): boolean =>
  one.id !== agreement.id &&
  (one.agreedAt < agreement.agreedAt || (one.agreedAt === agreement.agreedAt && one.id < agreement.id))

const wordsFor = (id: string) => ({
  en: `The contract ${id} on the same data samples or combines records in another way, and the two together would tell more than either of them. The provider has to end that contract first.`,
  de: `Der Vertrag ${id} über dieselben Daten wählt oder verdichtet Einträge auf andere Weise, und beide zusammen würden mehr verraten als jeder für sich. Der Anbieter muss jenen Vertrag zuerst beenden.`,
})
