/**
 * Makes a policy of a template and values for its parameters. Pure: the same values give the same policy, byte by byte.
 * A template adds nothing to the language; what comes out is checked and published as any other policy.
 */
import { err, ok, type Result } from '../../core/result.js'
import type { EpochMs, Json, JsonObject, Text } from '../../core/types.js'
import { DAY_MS, instantText, parseDay } from '../instant.js'
import { quoted, text } from '../words.js'
import { type ParameterValue, readParameter } from './parameters.js'
import type { Template } from './template.js'

export type Instance = {
  readonly policy: JsonObject
  /** Words beside a clause, by its path, such as `prohibition[0]`. */
  readonly remarks: ReadonlyMap<string, Text>
}

type Values = ReadonlyMap<string, ParameterValue>

/** `InvalidInput` with every wrong or missing parameter at once. */
export function instantiate(
  template: Template,
  given: { readonly [name: string]: unknown },
): Result<Instance> {
  const wrong: Text[] = []
  const values = new Map<string, ParameterValue>()
  const known = template.parameters.map(({ name }) => name)
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) {
      wrong.push(
        text(
          `${quoted(name).en} is not a parameter; known are ${known.join(', ')}.`,
          `${quoted(name).de} ist kein Parameter; bekannt sind ${known.join(', ')}.`,
        ),
      )
    }
  }
  for (const parameter of template.parameters) {
    const read = readParameter(
      parameter,
      Object.hasOwn(given, parameter.name) ? given[parameter.name] : undefined,
    )
    if ('wrong' in read) wrong.push(read.wrong)
    else values.set(parameter.name, read.value)
  }
  const remarks = new Map<string, Text>()
  const policy = wrong.length > 0 ? {} : fill(template.policy, '', { values, remarks, wrong })
  if (wrong.length === 0) return ok({ policy: policy as JsonObject, remarks })
  const [problems, problemsDe] = [wrong.map(({ en }) => en), wrong.map(({ de }) => de)]
  return err({
    code: 'InvalidInput',
    message: `The template ${template.id} cannot be filled in. ${problems.join(' ')}`,
    messageDe: `Die Vorlage ${template.id} lässt sich nicht ausfüllen. ${problemsDe.join(' ')}`,
    problems,
    problemsDe,
  })
}

type Course = { readonly values: Values; readonly remarks: Map<string, Text>; readonly wrong: Text[] }

const isObject = (json: Json | undefined): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

/** The skeleton with its placeholders filled in; lists close up where something is left out. */
function fill(json: Json, path: string, course: Course): Json {
  if (Array.isArray(json)) {
    const kept = (json as readonly Json[]).filter(
      (item) => !isObject(item) || applies(item.$when, course.values),
    )
    return kept.map((item, index) => fill(item, `${path}[${index}]`, course))
  }
  if (!isObject(json)) return json
  if (typeof json.$value === 'string') return valueFor(json, course)
  if (isObject(json.$remark)) course.remarks.set(path, json.$remark as Text)
  const members = Object.entries(json).filter(([member]) => member !== '$when' && member !== '$remark')
  return Object.fromEntries(
    members.map(([member, value]) => [
      member,
      fill(value, path === '' ? member : `${path}.${member}`, course),
    ]),
  )
}

/** `"$when": "name"` asks for a value, `{"name": "value"}` for this one. */
function applies(condition: Json | undefined, values: Values): boolean {
  if (condition === undefined) return true
  if (typeof condition === 'string') {
    const value = values.get(condition)
    return value !== undefined && value.length > 0
  }
  if (!isObject(condition)) throw new TypeError('$when takes the name of a parameter, or names with values')
  return Object.entries(condition).every(([name, value]) =>
    value === true ? (values.get(name)?.length ?? 0) > 0 : values.get(name) === value,
  )
}

/** What is held back is taken out of what was named; a policy that delivers nothing is a mistake. */
function valueFor(placeholder: JsonObject, course: Course): Json {
  const name = String(placeholder.$value)
  const value = course.values.get(name)
  if (value === undefined)
    throw new TypeError(`The parameter ${name} has no value, and nothing says when it is used`)
  if (typeof value === 'string') return encoded(value, placeholder.$as)
  const without = Array.isArray(placeholder.$without) ? (placeholder.$without as readonly JsonObject[]) : []
  const held = new Set(
    without
      .filter(({ $when }) => applies($when, course.values))
      .flatMap(({ $value }) => course.values.get(String($value)) ?? []),
  )
  const left = value.filter((item) => !held.has(item))
  if (left.length === 0) {
    course.wrong.push(
      text(
        `${name}: nothing is left to deliver, because everything that is named is held back.`,
        `${name}: Es bleibt nichts zu liefern, weil alles Genannte zurückgehalten wird.`,
      ),
    )
  }
  // JSON-LD reads a list of one and its value alike, and processors give back the value.
  const [only] = left
  return left.length === 1 && only !== undefined ? only : left
}

/** A day stands for its beginning, or for its end, which is the beginning of the next. */
function encoded(value: string, as: Json | undefined): string {
  if (as === undefined) return value
  const day = parseDay(value)
  if (day === undefined) throw new TypeError('$as is for days only')
  return instantText((as === 'dayEnd' ? day + DAY_MS : day) as EpochMs)
}
