/** One line of a batch of checks: a policy, or several that are meant to hold together, and what is wrong with them. */
import { ok, problem, type Result } from '../core/result.js'
import type { JsonObject, Lang } from '../core/types.js'
import { checkPolicy, unenforceable } from './analysis/check.js'
import { common } from './analysis/common.js'
import { answerLine } from './batch.js'
import { comparable } from './batch-compare.js'
import type { OdrlPolicy } from './odrl/policy.js'
import type { JsonMap } from './spelling.js'

type Options = { readonly lang: Lang; readonly profiles: readonly string[] }

/** `{id, policy}` or `{id, policies}` to `{id, verdict, overlap, satisfiable, clashes, blockedDuties, findings}`. */
export const checkLine = (line: string, options: Options): JsonObject =>
  answerLine(line, (parts) => checkOne(parts, options))

function checkOne(line: JsonMap, { lang, profiles }: Options): Result<JsonObject> {
  const written = line.policy === undefined ? line.policies : [line.policy]
  if (!Array.isArray(written) || written.length === 0) {
    return problem('InvalidMessage', {
      en: 'The line needs "policy", or a list "policies".',
      de: 'Die Zeile braucht „policy“ oder eine Liste „policies“.',
    })
  }
  const read: OdrlPolicy[] = []
  for (const [index, json] of written.entries()) {
    const policy = comparable(json, line.policy === undefined ? `${index}:` : '', { profiles })
    if (!policy.ok) return policy
    read.push(policy.value)
  }
  const findings = [
    ...read.flatMap((policy) => checkPolicy(policy)),
    ...(line.policy === undefined ? [] : unenforceable(line.policy)),
  ]
  return ok({
    ...common(read),
    findings: findings.map((finding) => ({ ...finding, text: finding.text[lang] })),
  } as JsonObject)
}
