/** The mapping as the operator declares it, read from the configuration of a source. */
import type { Signal } from '../record.js'
import type { ConfigReader } from './config-reader.js'
import { isPath } from './json-path.js'
import { LONGEST_SERIES, type Mapping, type SeriesRule, shown } from './mapping.js'
import { isTimeZone, TIME_FORMATS, type TimeRule } from './time.js'

const TOPIC_LEVEL = /^topic:([1-9]\d?)$/

const readPath = (reader: ConfigReader, key: string, name: string): string => {
  const path = reader.requiredText(key)
  if (path !== '' && !isPath(path)) {
    reader.mistake(`${name} must be a path such as /machine/temperature or machine.temperature`)
  }
  return path
}

/** Reads `format` and `timeZone`, which belong together. */
export function readTimeRule(reader: ConfigReader, name: string): TimeRule {
  if (!reader.has('format')) reader.mistake(`${name}.format is missing (one of ${TIME_FORMATS.join(', ')})`)
  const format = reader.oneOf('format', TIME_FORMATS, 'iso')
  const timeZone = reader.text('timeZone')
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    reader.mistake(`${name}.timeZone must be an IANA time zone such as Europe/Berlin`)
  }
  if (format === 'iso-local' && timeZone === undefined && !reader.has('timeZone')) {
    reader.mistake(`${name}.timeZone is missing: times without an offset need one, such as Europe/Berlin`)
  }
  if (format !== 'iso-local' && reader.has('timeZone')) {
    reader.mistake(`${name}.timeZone goes with the format iso-local only`)
  }
  return format === 'iso-local' && timeZone !== undefined ? { format, timeZone } : { format }
}

function readTime(reader: ConfigReader, name: string, arrivalKnown: boolean): Mapping['time'] {
  if (!reader.has('time')) {
    reader.mistake(`${name}.time is missing`)
    return 'arrival'
  }
  if (reader.raw('time') === 'arrival') {
    if (!arrivalKnown) reader.mistake(`${name}.time must be in the data: a file has no time of arrival`)
    return 'arrival'
  }
  const time = reader.nested('time')
  if (time === undefined) return 'arrival'
  const rule = { path: readPath(time, 'path', `${name}.time.path`), ...readTimeRule(time, `${name}.time`) }
  time.close()
  return rule
}

function readSeries(reader: ConfigReader, name: string, topics: boolean): SeriesRule {
  const raw = reader.raw('series')
  if (raw === undefined) return { constant: '' }
  if (typeof raw === 'string') {
    const level = TOPIC_LEVEL.exec(raw)?.[1]
    if (level !== undefined && topics) return { topicLevel: Number(level) }
    if (raw.startsWith('topic:')) {
      reader.mistake(
        topics
          ? `${name}.series must name a topic level from topic:1 to topic:99`
          : `${name}.series cannot be a topic level: a file has no topics`,
      )
    }
    if (raw.length > LONGEST_SERIES)
      reader.mistake(`${name}.series is longer than ${LONGEST_SERIES} characters`)
    return { constant: raw }
  }
  const series = reader.nested('series')
  if (series === undefined) return { constant: '' }
  const path = readPath(series, 'path', `${name}.series.path`)
  series.close()
  return { path }
}

function readTopicSignal(reader: ConfigReader, name: string): Mapping['topicSignal'] {
  const nested = reader.nested('topicSignal')
  if (nested === undefined) return undefined
  const level = nested.raw('level')
  const path = nested.has('path') ? readPath(nested, 'path', `${name}.topicSignal.path`) : undefined
  nested.close()
  if (typeof level !== 'number' || !Number.isInteger(level) || level < 1 || level > 99) {
    reader.mistake(`${name}.topicSignal.level must be a topic level from 1 to 99`)
    return undefined
  }
  return path === undefined ? { level } : { level, path }
}

/** Reads `signals`: signal name -> path or column. With the declared signals given, names that are not declared are mistakes. */
export function readSignals(
  reader: ConfigReader,
  name: string,
  declared: readonly Signal[] | undefined,
  read: (nested: ConfigReader, key: string) => string,
): Readonly<Record<string, string>> {
  const nested = reader.nested('signals')
  if (nested === undefined) return {}
  const entries = nested.keys().map((key): [string, string] => {
    if (declared !== undefined && !declared.some((signal) => signal.name === key)) {
      reader.mistake(`${name} maps the signal ${shown(key)}, which the dataset does not declare`)
    }
    return [key, read(nested, key)]
  })
  return Object.fromEntries(entries)
}

export function readMapping(
  reader: ConfigReader,
  key: string,
  options: { readonly topics: boolean; readonly signals: readonly Signal[] | undefined },
): Mapping {
  const nested = reader.nested(key)
  if (nested === undefined) {
    if (!reader.has(key)) reader.mistake(`${key} is missing`)
    return { time: 'arrival', series: { constant: '' }, signals: {} }
  }
  const each = nested.has('each') ? readPath(nested, 'each', `${key}.each`) : undefined
  const time = readTime(nested, key, options.topics)
  const series = readSeries(nested, key, options.topics)
  const signals = readSignals(nested, `${key}.signals`, options.signals, (paths, signal) =>
    readPath(paths, signal, `${key}.signals.${shown(signal)}`),
  )
  const topicSignal = options.topics ? readTopicSignal(nested, key) : undefined
  if (Object.keys(signals).length === 0 && topicSignal === undefined && !nested.has('topicSignal')) {
    nested.mistake(`${key}.signals must name at least one signal`)
  }
  if (each !== undefined && !options.topics) {
    nested.mistake(`${key}.each is for messages only: each line of a file is one record`)
  }
  if (each !== undefined && topicSignal !== undefined) {
    nested.mistake(`${key} cannot have both each and topicSignal`)
  }
  nested.close()
  return {
    ...(each === undefined ? {} : { each }),
    time,
    series,
    signals,
    ...(topicSignal === undefined ? {} : { topicSignal }),
  }
}
