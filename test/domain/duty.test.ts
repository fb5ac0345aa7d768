import { describe, expect, it } from 'vitest'
import type { EpochMs } from '../../connector/core/types.js'
import { type Arrival, dueArrivals, graceOf, spanOf, standingOf } from '../../connector/domain/duty.js'
import type { Demand } from '../../connector/policy/duties.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const T0 = Date.parse('2027-01-01T00:00:00Z')
const at = (ms: number): EpochMs => (T0 + ms) as EpochMs
const deleting = (limits: object): Demand => ({
  path: 'obligation[0]',
  action: 'http://www.w3.org/ns/odrl/2/delete',
  kind: 'delete',
  limits,
})
const FORTY_DAYS = deleting({ retention: { months: 0, ms: 40 * DAY } })
const came = { outstanding: { from: at(0), to: at(0) }, waived: false }

describe('how a deletion stands', () => {
  it('is open, due soon three days before, and overdue after its time', () => {
    const state = (ms: number) => standingOf(FORTY_DAYS, came, at(ms))
    expect(state(37 * DAY - 1)).toEqual({ state: 'open', dueAt: at(40 * DAY), remindAt: at(37 * DAY) })
    expect(state(37 * DAY)).toEqual({ state: 'due soon', dueAt: at(40 * DAY) })
    expect(state(40 * DAY)).toEqual({ state: 'due soon', dueAt: at(40 * DAY) })
    expect(state(40 * DAY + 1)).toEqual({ state: 'overdue', dueAt: at(40 * DAY) })
  })
  it('warns in the last quarter of a short time', () => {
    const hour = deleting({ retention: { months: 0, ms: HOUR } })
    expect(standingOf(hour, came, at(0.75 * HOUR - 1)).state).toBe('open')
    expect(standingOf(hour, came, at(0.75 * HOUR)).state).toBe('due soon')
  })
  it('needs no reminder where a connector sees to it', () => {
    const facts = { ...came, byItself: true }
    expect(standingOf(FORTY_DAYS, facts, at(40 * DAY))).toEqual({ state: 'open', dueAt: at(40 * DAY) })
    expect(standingOf(FORTY_DAYS, facts, at(40 * DAY + 1)).state).toBe('overdue')
  })
  it('gives the other side its grace before it counts as overdue', () => {
    expect(standingOf(FORTY_DAYS, came, at(41 * DAY), DAY).state).toBe('due soon')
    expect(standingOf(FORTY_DAYS, came, at(41 * DAY + 1), DAY).state).toBe('overdue')
  })
  it('is open with nothing due while nothing is there, and fulfilled when nothing can come any more', () => {
    expect(standingOf(FORTY_DAYS, { waived: false }, at(0))).toEqual({ state: 'open' })
    expect(standingOf(FORTY_DAYS, { waived: false, endedAt: at(DAY) }, at(0)).state).toBe('open')
    expect(standingOf(FORTY_DAYS, { waived: false, endedAt: at(DAY) }, at(DAY)).state).toBe('fulfilled')
  })
  it('is not fulfilled by the end of the contract while data is there', () => {
    expect(standingOf(FORTY_DAYS, { ...came, endedAt: at(DAY) }, at(2 * DAY))).toMatchObject({
      state: 'open',
      dueAt: at(40 * DAY),
      remindAt: at(37 * DAY),
    })
  })
  it('is waived whatever is there', () => {
    expect(standingOf(FORTY_DAYS, { ...came, waived: true }, at(50 * DAY)).state).toBe('waived')
  })
})

it('never counts a notice as done, and what only people can do once they have said so', () => {
  const inform: Demand = { path: 'o', action: 'inform', kind: 'inform' }
  const other: Demand = { path: 'o', action: 'attribute', kind: 'other' }
  const said = { waived: false, settledAt: at(0) }
  expect(standingOf(inform, said, at(0)).state).toBe('open')
  expect(standingOf(other, { waived: false }, at(0)).state).toBe('open')
  expect(standingOf(other, said, at(0)).state).toBe('fulfilled')
})

describe('what belongs together', () => {
  it('is a hundredth of the time, at least a second and at most a day', () => {
    expect(spanOf({ months: 0, ms: HOUR })).toBe(36_000)
    expect(spanOf({ months: 0, ms: 5_000 })).toBe(1_000)
    expect(spanOf({ months: 12, ms: 0 })).toBe(DAY)
    expect(spanOf(undefined)).toBe(DAY)
  })
  it('leaves the other side a day to tell, less where the time itself is short', () => {
    expect(graceOf({ months: 0, ms: 90 * DAY })).toBe(DAY + 0.9 * DAY)
    expect(graceOf({ months: 0, ms: HOUR })).toBe(HOUR + 36_000)
    expect(graceOf({ months: 0, ms: 1000 })).toBe(600_000 + 1000)
  })
  it('takes along what came before something due, also when the clock was ahead then', () => {
    const arrival = (seq: number, from: number): Arrival => ({
      seq,
      agreementId: 'a',
      role: 'consumer',
      place: 't',
      from: at(from),
      to: at(from),
      start: { bytes: 0, records: 0 },
      end: { bytes: 0, records: 0 },
      own: true,
      gone: false,
    })
    const all = [arrival(1, 50), arrival(2, 10), arrival(3, 60)]
    const due = dueArrivals(all, ({ from }) => from <= at(20))
    expect(due.map(({ seq }) => seq)).toEqual([1, 2])
    expect(dueArrivals(all, () => false)).toEqual([])
  })
})
