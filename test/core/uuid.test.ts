import { expect, it } from 'vitest'
import type { EpochMs } from '../../connector/core/types.js'
import { orderedUuid } from '../../connector/core/uuid.js'

it('carries its time in front, and the version and variant of RFC 9562 where they belong', () => {
  // RFC 9562, appendix A.6: this instant begins with 017f22e2-79b0-7.
  expect(orderedUuid(0x017f22e279b0 as EpochMs)).toMatch(
    /^017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  )
})

it('is another one each time, sorted by time', () => {
  const early = Array.from({ length: 1000 }, () => orderedUuid(1_800_000_000_000 as EpochMs))
  expect(new Set(early).size).toBe(1000)
  const late = orderedUuid(1_800_000_000_001 as EpochMs)
  expect(early.every((id) => id < late)).toBe(true)
})
