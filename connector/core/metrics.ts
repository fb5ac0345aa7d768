/**
 * Numbers for the operator's monitoring, in the Prometheus text exposition format 0.0.4. Counts and renders; what is
 * counted, and when, stands where it happens. A label value must come from a bounded set, never from a stranger.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'

export type Labels = Readonly<Record<string, string>>
export type Sample = { readonly labels?: Labels; readonly value: number }

export type Counter = { inc(labels?: Labels, by?: number): void }
export type Histogram = { observe(value: number, labels?: Labels): void }

export type Registry = {
  /** Only goes up. Without labels it starts at 0; with labels a series appears with its first count. */
  counter(name: string, help: string, labelNames?: readonly string[]): Counter
  /** A count that somebody else keeps; read when the metrics are asked for. */
  counterFrom(
    name: string,
    help: string,
    labelNames: readonly string[],
    collect: () => readonly Sample[],
  ): void
  /** Goes up and down; read when the metrics are asked for. */
  gauge(name: string, help: string, labelNames: readonly string[], collect: () => readonly Sample[]): void
  /** `buckets` are upper bounds, ascending; the one without a bound is added. */
  histogram(name: string, help: string, labelNames: readonly string[], buckets: readonly number[]): Histogram
  text(): string
}

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LABEL_NAME = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/

type Family = {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly lines: () => readonly string[]
}

export function createRegistry(): Registry {
  const families = new Map<string, Family>()

  const add = (name: string, labelNames: readonly string[], family: Family): void => {
    if (!METRIC_NAME.test(name)) throw new TypeError(`${name} cannot be the name of a metric`)
    if (families.has(name)) throw new TypeError(`there is already a metric ${name}`)
    const wrong = labelNames.find((label) => !LABEL_NAME.test(label) || label === 'le')
    if (wrong !== undefined) throw new TypeError(`${wrong} cannot be a label of ${name}`)
    families.set(name, family)
  }
  const collected =
    (name: string, labelNames: readonly string[], collect: () => readonly Sample[]) =>
    (): readonly string[] =>
      collect().map(({ labels, value }) => line(name, labelText(name, labelNames, labels), value))

  return {
    counter(name, help, labelNames = []) {
      const series = new Map<string, number>(labelNames.length === 0 ? [['', 0]] : [])
      add(name, labelNames, {
        type: 'counter',
        help,
        lines: () => [...series].map(([labels, value]) => line(name, labels, value)),
      })
      return {
        inc(labels, by = 1) {
          if (!(by >= 0)) throw new RangeError(`${name} only goes up`)
          const key = labelText(name, labelNames, labels)
          series.set(key, (series.get(key) ?? 0) + by)
        },
      }
    },

    counterFrom: (name, help, labelNames, collect) =>
      add(name, labelNames, { type: 'counter', help, lines: collected(name, labelNames, collect) }),
    gauge: (name, help, labelNames, collect) =>
      add(name, labelNames, { type: 'gauge', help, lines: collected(name, labelNames, collect) }),

    histogram(name, help, labelNames, buckets) {
      if (buckets.some((bound, i) => i > 0 && bound <= (buckets[i - 1] ?? 0))) {
        throw new TypeError(`the buckets of ${name} do not ascend`)
      }
      type Series = { readonly counts: number[]; sum: number; count: number }
      const series = new Map<string, Series>()
      const lines = (labels: string, { counts, sum, count }: Series): readonly string[] => {
        let below = 0
        const bounded = buckets.map((bound, i) => {
          below += counts[i] ?? 0
          return line(`${name}_bucket`, joined(labels, `le="${numberText(bound)}"`), below)
        })
        return [
          ...bounded,
          line(`${name}_bucket`, joined(labels, 'le="+Inf"'), count),
          line(`${name}_sum`, labels, sum),
          line(`${name}_count`, labels, count),
        ]
      }
      add(name, labelNames, {
        type: 'histogram',
        help,
        lines: () => [...series].flatMap(([l, s]) => lines(l, s)),
      })
      return {
        observe(value, labels) {
          const key = labelText(name, labelNames, labels)
          const seen = series.get(key) ?? { counts: buckets.map(() => 0), sum: 0, count: 0 }
          series.set(key, seen)
          const bucket = buckets.findIndex((bound) => value <= bound)
          if (bucket !== -1) seen.counts[bucket] = (seen.counts[bucket] ?? 0) + 1
          seen.sum += value
          seen.count += 1
        },
      }
    },

    text: () =>
      [...families]
        .flatMap(([name, { type, help, lines }]) => [
          `# HELP ${name} ${escapeHelp(help)}`,
          `# TYPE ${name} ${type}`,
          ...lines(),
        ])
        .map((text) => `${text}\n`)
        .join(''),
  }
}

/** CPU, memory and event loop of this process. Measuring the event loop ends with the returned resource. */
export function observeProcess(registry: Registry): Disposable {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  registry.counterFrom('handschlag_process_cpu_seconds_total', 'CPU time of the process.', ['mode'], () => {
    const { user, system } = process.cpuUsage()
    return [
      { labels: { mode: 'user' }, value: user / 1e6 },
      { labels: { mode: 'system' }, value: system / 1e6 },
    ]
  })
  registry.gauge('handschlag_process_memory_bytes', 'Memory of the process.', ['kind'], () => {
    const { rss, heapUsed, external } = process.memoryUsage()
    return [
      { labels: { kind: 'resident' }, value: rss },
      { labels: { kind: 'heap' }, value: heapUsed },
      { labels: { kind: 'external' }, value: external },
    ]
  })
  registry.gauge('handschlag_process_uptime_seconds', 'Time since the process started.', [], () => [
    { value: process.uptime() },
  ])
  const help = 'Delay of the event loop since the metrics were last asked for.'
  registry.gauge('handschlag_event_loop_delay_seconds', help, ['quantile'], () => {
    const samples = [
      { labels: { quantile: '0.5' }, value: delay.percentile(50) / 1e9 },
      { labels: { quantile: '0.99' }, value: delay.percentile(99) / 1e9 },
      { labels: { quantile: '1' }, value: delay.max / 1e9 },
    ]
    const empty = delay.count === 0
    delay.reset()
    return empty ? [] : samples
  })
  return { [Symbol.dispose]: () => void delay.disable() }
}

/** Labels as they stand between the braces, in the declared order. Another set of labels is a bug. */
function labelText(name: string, labelNames: readonly string[], labels: Labels = {}): string {
  const given = Object.keys(labels)
  if (given.length !== labelNames.length)
    throw new TypeError(`${name} has the labels ${labelNames.join(', ')}`)
  return labelNames
    .map((label) => {
      const value = labels[label]
      if (value === undefined) throw new TypeError(`${name} needs the label ${label}`)
      return `${label}="${escapeValue(value)}"`
    })
    .join(',')
}

const joined = (labels: string, more: string): string => (labels === '' ? more : `${labels},${more}`)

const line = (name: string, labels: string, value: number): string =>
  `${name}${labels === '' ? '' : `{${labels}}`} ${numberText(value)}`

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (Number.isFinite(value)) return String(value)
  return value > 0 ? '+Inf' : '-Inf'
}

/** Text exposition format 0.0.4, "Comments, help text, and type information". */
const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
const escapeValue = (text: string): string => escapeHelp(text).replaceAll('"', '\\"')
