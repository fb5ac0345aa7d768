import { expect, it } from 'vitest'
import { createParseTime, type TimeRule } from '../../connector/dataplane/sources/time.js'

const parse = (rule: TimeRule, value: unknown) => {
  const time = createParseTime(rule)(value)
  return time === undefined ? undefined : new Date(time).toISOString()
}
const newYork: TimeRule = { format: 'iso-local', timeZone: 'America/New_York' }
const berlin: TimeRule = { format: 'iso-local', timeZone: 'Europe/Berlin' }

it.each<[TimeRule, unknown, string | undefined]>([
  [{ format: 'iso' }, '2023-11-14T22:13:20Z', '2023-11-14T22:13:20.000Z'],
  [{ format: 'iso' }, '2023-11-14 22:13:20.1239+05:30', '2023-11-14T16:43:20.123Z'],
  [{ format: 'iso' }, '2023-11-14T22:13-0800', '2023-11-15T06:13:00.000Z'],
  [{ format: 'iso' }, '2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  [{ format: 'iso' }, '2023-02-29T00:00:00Z', undefined],
  [{ format: 'iso' }, '2023-13-01T00:00:00Z', undefined],
  [{ format: 'iso' }, '2023-11-14T24:00:00Z', undefined],
  [{ format: 'iso' }, '2023-11-14T22:13:20', undefined],
  [{ format: 'iso' }, '2023-11-14', undefined],
  [{ format: 'iso' }, ' 2023-11-14T22:13:20Z', undefined],
  [{ format: 'iso' }, 1_700_000_000_000, undefined],
  [{ format: 'iso' }, '0023-11-14T22:13:20Z', undefined],
  [{ format: 'epoch-ms' }, 1_700_000_000_123, '2023-11-14T22:13:20.123Z'],
  [{ format: 'epoch-ms' }, '1700000000123', '2023-11-14T22:13:20.123Z'],
  [{ format: 'epoch-s' }, 1_700_000_000.25, '2023-11-14T22:13:20.250Z'],
  [{ format: 'epoch-s' }, 1_700_000_000_123, undefined],
  [{ format: 'epoch-s' }, '1.7e9', undefined],
  [{ format: 'epoch-ms' }, Number.NaN, undefined],
  [{ format: 'epoch-ms' }, true, undefined],
  // First row of a recording made in winter in New York, five hours behind UTC.
  [newYork, '2013-12-02 21:15:00', '2013-12-03T02:15:00.000Z'],
  [newYork, '2013-07-02 21:15:00', '2013-07-03T01:15:00.000Z'],
  [newYork, '2013-12-02 21:15:00Z', undefined],
  // Clocks go back at 02:00 EDT on 3 November 2013: 01:30 happens twice, the first counts.
  [newYork, '2013-11-03 01:30:00', '2013-11-03T05:30:00.000Z'],
  [newYork, '2013-11-03 00:59:59', '2013-11-03T04:59:59.000Z'],
  [newYork, '2013-11-03 02:00:00', '2013-11-03T07:00:00.000Z'],
  // Clocks go forward at 02:00 EST on 10 March 2013: 02:30 does not happen and counts as 03:30 EDT.
  [newYork, '2013-03-10 01:59:59', '2013-03-10T06:59:59.000Z'],
  [newYork, '2013-03-10 02:30:00', '2013-03-10T07:30:00.000Z'],
  [newYork, '2013-03-10 03:30:00', '2013-03-10T07:30:00.000Z'],
  [berlin, '2026-10-25T02:30:00', '2026-10-25T00:30:00.000Z'],
  [berlin, '2026-03-29T02:30:00', '2026-03-29T01:30:00.000Z'],
])('reads %o %s as %s', (rule, value, expected) => {
  expect(parse(rule, value)).toBe(expected)
})

it('reads a whole day of changing clocks in order with one parser', () => {
  const read = createParseTime(berlin)
  const times = ['01:45', '02:15', '02:45', '03:15', '01:45'].map((at) => read(`2026-10-25 ${at}:00`))
  expect(times.map((time) => new Date(time ?? 0).toISOString().slice(11, 16))).toEqual([
    '23:45',
    '00:15',
    '00:45',
    '02:15',
    '23:45',
  ])
})
