/**
 * The declared way from a JSON message to records. Nothing that is not declared enters: neither another member of the
 * payload nor another topic level. Reasons name the place and the rule; of the content they show at most the time.
 */
import { isUtf8 } from 'node:buffer'
import type { EpochMs } from '../../core/types.js'
import type { DataRecord, Scalar, Signal } from '../record.js'
import { compilePath, type Pick } from './json-path.js'
import { createParseTime, EXPECTED_TIME, type TimeRule } from './time.js'
import { EXPECTED_VALUE, fitsType } from './value.js'

export type NewRecord = Omit<DataRecord, 'position'>

export type SeriesRule =
  | { readonly constant: string }
  | { readonly path: string }
  /** Counted from 1. */
  | { readonly topicLevel: number }

export type Mapping = {
  /** Path of an array in the payload; each of its entries is a record. */
  readonly each?: string
  readonly time: 'arrival' | ({ readonly path: string } & TimeRule)
  readonly series: SeriesRule
  /** Signal name -> path. */
  readonly signals: Readonly<Record<string, string>>
  /** One value per topic: the topic level that is the signal's name, counted from 1, and where the value stands. */
  readonly topicSignal?: { readonly level: number; readonly path?: string }
}

/** Largest message that is looked into, bytes. */
export const LARGEST_MESSAGE = 1024 * 1024
/** How far ahead of its arrival a record may be stamped, milliseconds. */
export const LARGEST_LEAD = 10 * 60_000
/** Longest series name, UTF-16 code units. */
export const LONGEST_SERIES = 256

/** Text of a machine as a person may see it in one line. */
export const shown = (text: string, longest = 64): string => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this line removes
  const clean = text.toWellFormed().replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '?')
  return clean.length > longest ? `${clean.slice(0, longest)}...` : clean
}

/** What a message is, in the sentences about it: "Message on topic pump/1/state". */
export type Mapped = {
  readonly records: readonly NewRecord[]
  /** Endings of the sentence "... was left out: ". */
  readonly malformed: readonly { readonly entry?: number; readonly why: string }[]
}

export type MessageOrigin = {
  readonly topic?: string
  /** Present when records must not be stamped far ahead of it. */
  readonly arrivedAt?: EpochMs
}

const NOTHING: Mapped = { records: [], malformed: [] }
const malformed = (why: string): Mapped => ({ records: [], malformed: [{ why }] })

const showTime = (value: unknown): string =>
  typeof value === 'string'
    ? `"${shown(value)}"`
    : typeof value === 'number'
      ? String(value)
      : `a ${typeof value}`

/** Compiled once per source; called once per message. */
export function createMapMessage(mapping: Mapping, declared: readonly Signal[]) {
  const pickTime = mapping.time === 'arrival' ? undefined : compilePath(mapping.time.path)
  const parseTime = mapping.time === 'arrival' ? undefined : createParseTime(mapping.time)
  const expectedTime = mapping.time === 'arrival' ? '' : EXPECTED_TIME[mapping.time.format]
  const pickSeries = 'path' in mapping.series ? compilePath(mapping.series.path) : undefined
  const pickEach = mapping.each === undefined ? undefined : compilePath(mapping.each)
  const pickTopicValue =
    mapping.topicSignal?.path === undefined ? undefined : compilePath(mapping.topicSignal.path)
  const byName = new Map(declared.map((signal) => [signal.name, signal]))
  const picks: readonly (readonly [Signal, Pick])[] = Object.entries(mapping.signals).flatMap(
    ([name, path]) => {
      const signal = byName.get(name)
      return signal === undefined ? [] : [[signal, compilePath(path)] as const]
    },
  )

  const timeOf = (json: unknown, origin: MessageOrigin): EpochMs | string => {
    if (pickTime === undefined || parseTime === undefined)
      return origin.arrivedAt ?? 'it has no time of arrival'
    const value = pickTime(json)
    if (value === undefined || value === null) return 'it has no time'
    const time = parseTime(value)
    if (time === undefined) return `its time ${showTime(value)} is not ${expectedTime}`
    if (origin.arrivedAt !== undefined && time - origin.arrivedAt > LARGEST_LEAD) {
      return `its time ${showTime(value)} is more than 10 minutes ahead of its arrival`
    }
    return time
  }

  const seriesOf = (json: unknown, levels: readonly string[]): string | undefined => {
    if ('constant' in mapping.series) return mapping.series.constant
    const value = 'topicLevel' in mapping.series ? levels[mapping.series.topicLevel - 1] : pickSeries?.(json)
    const text = typeof value === 'number' ? String(value) : value
    return typeof text === 'string' && text.length <= LONGEST_SERIES && text.isWellFormed() ? text : undefined
  }

  const recordOf = (
    json: unknown,
    origin: MessageOrigin,
    levels: readonly string[],
    found: readonly (readonly [Signal, unknown])[],
  ): NewRecord | string => {
    const time = timeOf(json, origin)
    if (typeof time === 'string') return time
    const series = seriesOf(json, levels)
    if (series === undefined) return 'it does not say which series it belongs to'
    const values: Record<string, Scalar> = {}
    let any = false
    for (const [{ name, type }, value] of found) {
      if (value === undefined || value === null) continue
      if (!fitsType(type, value)) return `its signal "${name}" is not ${EXPECTED_VALUE[type]}`
      values[name] = value
      any = true
    }
    return any ? { time, series, values } : 'it has none of the declared signals'
  }

  const pickAll = (json: unknown) => picks.map(([signal, pick]) => [signal, pick(json)] as const)

  /** Maps one parsed message. A topic whose level is no declared signal gives nothing and is no mistake. */
  const mapJson = (json: unknown, origin: MessageOrigin): Mapped => {
    const levels = origin.topic?.split('/') ?? []
    if (mapping.topicSignal !== undefined) {
      const signal = byName.get(levels[mapping.topicSignal.level - 1] ?? '')
      if (signal === undefined && picks.length === 0) return NOTHING
      const own =
        signal === undefined ? [] : [[signal, pickTopicValue ? pickTopicValue(json) : json] as const]
      const record = recordOf(json, origin, levels, [...own, ...pickAll(json)])
      return typeof record === 'string' ? malformed(record) : { records: [record], malformed: [] }
    }
    if (pickEach === undefined) {
      const record = recordOf(json, origin, levels, pickAll(json))
      return typeof record === 'string' ? malformed(record) : { records: [record], malformed: [] }
    }
    const entries = pickEach(json)
    if (!Array.isArray(entries)) return malformed(`it has no list at ${mapping.each}`)
    const records: NewRecord[] = []
    const bad: { entry: number; why: string }[] = []
    entries.forEach((entry, index) => {
      const record = recordOf(entry, origin, levels, pickAll(entry))
      if (typeof record === 'string') bad.push({ entry: index + 1, why: record })
      else records.push(record)
    })
    return { records, malformed: bad }
  }

  const mapText = (text: string, origin: MessageOrigin): Mapped => {
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch {
      return malformed('it is not JSON')
    }
    return mapJson(json, origin)
  }

  return {
    mapText,
    mapPayload(payload: Buffer, origin: MessageOrigin): Mapped {
      if (payload.length > LARGEST_MESSAGE) return malformed('it is larger than 1 MiB')
      return isUtf8(payload) ? mapText(payload.toString('utf8'), origin) : malformed('it is not UTF-8')
    },
  }
}

export type MapMessage = ReturnType<typeof createMapMessage>
