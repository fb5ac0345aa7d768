/**
 * Stage 0, gate: may this participant be given anything at this instant? Asked before a flow starts, for every
 * batch, and by a timer at the end of the allowed time.
 */
import type { Problem } from '../../core/result.js'
import { type EpochMs, iso } from '../../core/types.js'
import type { Plan } from '../../policy/plan.js'

/** The reason why nothing may be delivered now, or undefined when the gate is open. */
export type Gate = (now: EpochMs) => Problem | undefined

export function openGate(plan: Plan, recipient: string): Gate {
  const { notBefore, notAfter, recipients } = plan
  return (now) => {
    if (recipients !== undefined && !recipients.includes(recipient)) {
      return { code: 'PolicyDenied', message: 'The contract does not name you as a recipient of this data.' }
    }
    if (notBefore !== undefined && now < notBefore) {
      return {
        code: 'PolicyDenied',
        message: `The contract allows delivery from ${iso(notBefore)} on; now it is ${iso(now)}.`,
      }
    }
    // A clock that is not a number opens nothing: the comparison is written so that it fails closed.
    if (notAfter !== undefined && !(now < notAfter)) {
      return {
        code: 'PolicyDenied',
        message: `The contract allowed delivery until ${iso(notAfter)}; that time has passed.`,
      }
    }
    return undefined
  }
}
