/** Clock time in zones: the two nights of the year in which the clock is changed, written down by hand. */
import { describe, expect, it } from 'vitest'
import type { EpochMs } from '../../connector/core/types.js'
import { openGate, openingOf } from '../../connector/dataplane/stages/gate.js'
import { compilePlan } from '../../connector/policy/compile.js'
import { explain } from '../../connector/policy/explain.js'
import { policyFromTerms, type Terms } from '../../connector/policy/write.js'
import { findZone, nextDay } from '../../connector/policy/zone.js'
import { plan } from '../dataplane/support/data-plane-server.js'
import { constraint, instant, MDP, permit, policy } from './policies.js'

const H = 3_600_000
const zone = (name: string) => {
  const found = findZone(name)
  if (found === undefined) throw new Error(name)
  return found
}
const BERLIN = zone('Europe/Berlin')
const iso = (at: EpochMs | undefined) => (at === undefined ? undefined : new Date(at).toISOString())

const planFor = (terms: Terms) => {
  const written = policyFromTerms(terms)
  if (!written.ok) throw new Error(written.error.message)
  const compiled = compilePlan(policy(written.value), { agreedAt: 0 as EpochMs })
  if (!compiled.ok) throw new Error(compiled.error.message)
  return compiled.value
}

/** When the gate opens and closes from `from` on. */
function changes(terms: Terms, from: string, count: number): readonly (string | undefined)[] {
  const opening = openingOf(planFor(terms))
  const found: (string | undefined)[] = []
  let at: EpochMs | undefined = instant(from)
  for (let i = 0; i < count && at !== undefined; i++) {
    at = opening?.nextChange(at)
    found.push(iso(at))
  }
  return found
}

describe('the clock of a zone', () => {
  it('shows day, weekday and time', () => {
    // 25 November 2026 is a Wednesday.
    const day = Date.UTC(2026, 10, 25) / 86_400_000
    expect(zone('UTC').local(instant('2026-11-25T23:30:00Z'))).toEqual({ day, weekday: 3, ofDay: 23.5 * H })
    expect(BERLIN.local(instant('2026-11-25T23:30:00Z'))).toEqual({
      day: day + 1,
      weekday: 4,
      ofDay: 0.5 * H,
    })
    expect(BERLIN.local(instant('1969-12-31T22:59:59.999Z'))).toEqual({
      day: -1,
      weekday: 3,
      ofDay: 24 * H - 1,
    })
  })

  it('knows no zone by an offset or a made-up name', () => {
    for (const name of ['', '+01:00', 'Europe/Atlantis', 'UTC; drop', 'Europe/Berlin ']) {
      expect(findZone(name), name).toBeUndefined()
    }
  })

  it.each([
    ['an ordinary day', '2026-11-25T12:00:00Z', '2026-11-25T23:00:00.000Z'],
    ['the day of 23 hours', '2026-03-29T00:00:00Z', '2026-03-29T22:00:00.000Z'],
    ['the day of 25 hours', '2026-10-25T00:00:00Z', '2026-10-25T23:00:00.000Z'],
    ['midnight itself', '2026-11-24T23:00:00Z', '2026-11-25T23:00:00.000Z'],
  ])('the next day begins at midnight of the zone: %s', (_name, at, next) => {
    expect(iso(nextDay(BERLIN, instant(at)))).toBe(next)
  })
})

describe('times of delivery', () => {
  it('open and close by the clock of the zone, to the millisecond', () => {
    const gate = openGate(planFor({ hours: '06:00-22:00', timeZone: 'Europe/Berlin' }), 'did:web:a')
    const open = (at: string) => gate(instant(at)) === undefined
    expect(open('2026-11-25T04:59:59.999Z')).toBe(false)
    expect(open('2026-11-25T05:00:00Z')).toBe(true)
    expect(open('2026-11-25T20:59:59.999Z')).toBe(true)
    expect(open('2026-11-25T21:00:00Z')).toBe(false)
    // Summer time.
    expect(open('2026-07-01T04:00:00Z')).toBe(true)
    expect(gate(instant('2026-11-25T21:00:00Z'))).toEqual({
      code: 'PolicyDenied',
      message:
        'The contract allows no delivery at this time. Delivery begins again at 26 November 2026, 05:00 UTC.',
      messageDe:
        'Der Vertrag erlaubt zu dieser Zeit keine Lieferung. Geliefert wird wieder ab dem 26. November 2026, 05:00 Uhr UTC.',
    })
    expect(gate(Number.NaN as EpochMs)?.code).toBe('PolicyDenied')
  })

  it('go over midnight, and belong to the weekday that the clock shows', () => {
    const night = { hours: '22:00-06:00', weekdays: ['1'], timeZone: 'UTC' }
    // 23 November 2026 is a Monday: its early morning and its late evening.
    expect(changes(night, '2026-11-22T12:00:00Z', 4)).toEqual([
      '2026-11-23T00:00:00.000Z',
      '2026-11-23T06:00:00.000Z',
      '2026-11-23T22:00:00.000Z',
      '2026-11-24T00:00:00.000Z',
    ])
  })

  it('that the clock leaves out in spring do not exist on that day', () => {
    const terms = { hours: '02:15-02:45', timeZone: 'Europe/Berlin' }
    expect(changes(terms, '2026-03-28T12:00:00Z', 2)).toEqual([
      '2026-03-30T00:15:00.000Z',
      '2026-03-30T00:45:00.000Z',
    ])
  })

  it('that the clock shows twice in autumn are open twice', () => {
    const terms = { hours: '02:15-02:45', timeZone: 'Europe/Berlin' }
    expect(changes(terms, '2026-10-24T12:00:00Z', 4)).toEqual([
      '2026-10-25T00:15:00.000Z',
      '2026-10-25T00:45:00.000Z',
      '2026-10-25T01:15:00.000Z',
      '2026-10-25T01:45:00.000Z',
    ])
  })

  it('that begin inside the missing hour begin when the clock has jumped over it', () => {
    const terms = { hours: '02:30-05:00', timeZone: 'Europe/Berlin' }
    expect(changes(terms, '2026-03-28T12:00:00Z', 2)).toEqual([
      '2026-03-29T01:00:00.000Z',
      '2026-03-29T03:00:00.000Z',
    ])
  })

  it('that are open all the time never change', () => {
    expect(
      openingOf(planFor({ weekdays: ['1', '2', '3', '4', '5', '6', '7'] }))?.nextChange(
        instant('2026-11-25T00:00:00Z'),
      ),
    ).toBeUndefined()
    expect(openingOf(plan())).toBeUndefined()
  })
})

describe('in a policy', () => {
  const time = (operator: string, value: string) => constraint(`${MDP}localTime`, operator, value)

  it('a time that is both after ten and before six is refused: over midnight is an alternative', () => {
    const both = compilePlan(permit(time('gteq', '22:00:00'), time('lt', '06:00:00')), {
      agreedAt: 0 as EpochMs,
    })
    expect(both).toMatchObject({ ok: false, error: { code: 'PolicyUnsupported' } })
    const either = compilePlan(permit({ or: [time('gteq', '22:00:00'), time('lt', '06:00:00')] }), {
      agreedAt: 0 as EpochMs,
    })
    expect(either).toMatchObject({
      ok: true,
      value: {
        hours: [
          [0, 6 * H],
          [22 * H, 24 * H],
        ],
      },
    })
  })

  it('an alternative of times is enforced by the provider, with anything else in it by nobody', () => {
    const clauses = explain(permit({ or: [time('gteq', '22:00:00'), time('lt', '06:00:00')] }))
    expect(clauses.map(({ enforcedBy }) => enforcedBy)).toEqual([
      'provider',
      'provider',
      'provider',
      'provider',
    ])
    const mixed = compilePlan(permit({ or: [time('gteq', '22:00:00'), constraint('count', 'lteq', '5')] }), {
      agreedAt: 0 as EpochMs,
    })
    expect(mixed).toMatchObject({ ok: false, error: { code: 'PolicyUnsupported' } })
  })

  it('two zones contradict each other', () => {
    const zones = permit(
      constraint(`${MDP}timeZone`, 'eq', 'UTC'),
      constraint(`${MDP}timeZone`, 'eq', 'Europe/Berlin'),
    )
    expect(compilePlan(zones, { agreedAt: 0 as EpochMs }).ok).toBe(false)
  })

  it.each(['25:00-26:00', '06:00', '6-22', '06:00-06:00', 5])('%j is no time of day', (hours) => {
    expect(policyFromTerms({ hours } as Terms)).toMatchObject({ ok: false, error: { code: 'InvalidInput' } })
  })
})
