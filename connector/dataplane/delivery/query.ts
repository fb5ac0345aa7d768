/** What the receiver asks for in the query of the URL. An unknown or wrong parameter is refused by name. */
import { ok, problem, type Result } from '../../core/result.js'
import type { EpochMs } from '../../core/types.js'

export const MAX_LIMIT = 100_000

export type PullQuery = {
  readonly from?: EpochMs
  readonly to?: EpochMs
  readonly limit?: number
  readonly after?: string
}

export type StreamQuery = Pick<PullQuery, 'from' | 'after'>

const POSITION = /^[A-Za-z0-9._~-]{1,64}$/
export const isPosition = (text: string): boolean => POSITION.test(text)

type Parsed = { readonly value: number | string } | { readonly expected: string }

const instant = (raw: string): Parsed => {
  const at = parseInstant(raw)
  return at === undefined
    ? { expected: 'an instant with an offset, such as 2026-12-31T23:59:59Z, or milliseconds since 1970' }
    : { value: at }
}

const PARAMETERS = {
  from: instant,
  to: instant,
  limit: (raw: string): Parsed => {
    const limit = /^\d{1,6}$/.test(raw) ? Number(raw) : 0
    return limit >= 1 && limit <= MAX_LIMIT
      ? { value: limit }
      : { expected: `a whole number from 1 to ${MAX_LIMIT}` }
  },
  after: (raw: string): Parsed =>
    isPosition(raw) ? { value: raw } : { expected: 'the id of a record that you received' },
} as const

type Name = keyof typeof PARAMETERS

const PULL: readonly Name[] = ['from', 'to', 'limit', 'after']
const STREAM: readonly Name[] = ['from', 'after']

export function parsePullQuery(search: string): Result<PullQuery> {
  const query = parse(search, PULL, 'A pull')
  if (!query.ok) return query
  const { from, to } = query.value
  if (from !== undefined && to !== undefined && to <= from) {
    return problem('InvalidInput', {
      en: 'The parameter "to" has to be later than "from".',
      de: 'Der Parameter „to“ muss später als „from“ liegen.',
    })
  }
  return query
}

export const parseStreamQuery = (search: string): Result<StreamQuery> => parse(search, STREAM, 'A stream')

export function refuseQuery(search: string): Result<unknown> {
  return parse(search, [], 'A file')
}

function parse(search: string, known: readonly Name[], what: string): Result<PullQuery> {
  const query: Partial<Record<Name, number | string>> = {}
  for (const [name, raw] of new URLSearchParams(search)) {
    if (!isKnown(name, known)) {
      const list = known.length === 0 ? 'none' : known.join(', ')
      return problem('InvalidInput', {
        en: `${what} has no parameter "${name.slice(0, 40)}". Known: ${list}.`,
        de: `Hier gibt es keinen Parameter „${name.slice(0, 40)}“. Bekannt: ${list}.`,
      })
    }
    if (query[name] !== undefined)
      return problem('InvalidInput', {
        en: `The parameter "${name}" is given twice.`,
        de: `Der Parameter „${name}“ ist zweimal angegeben.`,
      })
    const parsed = PARAMETERS[name](raw)
    if ('expected' in parsed)
      return problem('InvalidInput', `The parameter "${name}" has to be ${parsed.expected}.`)
    query[name] = parsed.value
  }
  return ok(query as PullQuery)
}

const isKnown = (name: string, known: readonly Name[]): name is Name =>
  (known as readonly string[]).includes(name)

const ISO_INSTANT = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/
const EPOCH_MS = /^-?\d{1,16}$/
const LAST_DATE = 8.64e15

function parseInstant(raw: string): EpochMs | undefined {
  if (EPOCH_MS.test(raw)) {
    const at = Number(raw)
    return Math.abs(at) <= LAST_DATE ? (at as EpochMs) : undefined
  }
  // A plus sign that was not percent-encoded arrives as a space.
  const text = raw.replace(/ (\d\d:\d\d)$/, '+$1')
  const [, year, month, day] = ISO_INSTANT.exec(text) ?? []
  if (day === undefined) return undefined
  // Date.parse turns 31 February into 3 March instead of refusing it.
  if (Number(day) < 1 || Number(day) > new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate())
    return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : (at as EpochMs)
}
