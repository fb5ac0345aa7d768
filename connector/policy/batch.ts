/**
 * One line of a batch: JSON in, JSON out, in forms that other suites and languages can produce and read. A line that
 * cannot be judged answers with its error; nothing a line contains can stop the batch.
 */
import { ok, problem, type Result } from '../core/result.js'
import type { JsonObject, Lang } from '../core/types.js'
import { type DutyMode, decide, type OdrlDecision } from './odrl/decide.js'
import { readPolicy } from './odrl/read.js'
import { readRequests, readWorld } from './odrl/read-world.js'
import { complianceReport } from './odrl/report.js'
import { parseStrictJson } from './odrl/strict-json.js'
import { traceOf, verdictName } from './odrl/trace.js'
import { isMap, type JsonMap } from './spelling.js'

export type BatchOptions = {
  readonly lang: Lang
  /** Profiles that the caller knows besides the one of this program. */
  readonly profiles: readonly string[]
  readonly duties: DutyMode
  readonly report: boolean
}

/** The identifier of a line as it was given, so that answers can be matched. */
const idOf = (line: unknown): JsonObject => {
  const id = isMap(line) ? line.id : undefined
  return typeof id === 'string' || typeof id === 'number' ? { id } : { id: null }
}

/** Runs one line and turns every failure, even a bug met on the way, into an answer of its own. */
export function answerLine(text: string, answer: (line: JsonMap) => Result<JsonObject>): JsonObject {
  const parsed = parseStrictJson(text)
  if (!parsed.ok) return { id: null, error: { code: parsed.error.code, message: parsed.error.message } }
  const line = parsed.value
  if (!isMap(line))
    return {
      id: null,
      error: {
        code: 'InvalidMessage',
        message: 'The line is not a JSON object.',
        messageDe: 'Die Zeile ist kein JSON-Objekt.',
      },
    }
  try {
    const answered = answer(line)
    if (answered.ok) return { ...idOf(line), ...answered.value }
    return { ...idOf(line), error: { code: answered.error.code, message: answered.error.message } }
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause)
    return {
      ...idOf(line),
      error: { code: 'InternalError', message: `This line could not be judged: ${what}` },
    }
  }
}

/** `{id, policy, request, state}` to `{id, decision, rules, duties, trace}`. A line may choose its own mode of duties. */
export const evaluateLine = (text: string, options: BatchOptions): JsonObject =>
  answerLine(text, (line) => evaluateOne(line, options))

function evaluateOne(line: JsonMap, options: BatchOptions): Result<JsonObject> {
  const decisions = decisionsOf(line, options)
  if (!decisions.ok) return decisions
  const all = decisions.value
  const [first] = all
  if (first === undefined)
    return problem('InvalidMessage', {
      en: 'The request asks for no use.',
      de: 'Die Anfrage verlangt keine Nutzung.',
    })
  const allowed = all.every((decision) => decision.allowed)
  const telling = all.find((decision) => !decision.allowed) ?? first
  return ok({
    decision: allowed ? 'permit' : 'deny',
    why: telling.why,
    rules: all.flatMap(rulesOf),
    duties: dutiesOf(telling),
    trace: all.flatMap((decision) =>
      traceOf(decision).map(({ path, verdict, text }) => ({ path, verdict, text: text[options.lang] })),
    ),
    ...(options.report && { report: all.map((decision) => complianceReport(decision)) }),
  })
}

/** One decision for each use that the request asks for. */
export function decisionsOf(line: JsonMap, options: BatchOptions): Result<readonly OdrlDecision[]> {
  if (line.policy === undefined)
    return problem('InvalidMessage', { en: 'The line has no "policy".', de: 'Die Zeile hat kein „policy“.' })
  if (line.request === undefined)
    return problem('InvalidMessage', {
      en: 'The line has no "request".',
      de: 'Die Zeile hat kein „request“.',
    })
  const policy = readPolicy(line.policy, options.profiles)
  if (!policy.ok) return policy
  const world = readWorld(line.state ?? {})
  const mode = line.duties ?? options.duties
  if (mode !== 'before' && mode !== 'eventual') {
    return problem('InvalidMessage', {
      en: '"duties" is "before" or "eventual".',
      de: '„duties“ ist „before“ oder „eventual“.',
    })
  }
  return ok(readRequests(line.request).map((request) => decide(policy.value, request, world, mode)))
}

const rulesOf = ({ rules, request }: OdrlDecision): readonly JsonObject[] =>
  rules.map(({ rule, active, applies, target, party, action }) => ({
    rule: rule.id ?? rule.path,
    ...(request.id !== undefined && { request: request.id }),
    kind: rule.kind,
    active: verdictName(active),
    applies: verdictName(applies),
    ...(target !== undefined && { target: verdictName(target.holds) }),
    ...(party !== undefined && { party: verdictName(party.holds) }),
    ...(action !== undefined && { action: verdictName(action.holds) }),
  }))

const dutiesOf = ({ rules, obligations }: OdrlDecision): readonly JsonObject[] =>
  [...rules.flatMap(({ duties }) => duties), ...obligations].map(({ rule, inForce, performed, state }) => ({
    duty: rule.id ?? rule.path,
    kind: rule.kind,
    inForce: verdictName(inForce),
    performed: verdictName(performed),
    state,
  }))
