/**
 * The filter of a catalog request, as EDC writes it (QuerySpec): a page and simple criteria. What cannot be kept exactly is
 * refused, because a filter that is only half applied answers another question than was asked. Pure.
 */
import { ok, problem, type Result } from '../core/result.js'
import type { Json, JsonObject } from '../core/types.js'
import type { Dataset } from '../domain/dataset.js'

export type CatalogFilter = {
  /** Datasets on a page. */
  readonly limit?: number
  /** Matching datasets to leave out at the beginning. */
  readonly offset: number
  readonly criteria: readonly Criterion[]
}

type Criterion = {
  readonly property: Property
  readonly fits: (value: string) => boolean
}

type Property = keyof typeof PROPERTIES

/** What a dataset can be found by; a list fits when one of it does. */
const PROPERTIES = {
  id: (d) => [d.id],
  title: (d) => [d.title],
  description: (d) => (d.description === undefined ? [] : [d.description]),
  keyword: (d) => d.keywords,
  machineId: (d) => (d.machineId === undefined ? [] : [d.machineId]),
} as const satisfies Record<string, (dataset: Dataset) => readonly string[]>

/** EDC and the vocabularies of catalogs have names of their own. */
const OTHER_NAMES: Readonly<Record<string, Property>> = { name: 'title', keywords: 'keyword' }

const MAX_CRITERIA = 20
const MAX_TEXT = 500
const MAX_VALUES = 100
const MAX_OFFSET = 1_000_000

const EVERYTHING: CatalogFilter = { offset: 0, criteria: [] }

/** @returns `InvalidMessage` that says which part of the filter is not understood */
export function readFilter(filter: readonly Json[] | undefined): Result<CatalogFilter> {
  const [query, second] = filter ?? []
  if (query === undefined) return ok(EVERYTHING)
  if (second !== undefined) return unsupported('it has several parts')
  if (!isObject(query) || local(query['@type']) !== 'QuerySpec')
    return unsupported('its type is not QuerySpec')
  const members = new Map(Object.entries(query).map(([key, value]) => [local(key) ?? key, plain(value)]))
  const order = members.get('sortOrder') ?? 'ASC'
  const field = members.get('sortField')
  if (order !== 'ASC' || (field !== undefined && propertyOf(field) !== 'id')) {
    return unsupported('the catalog is sorted by id, ascending, and in no other way')
  }
  const limit = members.get('limit')
  const offset = members.get('offset') ?? 0
  if (!isCount(offset, 0) || (limit !== undefined && !isCount(limit, 1))) {
    return unsupported('offset and limit have to be whole numbers')
  }
  const criteria: Criterion[] = []
  const listed = [members.get('filterExpression') ?? []].flat()
  if (listed.length > MAX_CRITERIA) return unsupported(`it has more than ${MAX_CRITERIA} criteria`)
  for (const one of listed) {
    const read = readCriterion(one)
    if (!read.ok) return read
    criteria.push(read.value)
  }
  return ok({ offset, criteria, ...(limit === undefined ? {} : { limit: limit as number }) })
}

/** Whether a dataset meets all criteria. */
export const fits = ({ criteria }: CatalogFilter, dataset: Dataset): boolean =>
  criteria.every((criterion) => PROPERTIES[criterion.property](dataset).some(criterion.fits))

function readCriterion(json: Json): Result<Criterion> {
  if (!isObject(json)) return unsupported('a criterion is no object')
  const members = new Map(Object.entries(json).map(([key, value]) => [local(key) ?? key, plain(value)]))
  const property = propertyOf(members.get('operandLeft'))
  if (property === undefined) {
    return unsupported(`datasets can be found by ${Object.keys(PROPERTIES).join(', ')}`)
  }
  const values = textsOf(members.get('operandRight'))
  if (values === undefined) {
    return unsupported(`the values to compare with have to be texts of at most ${MAX_TEXT} characters`)
  }
  const [first] = values
  switch (members.get('operator')) {
    case '=':
      return values.length === 1
        ? ok({ property, fits: (value) => value === first })
        : unsupported('"=" compares with one text')
    case 'in':
      return ok({ property, fits: (value) => values.includes(value) })
    case 'like':
      return values.length === 1 && first !== undefined
        ? ok({ property, fits: likeness(first) })
        : unsupported('"like" compares with one text')
    default:
      return unsupported('its criteria may use =, like and in')
  }
}

/** SQL's LIKE: `%` stands for any text, `_` for one character. Without backtracking, whatever a partner writes. */
function likeness(pattern: string): (value: string) => boolean {
  const parts = pattern.split(/%+/)
  const [head = '', ...rest] = parts
  const tail = rest.pop()
  return (value) => {
    if (!startsAlike(value, 0, head)) return false
    if (tail === undefined) return value.length === head.length
    let at = head.length
    for (const part of rest) {
      const found = indexAlike(value, at, part)
      if (found === -1) return false
      at = found + part.length
    }
    const end = value.length - tail.length
    return end >= at && startsAlike(value, end, tail)
  }
}

function startsAlike(value: string, at: number, part: string): boolean {
  if (at + part.length > value.length) return false
  for (let i = 0; i < part.length; i++) if (part[i] !== '_' && part[i] !== value[at + i]) return false
  return true
}

function indexAlike(value: string, from: number, part: string): number {
  for (let at = from; at + part.length <= value.length; at++) if (startsAlike(value, at, part)) return at
  return -1
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isCount = (value: Json, least: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= least && value <= MAX_OFFSET

/** A name without its namespace: EDC's prefixes and IRIs differ from version to version. */
const local = (name: Json | undefined): string | undefined =>
  typeof name === 'string' ? name.replace(/^.*[/#:]/, '').replace(/^@/, '') : undefined

const plain = (value: Json): Json =>
  isObject(value) && Object.keys(value).length === 1 ? (value['@value'] ?? value['@id'] ?? value) : value

function propertyOf(written: Json | undefined): Property | undefined {
  const name = local(written) ?? ''
  const known = Object.hasOwn(OTHER_NAMES, name) ? (OTHER_NAMES[name] ?? name) : name
  return Object.hasOwn(PROPERTIES, known) ? (known as Property) : undefined
}

function textsOf(value: Json | undefined): readonly string[] | undefined {
  const list = [value].flat().map((one) => (one === undefined ? undefined : plain(one)))
  const texts = list.filter((one): one is string => typeof one === 'string' && one.length <= MAX_TEXT)
  return texts.length === list.length && texts.length <= MAX_VALUES ? texts : undefined
}

const unsupported = (why: string): Result<never> =>
  problem('InvalidMessage', {
    en: `The filter is not supported: ${why}. Without a filter the catalog holds all that is offered to you.`,
    de: `Dieser Filter wird nicht unterstützt (${why}). Ohne Filter enthält der Katalog alles, was Ihnen angeboten wird.`,
  })
