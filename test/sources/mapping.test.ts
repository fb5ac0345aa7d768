import { expect, it } from 'vitest'
import type { EpochMs } from '../../connector/core/types.js'
import type { Signal } from '../../connector/dataplane/record.js'
import { createMapMessage } from '../../connector/dataplane/sources/mapping.js'
import { matchesFilter, parseMqttConfig } from '../../connector/dataplane/sources/mqtt-config.js'

const ARRIVAL = 1_700_000_000_000 as EpochMs
const signals: readonly Signal[] = [
  { name: 'temp', type: 'number' },
  { name: 'count', type: 'integer' },
  { name: 'mode', type: 'string' },
  { name: 'on', type: 'boolean' },
]

function mapper(mapping: Record<string, unknown>) {
  const config = parseMqttConfig({ url: 'mqtt://localhost', topics: ['#'], mapping }, signals)
  if (!config.ok) throw new Error(config.error.message)
  const { mapPayload } = createMapMessage(config.value.mapping, signals)
  return (payload: unknown, topic = 'plant/pump-1/state') =>
    mapPayload(Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)), {
      topic,
      arrivedAt: ARRIVAL,
    })
}
const flat = {
  time: { path: 't', format: 'epoch-ms' },
  signals: { temp: 'v.temp', count: '/v/count', mode: '/v/a~1b', on: 'v.list.0' },
}
const why = (mapped: ReturnType<ReturnType<typeof mapper>>) => mapped.malformed.map((one) => one.why)

it('takes declared values by dotted path and JSON Pointer, and nothing else', () => {
  const map = mapper(flat)
  expect(
    map({ t: 5e11, v: { temp: 1.5, count: 3, 'a/b': 'auto', list: [true], secret: 9 }, other: 1 }),
  ).toEqual({
    records: [{ time: 5e11, series: '', values: { temp: 1.5, count: 3, mode: 'auto', on: true } }],
    malformed: [],
  })
})

it('leaves missing and null values absent', () => {
  expect(mapper(flat)({ t: 1e12, v: { temp: null, count: 1 } }).records).toEqual([
    { time: 1e12, series: '', values: { count: 1 } },
  ])
})

it('does not climb into what every object inherits', () => {
  const map = mapper({ ...flat, signals: { mode: 'constructor.name' } })
  expect(why(map({ t: 1e12 }))).toEqual(['it has none of the declared signals'])
})

it.each<[unknown, string]>([
  ['{"t":1', 'it is not JSON'],
  [{ v: { temp: 1 } }, 'it has no time'],
  [{ t: 'soon', v: { temp: 1 } }, 'its time "soon" is not a number of milliseconds since 1970'],
  [{ t: 'a\nb\u001b', v: { temp: 1 } }, 'its time "a?b?" is not a number of milliseconds since 1970'],
  [{ t: {}, v: { temp: 1 } }, 'its time a object is not a number of milliseconds since 1970'],
  [{ t: 1e12, v: { temp: '1' } }, 'its signal "temp" is not a finite number'],
  ['{"t":1000000000000,"v":{"temp":1e999}}', 'its signal "temp" is not a finite number'],
  [{ t: 1e12, v: { count: 2 ** 53 } }, 'its signal "count" is not a whole number of at most 53 bits'],
  [{ t: 1e12, v: { count: 1.5 } }, 'its signal "count" is not a whole number of at most 53 bits'],
  [
    { t: 1e12, v: { 'a/b': 'x'.repeat(4_097) } },
    'its signal "mode" is not a text of at most 4096 characters',
  ],
  ['{"t":1000000000000,"v":{"a/b":"\\ud800"}}', 'its signal "mode" is not a text of at most 4096 characters'],
  [{ t: 1e12, v: { list: [1] } }, 'its signal "on" is not true or false'],
  [{ t: 1e12, v: { other: 1 } }, 'it has none of the declared signals'],
  [
    { t: ARRIVAL + 600_001, v: { temp: 1 } },
    'its time 1700000600001 is more than 10 minutes ahead of its arrival',
  ],
])('leaves out %j: %s', (payload, expected) => {
  const mapped = mapper(flat)(payload)
  expect(why(mapped)).toEqual([expected])
  expect(mapped.records).toEqual([])
})

it('takes a time up to 10 minutes ahead', () => {
  expect(mapper(flat)({ t: ARRIVAL + 600_000, v: { temp: 1 } }).records).toHaveLength(1)
})

it('leaves out bytes that are not UTF-8 and messages above 1 MiB', () => {
  const config = parseMqttConfig({ url: 'mqtt://localhost', topics: ['#'], mapping: flat }, signals)
  if (!config.ok) throw new Error(config.error.message)
  const { mapPayload } = createMapMessage(config.value.mapping, signals)
  expect(mapPayload(Buffer.from([0x22, 0xff, 0x22]), {}).malformed[0]?.why).toBe('it is not UTF-8')
  expect(mapPayload(Buffer.alloc(1024 * 1024 + 1, 0x20), {}).malformed[0]?.why).toBe(
    'it is larger than 1 MiB',
  )
})

it('takes the series from the topic, the payload or the declaration', () => {
  const payload = { t: 1e12, v: { temp: 1 }, machine: { id: 7 } }
  const seriesWith = (series: unknown) => mapper({ ...flat, series })(payload).records[0]?.series
  expect([seriesWith('topic:2'), seriesWith({ path: 'machine.id' }), seriesWith('press')]).toEqual([
    'pump-1',
    '7',
    'press',
  ])
  expect(why(mapper({ ...flat, series: 'topic:9' })(payload))).toEqual([
    'it does not say which series it belongs to',
  ])
})

it('takes one value per topic, named by a topic level', () => {
  const map = mapper({ time: 'arrival', series: 'topic:2', signals: {}, topicSignal: { level: 3 } })
  expect(map('21.5', 'plant/pump-1/temp').records).toEqual([
    { time: ARRIVAL, series: 'pump-1', values: { temp: 21.5 } },
  ])
  expect(map('"auto"', 'plant/pump-1/mode').records[0]?.values).toEqual({ mode: 'auto' })
  expect(map('1', 'plant/pump-1/undeclared')).toEqual({ records: [], malformed: [] })
  expect(map('1', 'plant')).toEqual({ records: [], malformed: [] })
  const inObject = mapper({ time: { path: 't', format: 'epoch-s' }, topicSignal: { level: 1, path: '/v' } })
  expect(inObject({ t: 1e9, v: true }, 'on').records).toEqual([
    { time: 1e12, series: '', values: { on: true } },
  ])
})

it('takes each entry of a list, and leaves out single ones', () => {
  const map = mapper({ each: 'rows', time: { path: 't', format: 'epoch-ms' }, signals: { temp: 'x' } })
  const mapped = map({
    rows: [
      { t: 1e12, x: 1 },
      { t: 'x', x: 2 },
      { t: 1e12 + 1, x: 3 },
    ],
  })
  expect(mapped.records.map(({ values }) => values.temp)).toEqual([1, 3])
  expect(mapped.malformed).toEqual([
    { entry: 2, why: 'its time "x" is not a number of milliseconds since 1970' },
  ])
  expect(why(map({ rows: 1 }))).toEqual(['it has no list at rows'])
})

it('lists all mistakes of a configuration at once and shows no value of it', () => {
  const config = parseMqttConfig(
    {
      url: 'mqtt://user:hunter2@host/x',
      topics: ['a/#/b', 'ok/+'],
      password: 'hunter2',
      cert: 'here.pem',
      rejectUnauthorized: false,
      qos: 2,
      color: 'red',
      mapping: { time: { path: 't', format: 'iso-local' }, signals: { temp: 'a..b', flow: 'x' }, each: 3 },
    },
    signals,
  )
  expect(config).toEqual({
    ok: false,
    error: {
      code: 'InvalidInput',
      message: `The MQTT source has 14 mistakes: ${[
        'url must not contain a user or password: they have their own settings username and password',
        'url must end after the host and port',
        'password needs a username',
        'cert must be the absolute path of a PEM file',
        'cert needs an address that begins with mqtts://',
        'cert and key go together',
        'rejectUnauthorized cannot be switched off: name the certificate authority of the broker with ca',
        'topics[0] is not a topic filter: + stands for a whole level, # for all the last ones, as in plant/+/state',
        'qos must be one of 0, 1',
        'mapping.each must be a text that is not empty',
        'mapping.time.timeZone is missing: times without an offset need one, such as Europe/Berlin',
        'mapping.signals.temp must be a path such as /machine/temperature or machine.temperature',
        'mapping.signals maps the signal flow, which the dataset does not declare',
      ].join(
        '; ',
      )}; color is not a known setting (known here: ca, cert, clientId, key, mapping, password, protocolVersion, qos, rejectUnauthorized, topics, url, username).`,
    },
  })
})

it.each([
  ['plant/+/state', 'plant/1/state', true],
  ['plant/+/state', 'plant/1/2/state', false],
  ['plant/#', 'plant', true],
  ['plant/#', 'plant/1/2', true],
  ['+', 'a/b', false],
  ['#', '$SYS/uptime', false],
  ['$SYS/#', '$SYS/uptime', true],
  ['$share/group/plant/+', 'plant/1', true],
  ['a/b', 'a', false],
])('filter %s against topic %s: %s', (filter, topic, expected) => {
  expect(matchesFilter(filter, topic)).toBe(expected)
})
