/** One line of a batch of predictions: what an EDC provider would make of a policy, in the form of an evaluation. */
import { ok, problem, type Result } from '../core/result.js'
import type { JsonObject, Lang } from '../core/types.js'
import { answerLine } from './batch.js'
import { type Prediction, predictEdc } from './odrl/edc-reading.js'
import { readPolicy } from './odrl/read.js'
import { readRequests, readWorld, withRequest } from './odrl/read-world.js'
import { leftOperandIri } from './registry.js'
import type { JsonMap } from './spelling.js'

export type PredictOptions = {
  readonly lang: Lang
  /** Left operands that the provider has bound besides those of the default installation. */
  readonly bound: readonly string[]
}

/** `{id, policy, request, state}` to `{id, reading, decision, rules, dropped, duties, trace}`. */
export const predictLine = (line: string, options: PredictOptions): JsonObject =>
  answerLine(line, (parts) => {
    const found = prediction(parts, options)
    if (!found.ok) return found
    const { trace, ...rest } = found.value
    return ok({
      reading: 'edc',
      ...rest,
      duties: [],
      trace: trace.map(({ path, verdict, text }) => ({ path, verdict, text: text[options.lang] })),
    } as JsonObject)
  })

export function prediction(line: JsonMap, { bound }: PredictOptions): Result<Prediction> {
  if (line.policy === undefined)
    return problem('InvalidMessage', { en: 'The line has no "policy".', de: 'Die Zeile hat kein „policy“.' })
  if (line.request === undefined)
    return problem('InvalidMessage', {
      en: 'The line has no "request".',
      de: 'Die Zeile hat kein „request“.',
    })
  const policy = readPolicy(line.policy)
  if (!policy.ok) return policy
  const [request] = readRequests(line.request)
  if (request === undefined)
    return problem('InvalidMessage', {
      en: 'The request asks for no use.',
      de: 'Die Anfrage verlangt keine Nutzung.',
    })
  const world = withRequest(readWorld(line.state ?? {}), request)
  return ok(predictEdc(policy.value, world, bound.map(leftOperandIri)))
}
