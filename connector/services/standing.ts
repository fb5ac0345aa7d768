/**
 * Whether the conditions of a plan about the recipient, an event or the address of delivery are met, at every moment. For the
 * data plane, which asks before each delivery, and for those who decide about transfers.
 */
import { message, type Problem } from '../core/result.js'
import type { EpochMs, Text } from '../core/types.js'
import type { Facts } from '../policy/model.js'
import type { Confirmation } from '../policy/operands/operand.js'
import type { Condition, Plan } from '../policy/plan.js'
import { operandOf } from '../policy/registry.js'
import type { Store } from '../store/store.js'
import { factsFor, nextChange, type Use } from './confirmed.js'

/** A condition that is not met, and what becomes of a transfer under it. */
export type Unmet = {
  readonly problem: Problem
  readonly lapse: Confirmation['lapse']
  readonly condition: Condition
}

const NOT_KNOWN: Text = {
  en: 'The contract has a condition that this connector does not know.',
  de: 'Der Vertrag hat eine Bedingung, die dieser Connector nicht kennt.',
}

const SEVERITY: readonly Confirmation['lapse'][] = ['end', 'suspend', 'wait']

/** The gravest of the conditions that are not met. */
export function unmetCondition(
  { conditions = [] }: Pick<Plan, 'conditions'>,
  facts: Facts,
): Unmet | undefined {
  const unmet = conditions.flatMap((condition) => {
    const { leftOperand, operator, values } = condition
    const operand = operandOf(leftOperand)
    const outcome = operand?.evaluate(
      { kind: 'atomic', leftOperand, operator, rightOperand: values, path: '' },
      facts,
    )
    if (outcome?.verdict === 'true') return []
    const said = outcome?.text() ?? NOT_KNOWN
    const lapse = operand?.confirmed?.lapse ?? 'suspend'
    return [{ problem: { code: 'NotConfirmed', ...message(said) }, lapse, condition } as const]
  })
  return SEVERITY.flatMap((lapse) => unmet.find((one) => one.lapse === lapse) ?? [])[0]
}

const NO_TIME: Problem = {
  code: 'NotConfirmed',
  message: 'The clock of the provider does not tell the time.',
  messageDe: 'Die Uhr des Anbieters zeigt keine Zeit an.',
}

/** Answers are kept until a fact is recorded, ended, begins or runs out, or what it could be about is another one. */
export function createStandings(store: Store) {
  let version = 0
  store.onFacts(() => {
    version += 1
  })
  return (
    { endpoint, ...about }: Omit<Use, 'endpoint'> & { readonly endpoint: string | undefined },
    plan: Plan,
  ) => {
    const use: Use = { ...about, ...(endpoint === undefined ? {} : { endpoint }) }
    let kept:
      | {
          readonly version: number
          readonly host: string | undefined
          readonly machine: string | undefined
          readonly from: EpochMs
          readonly until: number
          readonly unmet: Unmet | undefined
        }
      | undefined
    const look = (now: EpochMs): Unmet | undefined => {
      const host = endpoint ?? store.partner(use.partner)?.address
      const machine = store.dataset(use.datasetId)?.machineId
      const holds =
        kept !== undefined &&
        kept.version === version &&
        kept.host === host &&
        kept.machine === machine &&
        now >= kept.from &&
        now < kept.until
      if (!holds) {
        const unmet = unmetCondition(plan, factsFor({ store, clock: () => now }, use))
        const until = nextChange(store, use, now) ?? Number.POSITIVE_INFINITY
        kept = { version, host, machine, from: now, until, unmet }
      }
      return kept?.unmet
    }
    return {
      judge(now: EpochMs): { readonly problem: Problem; readonly waits: boolean } | undefined {
        if (!Number.isFinite(now)) return { problem: NO_TIME, waits: false }
        const unmet = look(now)
        return unmet === undefined ? undefined : { problem: unmet.problem, waits: unmet.lapse === 'wait' }
      },
      nextChange: (now: EpochMs) => nextChange(store, use, now),
      onChange: (listener: () => void) => store.onFacts(listener),
    }
  }
}
