import { expect, it } from 'vitest'
import type { EpochMs } from '../../connector/core/types.js'
import { createReplayGuard, type ReplayEntry } from '../../connector/identity/replay.js'

const at = (seconds: number) => (1_700_000_000_000 + seconds * 1000) as EpochMs
const setup = (options: { maxEntries?: number } = {}) => {
  let now = at(0)
  const remembered: ReplayEntry[] = []
  const guard = createReplayGuard({
    clock: () => now,
    onRemember: (entry) => remembered.push(entry),
    ...options,
  })
  return { guard, remembered, moveTo: (seconds: number) => (now = at(seconds)) }
}

it('lets a token in once until it expires', () => {
  const { guard, moveTo } = setup()
  expect(guard.use('a', at(60))).toBe('fresh')
  expect(guard.use('b', at(60))).toBe('fresh')
  expect(guard.use('a', at(60))).toBe('replayed')
  moveTo(59)
  expect(guard.use('a', at(60))).toBe('replayed')
})

it('forgets expired tokens, so that memory follows the traffic of the last minutes', () => {
  const { guard, moveTo } = setup()
  for (let second = 0; second < 10_000; second++) {
    moveTo(second)
    guard.use(`jti-${second}`, at(second + 60))
    expect(guard.size).toBeLessThanOrEqual(61)
  }
})

it('refuses rather than forgets when it is full, and goes on when tokens expire', () => {
  const { guard, moveTo } = setup({ maxEntries: 2 })
  guard.use('a', at(60))
  guard.use('b', at(90))
  expect(guard.use('c', at(90))).toBe('full')
  expect(guard.use('a', at(60))).toBe('replayed')
  moveTo(60)
  expect(guard.use('c', at(120))).toBe('fresh')
  expect(guard.use('b', at(90))).toBe('replayed')
})

it('keeps a token that expires later than those after it', () => {
  const { guard, moveTo } = setup()
  guard.use('early', at(10))
  guard.use('late', at(300))
  guard.use('middle', at(20))
  moveTo(30)
  expect(guard.use('late', at(300))).toBe('replayed')
  // An expired entry behind it counts as unknown, even while it is still in memory.
  expect(guard.use('middle', at(60))).toBe('fresh')
  expect(guard.use('middle', at(60))).toBe('replayed')
})

it('tells the store what to keep, and knows it again after a restart', () => {
  const before = setup()
  before.guard.use('a', at(60))
  before.guard.use('a', at(60))
  before.guard.use('b', at(10))
  expect(before.remembered).toEqual([
    { jti: 'a', expiresAt: at(60) },
    { jti: 'b', expiresAt: at(10) },
  ])
  const after = setup()
  after.moveTo(30)
  after.guard.load(before.remembered)
  expect(after.guard.size).toBe(1)
  expect(after.guard.use('a', at(60))).toBe('replayed')
  expect(after.remembered).toEqual([])
})
