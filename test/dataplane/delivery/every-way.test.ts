/** Each measure, end to end, in each of the ways in which data is delivered: the expected lines are written by hand. */
import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { DataRecord, Signal } from '../../../connector/dataplane/record.js'
import type { Plan } from '../../../connector/policy/plan.js'
import { plan, serveDataPlane } from '../support/data-plane-server.js'
import { deliver, WAYS } from '../support/every-way.js'
import { memorySource, record } from '../support/memory-source.js'

const T0 = Date.parse('2026-11-02T08:00:00Z')
const SIGNALS: readonly Signal[] = [
  { name: 'temp', type: 'number' },
  { name: 'load', type: 'integer' },
  { name: 'line', type: 'string' },
  { name: 'lot', type: 'string' },
  { name: 'machineState', type: 'string' },
  { name: 'sourceLocation', type: 'string' },
]

const ROWS = [
  record(1, T0, { temp: 1, line: 'A', machineState: 'run' }, 'press-1'),
  record(2, T0 + 1_000, { temp: 2, line: 'B', machineState: 'run' }, 'press-2'),
  record(3, T0 + 2_000, { temp: 3, line: 'A', machineState: 'secret-fault' }, 'press-1'),
  record(4, T0 + 3_000, { temp: 4, machineState: 'run' }, 'press-1'),
  record(5, T0 + 4_000, { temp: 5, line: null, machineState: 'run' }, 'press-1'),
  record(6, T0 + 5_000, { temp: 6, line: 'A' }, ''),
  record(7, T0 + 6_000, { temp: 7, load: 70, line: 'A', machineState: 'secret-fault' }, 'press-2'),
]

type Case = readonly [
  name: string,
  terms: Partial<Plan>,
  lines: readonly unknown[],
  records?: readonly DataRecord[],
]

const KEY = new Uint8Array(32).fill(7)
/** HMAC-SHA256 (RFC 2104) of kind, a zero byte and name; the first 16 bytes in base64url. */
const pseudonym = (kind: string, name: string) =>
  createHmac('sha256', KEY).update(`${kind}\0${name}`).digest().subarray(0, 16).toString('base64url')

const MINUTE = 60_000
const minute = (n: number, second: number) => T0 + n * MINUTE + second * 1000
/** The window of the nth minute as it stands in ids: minutes since 1970 to the base 36. */
const window = (n: number) => (T0 / MINUTE + n).toString(36)

const MEASURED = [
  record(1, minute(0, 0), { temp: 1, line: 'secret-fault' }),
  record(2, minute(0, 20), { temp: 2 }),
  record(3, minute(0, 40), { temp: 6.5 }),
  record(4, minute(1, 0), { temp: 10 }),
  record(5, minute(1, 59), { temp: 20 }),
  // Late by less than a window: it still counts.
  record(6, minute(0, 59), { temp: 2.5 }),
  record(7, minute(2, 0), { temp: -5.25, load: 7 }),
  record(8, minute(2, 1), { temp: -5.5 }),
  record(9, minute(2, 2), { temp: -5.75 }),
  record(10, minute(3, 0), { temp: 1 }),
  // Its window was closed by the record before: too late.
  record(11, minute(1, 30), { temp: 99 }),
  record(12, minute(4, 0), { temp: 1 }),
]

const CASES: readonly Case[] = [
  [
    'rows of one machine',
    { rows: { machineId: { only: ['press-2'] } }, fields: ['temp'] },
    [
      { id: 'p2', ts: '2026-11-02T08:00:01.000Z', series: 'press-2', temp: 2 },
      { id: 'p7', ts: '2026-11-02T08:00:06.000Z', series: 'press-2', temp: 7 },
    ],
  ],
  [
    'rows of a line in a state, by fields that are not delivered',
    { rows: { line: { only: ['A', 'C'] }, machineState: { except: ['run'] } }, fields: ['temp', 'load'] },
    [
      { id: 'p3', ts: '2026-11-02T08:00:02.000Z', series: 'press-1', temp: 3 },
      { id: 'p7', ts: '2026-11-02T08:00:06.000Z', series: 'press-2', temp: 7, load: 70 },
    ],
  ],
  [
    'rows that are not of a line: what names none is dropped as well',
    { rows: { line: { except: ['A'] } }, fields: ['temp'] },
    [{ id: 'p2', ts: '2026-11-02T08:00:01.000Z', series: 'press-2', temp: 2 }],
  ],
  [
    'rows of a lot: what names another one or none is dropped',
    { rows: { lot: { only: ['L-1'] } }, fields: ['temp'] },
    [{ id: 'p1', ts: '2026-11-02T08:00:00.000Z', series: 'press-1', temp: 1 }],
    [
      record(1, T0, { temp: 1, lot: 'L-1' }, 'press-1'),
      record(2, T0 + 1_000, { temp: 2, lot: 'L-2' }, 'press-1'),
      record(3, T0 + 2_000, { temp: 3 }, 'press-1'),
    ],
  ],
  [
    'pseudonyms of machine and line, chosen by their real names',
    { pseudonym: 'agreement', rows: { machineId: { only: ['press-1'] }, line: { only: ['A'] } } },
    [
      {
        id: 'p1',
        ts: '2026-11-02T08:00:00.000Z',
        series: pseudonym('series', 'press-1'),
        temp: 1,
        line: pseudonym('signal:line', 'A'),
        machineState: 'run',
      },
    ],
    ROWS.slice(0, 2),
  ],
  [
    'all fields but some',
    { rows: { machineId: { only: ['press-2'] } }, withheld: ['line', 'machineState', 'temp'] },
    [{ id: 'p7', ts: '2026-11-02T08:00:06.000Z', series: 'press-2', load: 70 }],
  ],
  [
    'windows of a minute: two values are too few, one that is late by a window counts, one that is later does not',
    { aggregationWindowMs: MINUTE, aggregations: ['mean', 'min', 'max', 'count'] },
    [
      {
        id: `p7~${window(0)}.0`,
        ts: '2026-11-02T08:00:00.000Z',
        'temp.mean': 3,
        'temp.min': 1,
        'temp.max': 6.5,
        'temp.count': 4,
      },
      {
        id: `p12~${window(2)}.0`,
        ts: '2026-11-02T08:02:00.000Z',
        'temp.mean': -5.5,
        'temp.min': -5.75,
        'temp.max': -5.25,
        'temp.count': 3,
      },
    ],
    MEASURED,
  ],
  [
    'windows without a choice of functions: nothing that shows a single value',
    { aggregationWindowMs: MINUTE, valueStep: 0.5 },
    [
      { id: `p7~${window(0)}.0`, ts: '2026-11-02T08:00:00.000Z', 'temp.mean': 3, 'temp.count': 4 },
      { id: `p12~${window(2)}.0`, ts: '2026-11-02T08:02:00.000Z', 'temp.mean': -5.5, 'temp.count': 3 },
    ],
    MEASURED,
  ],
  [
    'means over a group of three machines, each of which counts the same; two are no group',
    { aggregationWindowMs: MINUTE, aggregations: ['mean', 'count'], minGroup: 3 },
    [
      {
        id: `p10~${window(0)}.0`,
        ts: '2026-11-02T08:00:00.000Z',
        // (1 + (10 + 20) / 2 + 5) / 3
        'temp.mean': 7,
        'temp.count': 3,
      },
    ],
    [
      record(1, minute(0, 0), { temp: 1, load: 1, line: 'secret-fault' }, 'a'),
      record(2, minute(0, 1), { temp: 10, load: 2 }, 'b'),
      record(3, minute(0, 2), { temp: 20 }, 'b'),
      record(4, minute(0, 3), { temp: 5 }, 'c'),
      record(5, minute(0, 4), { temp: 1_000 }, ''),
      record(6, minute(1, 0), { temp: 1 }, 'a'),
      record(7, minute(1, 1), { temp: 1 }, 'a'),
      record(8, minute(1, 2), { temp: 1 }, 'a'),
      record(9, minute(1, 3), { temp: 1 }, 'b'),
      record(10, minute(2, 0), { temp: 1 }, 'a'),
      record(11, minute(3, 0), { temp: 1 }, 'a'),
    ],
  ],
  [
    'records of one place: without a place there is nothing',
    { rows: { sourceLocation: { only: ['Ulm'] } }, fields: ['temp'] },
    [{ id: 'p1', ts: '2026-11-02T08:00:00.000Z', temp: 1 }],
    [
      record(1, T0, { temp: 1, sourceLocation: 'Ulm' }),
      record(2, T0, { temp: 2, sourceLocation: 'secret-fault' }),
      record(3, T0, { temp: 3 }),
    ],
  ],
  [
    'numbers in steps of five, cut down, negative ones and whole ones as well',
    { valueStep: 5, fields: ['temp', 'load'], rows: { machineId: { only: ['m'] } } },
    [
      { id: 'p1', ts: '2026-11-02T08:00:00.000Z', series: 'm', temp: 0, load: 10 },
      { id: 'p2', ts: '2026-11-02T08:00:00.000Z', series: 'm', temp: -5, load: -10 },
      { id: 'p3', ts: '2026-11-02T08:00:00.000Z', series: 'm', temp: 5 },
      { id: 'p4', ts: '2026-11-02T08:00:00.000Z', series: 'm', temp: null },
    ],
    [
      record(1, T0, { temp: 4.999, load: 14, line: 'secret-fault' }, 'm'),
      record(2, T0, { temp: -0.001, load: -10 }, 'm'),
      record(3, T0, { temp: 5 }, 'm'),
      record(4, T0, { temp: null }, 'm'),
    ],
  ],
  [
    // Drawn by another program from the same key: -12, -15, -6 and -4 steps of a half.
    'numbers with deviations, the same in each of the ways, and nothing where there is no number',
    {
      shapes: ['urn:sha256:0'],
      valueSteps: { temp: 0.5 },
      noise: { temp: { epsilon: 0.5, sensitivity: 2 } },
      fields: ['temp', 'load'],
    },
    [
      { id: 'p1', ts: '2026-11-02T08:00:00.000Z', series: 'press-1', temp: -4.5, load: 3 },
      { id: 'p2', ts: '2026-11-02T08:00:01.000Z', series: 'press-1', temp: -5.5 },
      { id: 'p3', ts: '2026-11-02T08:00:02.000Z', series: 'press-1', temp: -3.5 },
      { id: 'p4', ts: '2026-11-02T08:00:03.000Z', series: 'press-1', temp: 5 },
      { id: 'p5', ts: '2026-11-02T08:00:04.000Z', series: 'press-1', load: 4 },
    ],
    [
      record(1, T0, { temp: 1.9, load: 3, line: 'secret-fault' }, 'press-1'),
      record(2, T0 + 1_000, { temp: 2.4 }, 'press-1'),
      record(3, T0 + 2_000, { temp: -0.2 }, 'press-1'),
      record(4, T0 + 3_000, { temp: 7 }, 'press-1'),
      record(5, T0 + 4_000, { temp: null, load: 4 }, 'press-1'),
    ],
  ],
]

const WITH_RECORDS = CASES.map(
  ([name, terms, lines, records = ROWS]) => [name, terms, lines, records] as const,
)

describe.each(WITH_RECORDS)('%s', (_name, terms, lines, records) => {
  it.each(WAYS)('by %s', async (way) => {
    const delivered = await deliver(way, {
      terms,
      records,
      signals: SIGNALS,
      expected: lines.length,
      pseudonymKey: KEY,
    })
    expect(delivered.lines).toEqual(lines)
    expect(delivered.raw).not.toContain('secret-fault')
    if (terms.pseudonym !== undefined) expect(delivered.raw).not.toContain('press-')
  })
})

describe('a group of machines that a signal names', () => {
  const signals: readonly Signal[] = [...SIGNALS, { name: 'machineId', type: 'string' }]
  const terms = {
    fields: ['temp'],
    aggregationWindowMs: MINUTE,
    aggregations: ['mean', 'count'],
    minGroup: 3,
  }
  const given = [
    record(1, minute(0, 0), { temp: 1, machineId: 'press-1' }),
    record(2, minute(0, 1), { temp: 3, machineId: 'press-2' }),
    record(3, minute(0, 2), { temp: 8, machineId: 'press-3' }),
    // Several series of one machine are no group.
    record(4, minute(1, 0), { temp: 10, machineId: 'press-1' }, 'left'),
    record(5, minute(1, 1), { temp: 20, machineId: 'press-1' }, 'right'),
    record(6, minute(1, 2), { temp: 30, machineId: 'press-1' }, 'top'),
    record(7, minute(1, 3), { temp: 30 }, 'nameless'),
    record(8, minute(2, 0), { temp: 1, machineId: 'press-1' }),
    record(9, minute(3, 0), { temp: 1, machineId: 'press-1' }),
  ]
  it.each(WAYS)('is counted by that name, by %s', async (way) => {
    const delivered = await deliver(way, { terms, records: given, signals, expected: 1, pseudonymKey: KEY })
    expect(delivered.lines).toEqual([
      { id: `p8~${window(0)}.0`, ts: '2026-11-02T08:00:00.000Z', 'temp.mean': 4, 'temp.count': 3 },
    ])
    expect(delivered.raw).not.toContain('press-')
  })
})

it('refuses to serve a group of machines from a source of one series, unless a signal names the machine', async () => {
  const grouped = plan({ aggregationWindowMs: MINUTE, aggregations: ['mean'], minGroup: 3 })
  const unnamed = SIGNALS.filter(({ name }) => name !== 'machineId')
  const named = [...unnamed, { name: 'machineId', type: 'string' }] as const
  for (const [oneSeries, signals, ok] of [
    [true, unnamed, false],
    [true, named, true],
    [false, unnamed, true],
  ] as const) {
    const source = { ...memorySource(ROWS), ...(oneSeries && { oneSeries }) }
    await using served = await serveDataPlane(source, { signalsOf: () => signals })
    const outcome = served.plane.canServe('dataset', grouped)
    expect(outcome.ok).toBe(ok)
    if (!outcome.ok) expect(outcome.error.message).toContain('which machine a record is of')
  }
})

it('refuses to serve a choice of rows by a signal that the dataset does not declare', async () => {
  const signals = SIGNALS.filter(({ name }) => name !== 'line')
  await using served = await serveDataPlane(memorySource(ROWS), { signalsOf: () => signals })
  const { plane } = served
  expect(plane.canServe('dataset', plan({ rows: { machineId: { only: ['press-1'] } } })).ok).toBe(true)
  expect(plane.canServe('dataset', plan({ rows: { line: { only: ['A'] } } }))).toMatchObject({
    ok: false,
    error: {
      code: 'PolicyDenied',
      message:
        'The policy chooses records by "line", but the dataset declares no signal of that name, so nothing could be delivered.',
    },
  })
})
