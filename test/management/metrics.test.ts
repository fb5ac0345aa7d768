import { describe, expect, it } from 'vitest'
import { createRegistry, observeProcess } from '../../connector/core/metrics.js'

describe('metrics', () => {
  it('count, with help and type in front', () => {
    const registry = createRegistry()
    const messages = registry.counter('handschlag_dsp_messages_total', 'DSP requests.', [
      'protocol',
      'outcome',
    ])
    registry.counter('handschlag_starts_total', 'Starts.')
    messages.inc({ protocol: 'catalog', outcome: 'ok' })
    messages.inc({ outcome: 'ok', protocol: 'catalog' }, 2)
    messages.inc({ protocol: 'transfer', outcome: 'NotFound' })
    expect(registry.text()).toBe(`# HELP handschlag_dsp_messages_total DSP requests.
# TYPE handschlag_dsp_messages_total counter
handschlag_dsp_messages_total{protocol="catalog",outcome="ok"} 3
handschlag_dsp_messages_total{protocol="transfer",outcome="NotFound"} 1
# HELP handschlag_starts_total Starts.
# TYPE handschlag_starts_total counter
handschlag_starts_total 0
`)
  })

  it('escape what would break the format', () => {
    const registry = createRegistry()
    registry.gauge('g', 'A \\ and\na line with "quotes".', ['source'], () => [
      { labels: { source: 'a\\b"c\nd' }, value: 1 },
    ])
    expect(registry.text()).toBe(
      '# HELP g A \\\\ and\\na line with "quotes".\n# TYPE g gauge\ng{source="a\\\\b\\"c\\nd"} 1\n',
    )
  })

  it('read gauges and foreign counts when they are asked for', () => {
    const registry = createRegistry()
    let owed = 1
    registry.gauge('owed', 'Owed.', [], () => [{ value: owed }])
    registry.counterFrom('taken_total', 'Taken.', [], () => [{ value: owed * 10 }])
    owed = 2
    expect(registry.text()).toContain('\nowed 2\n')
    expect(registry.text()).toContain('# TYPE taken_total counter\ntaken_total 20\n')
  })

  it('write special numbers as Prometheus reads them', () => {
    const registry = createRegistry()
    registry.gauge('n', 'N.', ['k'], () => [
      { labels: { k: 'a' }, value: Number.NaN },
      { labels: { k: 'b' }, value: Number.POSITIVE_INFINITY },
      { labels: { k: 'c' }, value: Number.NEGATIVE_INFINITY },
      { labels: { k: 'd' }, value: 1e-9 },
    ])
    expect(registry.text().split('\n').slice(2, 6)).toEqual([
      'n{k="a"} NaN',
      'n{k="b"} +Inf',
      'n{k="c"} -Inf',
      'n{k="d"} 1e-9',
    ])
  })

  it('fill histograms cumulatively', () => {
    const registry = createRegistry()
    const seconds = registry.histogram('took_seconds', 'Took.', ['what'], [0.1, 1])
    for (const value of [0.05, 0.1, 0.5, 7]) seconds.observe(value, { what: 'pull' })
    expect(registry.text()).toBe(`# HELP took_seconds Took.
# TYPE took_seconds histogram
took_seconds_bucket{what="pull",le="0.1"} 2
took_seconds_bucket{what="pull",le="1"} 3
took_seconds_bucket{what="pull",le="+Inf"} 4
took_seconds_sum{what="pull"} 7.65
took_seconds_count{what="pull"} 4
`)
  })

  it('refuse what is a mistake of the program', () => {
    const registry = createRegistry()
    const counter = registry.counter('a_total', 'A.', ['x'])
    expect(() => registry.counter('a_total', 'A.')).toThrow('there is already a metric a_total')
    expect(() => registry.counter('not-a-name', 'A.')).toThrow('cannot be the name')
    expect(() => registry.gauge('b', 'B.', ['le'], () => [])).toThrow('cannot be a label')
    expect(() => counter.inc()).toThrow('labels x')
    expect(() => counter.inc({ y: '1' })).toThrow('needs the label x')
    expect(() => counter.inc({ x: '1' }, -1)).toThrow('only goes up')
    expect(() => registry.histogram('h', 'H.', [], [1, 1])).toThrow('do not ascend')
  })

  it('know the process itself', () => {
    const registry = createRegistry()
    using _process = observeProcess(registry)
    const value = (series: string): number =>
      Number(
        registry
          .text()
          .split('\n')
          .find((text) => text.startsWith(`${series} `))
          ?.split(' ')[1],
      )
    expect(value('handschlag_process_memory_bytes{kind="resident"}')).toBeGreaterThan(1e6)
    expect(value('handschlag_process_cpu_seconds_total{mode="user"}')).toBeGreaterThan(0)
    expect(value('handschlag_process_uptime_seconds')).toBeGreaterThan(0)
    expect(registry.text()).toContain('# TYPE handschlag_event_loop_delay_seconds gauge')
  })
})
