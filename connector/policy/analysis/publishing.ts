/** What stands against publishing a policy, and what its author should know when nothing does. */
import { ok, problem, type Result } from '../../core/result.js'
import type { Text } from '../../core/types.js'
import { readPolicy } from '../odrl/read.js'
import { text } from '../words.js'
import { checkPolicy, type Finding } from './check.js'

/** Terms that are not understood are refused elsewhere, by those who would have to enforce them. */
const ELSEWHERE: ReadonlySet<Finding['kind']> = new Set(['not understood', 'too large'])

/**
 * Warnings about an offer of ours; an error when it contradicts itself. No strategy can be told on the wire, and what an
 * offer of ours excepts of a wider use is not delivered, so that is no contradiction.
 */
export function beforePublishing(json: unknown): Result<readonly Text[]> {
  const policy = readPolicy(json)
  if (!policy.ok) return ok([])
  const found = checkPolicy(policy.value, { exceptions: true }).filter(({ kind }) => !ELSEWHERE.has(kind))
  const error = found.find(({ severity }) => severity === 'error')
  if (error !== undefined) {
    const said = placed(error)
    return problem('InvalidInput', {
      en: `The offer contradicts itself: ${said.en}`,
      de: `Das Angebot widerspricht sich: ${said.de}`,
    })
  }
  return ok(found.filter(({ severity }) => severity === 'warning').map(placed))
}

const placed = ({ path, text: said }: Finding): Text =>
  path === '' ? said : text(`${path}: ${said.en}`, `${path}: ${said.de}`)
