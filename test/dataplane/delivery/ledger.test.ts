import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { EpochMs } from '../../../connector/core/types.js'
import { openLedger } from '../../../connector/dataplane/delivery/ledger.js'
import type { DeliveryLog, Grant } from '../../../connector/dataplane/ports.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

it('tells of what was handed over although the flow falls silent behind it, once', () => {
  const told: number[] = []
  const log: DeliveryLog = {
    delivered: ({ bytes }) => told.push(bytes),
    stopped: () => {},
    paused: () => {},
  }
  const grant = { transferPid: 't', agreementId: 'a', recipient: 'did:web:b', plan: { hash: 'h' } }
  const ledger = openLedger(log, grant as unknown as Grant, 'push', () => Date.now() as EpochMs)
  ledger.add([], 0, 0, 120)
  ledger.addBytes(1, 30)
  expect(told).toEqual([])
  vi.advanceTimersByTime(15_000)
  expect(told).toEqual([150])
  vi.advanceTimersByTime(60_000)
  ledger.close()
  expect(told).toEqual([150])
})
