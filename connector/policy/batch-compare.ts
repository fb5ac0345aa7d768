/**
 * One line of a comparison: two policies, rules or bare conditions in any form of JSON-LD, or a list of policies that are
 * meant to hold together.
 */
import { canonicalize } from '../core/canonical.js'
import { ok, problem, type Result } from '../core/result.js'
import type { JsonObject } from '../core/types.js'
import { common } from './analysis/common.js'
import { comparePolicies, type PolicyComparison } from './analysis/compare-policies.js'
import { answerLine } from './batch.js'
import { readDocument } from './odrl/json-ld.js'
import type { OdrlPolicy } from './odrl/policy.js'
import { readPolicy } from './odrl/read.js'
import { isMap, type JsonMap } from './spelling.js'

export type CompareOptions = { readonly profiles: readonly string[] }

/** `{id, a, b}` to the relation as a whole and per clause; `{id, policies}` to whether all allow something in common. */
export const compareLine = (text: string, options: CompareOptions): JsonObject =>
  answerLine(text, (line) => compareOne(line, options))

function compareOne(line: JsonMap, options: CompareOptions): Result<JsonObject> {
  if (Array.isArray(line.policies)) return togetherOf(line.policies, options)
  const found = comparison(line, options)
  return found.ok ? ok({ ...found.value } as JsonObject) : found
}

/** The comparison of two documents, for people and for batches alike. */
export function comparison(line: JsonMap, options: CompareOptions): Result<PolicyComparison> {
  if (line.a === undefined || line.b === undefined) {
    return problem('InvalidMessage', {
      en: 'The line needs "a" and "b", or "policies".',
      de: 'Die Zeile braucht „a“ und „b“ oder „policies“.',
    })
  }
  const a = comparable(line.a, 'a:', options)
  if (!a.ok) return a
  const b = comparable(line.b, 'b:', options)
  if (!b.ok) return b
  const found = comparePolicies(a.value, b.value)
  // Whatever it means that is not understood, the same text means the same.
  const isSameText = canonicalize(line.a) === canonicalize(line.b)
  return ok(isSameText ? { ...found, relation: 'equal', aWithinB: 'yes', bWithinA: 'yes' } : found)
}

function togetherOf(policies: readonly unknown[], options: CompareOptions): Result<JsonObject> {
  const read: OdrlPolicy[] = []
  for (const [index, json] of policies.entries()) {
    const policy = comparable(json, `${index}:`, options)
    if (!policy.ok) return policy
    read.push(policy.value)
  }
  return ok({ ...common(read) } as JsonObject)
}

const CONNECTIVES = ['and', 'or', 'xone', 'andSequence']

/** A rule or a bare condition stands for a policy that consists of it. */
export function comparable(json: unknown, prefix: string, { profiles }: CompareOptions): Result<OdrlPolicy> {
  return readPolicy(wrapped(json), profiles, prefix)
}

function wrapped(json: unknown): unknown {
  if (Array.isArray(json) && json.length > 0 && json.every(isCondition)) {
    return { permission: [{ action: 'use', constraint: json }] }
  }
  if (!isMap(json)) return json
  if (isCondition(json)) return { permission: [{ action: 'use', constraint: [json] }] }
  const [node] = readDocument(json).nodes
  const isPolicy =
    node === undefined || ['permission', 'prohibition', 'obligation'].some((name) => node.members.has(name))
  if (isPolicy || !(node.members.has('action') || node.members.has('constraint'))) return json
  const { '@context': context, ...rule } = json
  const kind = node.types.includes('Prohibition')
    ? 'prohibition'
    : node.types.includes('Duty')
      ? 'obligation'
      : 'permission'
  return { ...(context !== undefined && { '@context': context }), [kind]: [rule] }
}

function isCondition(json: unknown): boolean {
  const [node] = isMap(json) ? readDocument(json).nodes : []
  return (
    node !== undefined &&
    (node.members.has('leftOperand') || CONNECTIVES.some((name) => node.members.has(name)))
  )
}
