/**
 * Who can possibly be shown an offer, read from its policy alone. Names too many rather than too few: whoever is left
 * out here is never asked about again, whoever is named is still judged by the policy itself.
 */
import type { Constraint, Policy } from './model.js'
import { recipient } from './operands/recipient.js'
import { supportOf } from './registry.js'

/** Participants in normal form (NFC); undefined for anybody. */
export type Audience = readonly string[] | undefined

/** Any active permission lets a participant see an offer, so all of them count; prohibitions only take away. */
export const audienceOf = ({ permissions }: Policy): Audience =>
  anyOf(permissions.map((rule) => allOf(rule.constraints.map(admitted))))

/** Whom one condition lets pass at the catalog. What this reading does not know lets anybody pass. */
function admitted(constraint: Constraint): Audience {
  if (constraint.kind !== 'atomic') {
    const operands = constraint.operands.map(admitted)
    if (operands.length === 0) return undefined
    return constraint.kind === 'or' || constraint.kind === 'xone' ? anyOf(operands) : allOf(operands)
  }
  const support = supportOf(constraint)
  const isReadable =
    !('why' in support) &&
    support.operand === recipient &&
    support.rule.phases.includes('catalog') &&
    (constraint.operator === 'eq' || constraint.operator === 'isAnyOf') &&
    recipient.wrong(constraint) === undefined
  return isReadable ? recipient.contribute(constraint, undefined).recipients : undefined
}

const allOf = (audiences: readonly Audience[]): Audience =>
  audiences.reduce((all, one) => {
    if (all === undefined || one === undefined) return all ?? one
    return all.filter((participant) => one.includes(participant))
  }, undefined)

function anyOf(audiences: readonly Audience[]): Audience {
  const known = audiences.flatMap((audience) => (audience === undefined ? [] : [audience]))
  return known.length < audiences.length ? undefined : [...new Set(known.flat())]
}
