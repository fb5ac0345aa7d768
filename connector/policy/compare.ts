/**
 * Finds what an agreement says otherwise than the offer. Spelling does not count, meaning does. Identifiers, parties,
 * target and time are the caller's to compare.
 */

import type { Text } from '../core/types.js'
import { exceededLimit } from './limits.js'
import { CONSTRAINT_LISTS, membersOf, normalMember, normalObject, RULE_LISTS } from './normal-form.js'
import { pathWords } from './path-words.js'
import { asList, isMap, type JsonMap, literalOf, literalsOf, termOf } from './spelling.js'

export type Difference = {
  /** Place in the agreement, or in the offer for what the agreement lacks: `permission[0].constraint[1].rightOperand`. */
  readonly path: string
  /** JSON text of the offered value; absent when the offer has none. */
  readonly offered?: string
  /** JSON text of the agreed value; absent when the agreement has none. */
  readonly agreed?: string
}

/** Compared by the caller, because their right values are not those of the offer. */
const NOT_HERE: ReadonlySet<string> = new Set([
  '@id',
  '@type',
  '@context',
  'assignee',
  'assigner',
  'target',
  'timestamp',
])

/** Every difference, in the order of the agreement. Empty means that both say the same. Never throws. */
export function differences(offered: unknown, agreed: unknown): readonly Difference[] {
  if (!isComparable(offered) || !isComparable(agreed)) {
    return [{ path: 'policy', offered: shownWhole(offered), agreed: shownWhole(agreed) }]
  }
  const [was, is] = [termsOf(offered), termsOf(agreed)]
  // What is written alike means the same; only other spellings have to be understood.
  return sameJson(was, is) ? [] : differingMembers(was, is, '')
}

/** One difference as a sentence, for the side that asked for the offer. */
export function differenceText(difference: Difference): Text {
  const { en, de } = differenceClause(difference)
  return {
    en: `The agreement differs from the offer you asked for: ${en}.`,
    de: `Die Vereinbarung weicht von dem Angebot ab, das Sie angefragt haben: ${de}.`,
  }
}

/** The difference alone, to be put into a sentence of the caller's. */
export function differenceClause({ path, offered, agreed }: Difference): Text {
  const [was, is] = [cut(offered), cut(agreed)]
  const place = pathWords(path).de
  if (agreed === undefined) {
    return { en: `${path} is missing, offered was ${was}`, de: `${place} fehlt, angeboten war ${was}` }
  }
  return {
    en: `${path} is ${is}, offered was ${offered === undefined ? 'nothing' : was}`,
    de: `${place}: ${is}, angeboten war ${offered === undefined ? 'nichts' : was}`,
  }
}

const MAX_SHOWN = 200

const cut = (json = ''): string => (json.length > MAX_SHOWN ? `${json.slice(0, MAX_SHOWN - 1)}…` : json)

const isComparable = (json: unknown): json is JsonMap => isMap(json) && exceededLimit(json) === undefined

function termsOf(policy: JsonMap): ReadonlyMap<string, unknown> {
  return new Map([...membersOf(policy, '')].filter(([name]) => !NOT_HERE.has(name)))
}

/** The same text but for the order of members; both are within the limits of depth. */
function sameJson(a: unknown, b: unknown): boolean {
  if (a instanceof Map && b instanceof Map)
    return a.size === b.size && [...a].every(([key, value]) => b.has(key) && sameJson(value, b.get(key)))
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((value, index) => sameJson(value, b[index]))
  if (!isMap(a) || !isMap(b)) return Object.is(a, b)
  return sameJson(new Map(Object.entries(a)), new Map(Object.entries(b)))
}

/** The value as people know it from the message, without its JSON-LD wrapping. */
function shown(value: unknown): string {
  const plain = termOf(value) ?? literalOf(value) ?? literalsOf(value) ?? value
  const [only, second] = Array.isArray(plain) ? plain : []
  return cut(JSON.stringify(only !== undefined && second === undefined ? only : plain) ?? 'undefined')
}

/** A policy of any size: what is beyond the limits is not written out. */
const shownWhole = (policy: unknown): string =>
  exceededLimit(policy) === undefined ? shown(policy) : '(too large to compare)'

const side = (name: 'offered' | 'agreed', value: unknown): Pick<Difference, typeof name> =>
  value === undefined ? {} : { [name]: shown(value) }

function differingMembers(
  offered: ReadonlyMap<string, unknown>,
  agreed: ReadonlyMap<string, unknown>,
  path: string,
): readonly Difference[] {
  const names = new Set([...agreed.keys(), ...offered.keys()])
  return [...names].flatMap((name) => {
    const at = path === '' ? name : `${path}.${name}`
    const [was, is] = [offered.get(name), agreed.get(name)]
    if (
      was !== undefined &&
      is !== undefined &&
      normalMember(name, was, offered) === normalMember(name, is, agreed)
    ) {
      return []
    }
    if (RULE_LISTS.has(name) || CONSTRAINT_LISTS.has(name))
      return differingLists(asList(was), asList(is), at, name)
    return [{ path: at, ...side('offered', was), ...side('agreed', is) }]
  })
}

/** What is equal is paired first, wherever it stands; what is left is compared in order. */
function differingLists(
  offered: readonly unknown[],
  agreed: readonly unknown[],
  path: string,
  list: string,
): readonly Difference[] {
  const open = offered.map((value, index) => ({ index, value, normal: normalObject(value, list) }))
  const unmatched = agreed.flatMap((value, index) => {
    const normal = normalObject(value, list)
    const twin = open.findIndex((candidate) => candidate.normal === normal)
    if (twin === -1) return [{ index, value }]
    open.splice(twin, 1)
    return []
  })
  const changed = unmatched.flatMap(({ index, value }) => {
    const partner = open.shift()
    const at = `${path}[${index}]`
    if (partner === undefined) return [{ path: at, agreed: shown(value) }]
    if (!isMap(partner.value) || !isMap(value)) {
      return [{ path: at, offered: shown(partner.value), agreed: shown(value) }]
    }
    return differingMembers(membersOf(partner.value, list), membersOf(value, list), at)
  })
  return [
    ...changed,
    ...open.map(({ index, value }) => ({ path: `${path}[${index}]`, offered: shown(value) })),
  ]
}
