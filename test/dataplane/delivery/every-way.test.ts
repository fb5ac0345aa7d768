/** Each measure, end to end, in each of the ways in which data is delivered: the expected lines are written by hand. */
import { describe, expect, it } from 'vitest'
import type { Signal } from '../../../connector/dataplane/record.js'
import type { Plan } from '../../../connector/policy/plan.js'
import { plan, serveDataPlane } from '../support/data-plane-server.js'
import { deliver, WAYS } from '../support/every-way.js'
import { memorySource, record } from '../support/memory-source.js'

const T0 = Date.parse('2026-11-02T08:00:00Z')
const SIGNALS: readonly Signal[] = [
  { name: 'temp', type: 'number' },
  { name: 'load', type: 'integer' },
  { name: 'line', type: 'string' },
  { name: 'machineState', type: 'string' },
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

type Case = readonly [name: string, terms: Partial<Plan>, lines: readonly unknown[]]

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
    'all fields but some',
    { rows: { machineId: { only: ['press-2'] } }, withheld: ['line', 'machineState', 'temp'] },
    [{ id: 'p7', ts: '2026-11-02T08:00:06.000Z', series: 'press-2', load: 70 }],
  ],
]

describe.each(CASES)('%s', (_name, terms, lines) => {
  it.each(WAYS)('by %s', async (way) => {
    const delivered = await deliver(way, { terms, records: ROWS, signals: SIGNALS, expected: lines.length })
    expect(delivered.lines).toEqual(lines)
    expect(delivered.raw).not.toContain('secret-fault')
  })
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
