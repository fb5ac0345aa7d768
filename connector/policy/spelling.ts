/**
 * The spellings in which ODRL arrives (bare DSP terms, `odrl:` and `mdp:` CURIEs, full IRIs, JSON-LD wrappings), and the
 * one form behind them. Reading and comparing share this file, so that they cannot disagree about what is the same.
 */
import { MDP, ODRL } from './model.js'

export type JsonMap = { readonly [key: string]: unknown }

export const isMap = (value: unknown): value is JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** JSON-LD reads a single value and a list of one alike; an ordered list may be wrapped in `@list`. */
export function asList(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  if (isMap(value) && Array.isArray(value['@list']) && Object.keys(value).length === 1) return value['@list']
  return value === undefined ? [] : [value]
}

/** A property name without its prefix: `odrl:permission` and the full IRI are `permission`. */
export function keyName(key: string): string {
  if (key.startsWith('odrl:')) return key.slice(5)
  return key.startsWith(ODRL) ? key.slice(ODRL.length) : key
}

/** Left operands of the ODRL Common Vocabulary 2.2; as bare names they mean the ODRL term, other names mean nothing. */
export const LEFT_OPERANDS: ReadonlySet<string> = new Set(
  `absolutePosition absoluteSize absoluteSpatialPosition absoluteTemporalPosition count dateTime delayPeriod deliveryChannel
  device elapsedTime event fileFormat industry language media meteredTime payAmount percentage product purpose recipient
  relativePosition relativeSize relativeSpatialPosition relativeTemporalPosition resolution spatial spatialCoordinates
  systemDevice timeInterval unitOfCount version virtualLocation`.split(/\s+/),
)

/** Actions of ODRL Core and the Common Vocabulary 2.2. */
export const ACTIONS: ReadonlySet<string> = new Set(
  `use transfer acceptTracking aggregate annotate anonymize archive attribute compensate concurrentUse delete derive digitize
  display distribute ensureExclusivity execute extract give grantUse include index inform install modify move nextPolicy
  obtainConsent play present print read reproduce reviewPolicy sell stream synchronize textToSpeech transform translate
  uninstall watermark`.split(/\s+/),
)

const OPERATORS: ReadonlySet<string> = new Set(
  'eq neq lt lteq gt gteq isA hasPart isPartOf isAllOf isAnyOf isNoneOf'.split(' '),
)

/** The absolute IRI of a term; a name that is neither an IRI nor in the vocabulary stays as it is and is thus unknown. */
export function expandTerm(name: string, vocabulary: ReadonlySet<string>): string {
  if (vocabulary.has(name)) return ODRL + name
  if (name.startsWith('odrl:')) return ODRL + name.slice(5)
  return name.startsWith('mdp:') ? MDP + name.slice(4) : name
}

const LIST_OPERATORS: ReadonlySet<string> = new Set(
  'isA hasPart isPartOf isAllOf isAnyOf isNoneOf'.split(' '),
)

/** Whether an operator takes a list; the others compare with one value. */
export const takesList = (operator: string): boolean => LIST_OPERATORS.has(operator)

/** Operators as others write them. */
const OPERATOR_ALIASES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    // The enumeration in the DSP 2025-1 JSON Schema lists "term-lteq" in place of "lteq".
    'term-lteq': 'lteq',
    // The names that operators have inside Eclipse EDC, and in interfaces made from them.
    EQ: 'eq',
    NEQ: 'neq',
    GT: 'gt',
    GEQ: 'gteq',
    LT: 'lt',
    LEQ: 'lteq',
    IN: 'isPartOf',
    HAS_PART: 'hasPart',
    IS_A: 'isA',
    IS_ALL_OF: 'isAllOf',
    IS_ANY_OF: 'isAnyOf',
    IS_NONE_OF: 'isNoneOf',
  }),
)

/** The bare name of an ODRL operator; anything else stays as written. */
export function operatorName(written: string): string {
  const name = keyName(written)
  return OPERATORS.has(name) ? name : (OPERATOR_ALIASES.get(name) ?? written)
}

/** The single term in a value: a string, `{ "@id" }`, `{ "@value" }`, or a list of one of these. */
export function termOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.length === 1 ? termOf(value[0]) : undefined
  if (!isMap(value)) return undefined
  return isWrapping(value) ? stringIn(value) : undefined
}

/** Decimal text of a right operand or one of its values; undefined for anything that is not a plain value. */
export function literalOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return isMap(value) && isWrapping(value) ? literalOf(value['@value'] ?? value['@id']) : undefined
}

/** The values of a right operand, or undefined when one of them is not a plain value. */
export function literalsOf(value: unknown): readonly string[] | undefined {
  const literals: string[] = []
  for (const item of asList(value)) {
    const literal = literalOf(item)
    if (literal === undefined) return undefined
    literals.push(literal)
  }
  return literals
}

/** JSON-LD wrappings that carry nothing beyond the value: a language tag or any other member is more. */
function isWrapping(value: JsonMap): boolean {
  const keys = Object.keys(value)
  if (keys.length === 1) return keys[0] === '@id' || keys[0] === '@value'
  return keys.length === 2 && keys.includes('@value') && typeof value['@type'] === 'string'
}

const stringIn = (value: JsonMap): string | undefined => {
  const inner = value['@value'] ?? value['@id']
  return typeof inner === 'string' ? inner : undefined
}

/** What may stand as the class of an object, by where it stands. */
const CLASSES = {
  policy: ['Policy', 'Set', 'Offer', 'Agreement'],
  permission: ['Rule', 'Permission'],
  prohibition: ['Rule', 'Prohibition'],
  obligation: ['Rule', 'Duty'],
  duty: ['Rule', 'Duty'],
  constraint: ['Constraint', 'AtomicConstraint', 'LogicalConstraint'],
} as const

export type Standing = keyof typeof CLASSES

export const classNames = (of: Standing): readonly string[] => CLASSES[of]

/** Whether an `@type` says no more than where the object stands says already. */
export const isOwnClass = (type: unknown, of: Standing): boolean =>
  asList(type).every((one) => typeof one === 'string' && classNames(of).includes(keyName(one)))
