import { EventEmitter } from 'node:events'
import { beforeEach, expect, it } from 'vitest'
import { createPartnerLimits, type Limit, type PartnerLimits } from '../../connector/core/partner-limits.js'
import type { EpochMs } from '../../connector/core/types.js'

let now: number
let met: [string, Limit][]
let limits: PartnerLimits
const socket = (): EventEmitter => new EventEmitter()
const codeOf = (outcome: ReturnType<PartnerLimits['admit']>): string =>
  outcome.ok ? 'ok' : outcome.error.code

beforeEach(() => {
  now = 1_000_000
  met = []
  limits = createPartnerLimits({
    clock: () => now as EpochMs,
    maxConnections: 2,
    maxRequestsPerSecond: 10,
    onMet: (partner, limit) => met.push([partner, limit]),
  })
})

it('lets twice the rate through at once, then the rate, and fills up with time', () => {
  const one = socket()
  const send = (times: number): readonly string[] =>
    Array.from({ length: times }, () => codeOf(limits.admit('a', one)))
  expect(send(20).every((code) => code === 'ok')).toBe(true)
  expect(send(1)).toEqual(['TooManyRequests'])
  now += 300
  expect(send(4)).toEqual(['ok', 'ok', 'ok', 'TooManyRequests'])
  now += 3_600_000
  expect(send(21).filter((code) => code === 'ok')).toHaveLength(20)
  expect(met).toEqual([
    ['a', 'rate'],
    ['a', 'rate'],
    ['a', 'rate'],
  ])
})

it('does not count one partner against another, and survives a clock that is set back', () => {
  const one = socket()
  for (let i = 0; i < 20; i++) limits.admit('a', one)
  expect(codeOf(limits.admit('b', socket()))).toBe('ok')
  now -= 60_000
  expect(codeOf(limits.admit('a', one))).toBe('TooManyRequests')
  now += 100
  expect(codeOf(limits.admit('a', one))).toBe('ok')
})

it('counts connections, not requests, and gives a place back when one is closed', () => {
  const [first, second, third] = [socket(), socket(), socket()]
  for (const one of [first, first, second, second]) expect(codeOf(limits.connect('a', one))).toBe('ok')
  expect(limits.open()).toEqual([{ partner: 'a', connections: 2 }])
  expect(codeOf(limits.connect('a', third))).toBe('TooManyConnections')
  expect(codeOf(limits.admit('a', third))).toBe('TooManyConnections')
  first.emit('close')
  expect(codeOf(limits.connect('a', third))).toBe('ok')
  second.emit('close')
  third.emit('close')
  expect(limits.open()).toEqual([])
  expect(met).toEqual([
    ['a', 'connections'],
    ['a', 'connections'],
  ])
})

it('counts a connection that a reverse proxy shares for whoever was recognised on it last', () => {
  const shared = socket()
  limits.connect('a', shared)
  limits.connect('b', shared)
  expect(limits.open()).toEqual([{ partner: 'b', connections: 1 }])
  shared.emit('close')
  expect(limits.open()).toEqual([])
})
