/** Adds up what one flow has handed over and tells the delivery log in portions, so that nothing is told per record. */
import type { Clock, EpochMs } from '../../core/types.js'
import type { DeliveryLog, Grant } from '../ports.js'
import type { DataRecord } from '../record.js'
import type { Via } from './transfers.js'

/** Longest time between a delivery and its entry, milliseconds. */
const PORTION = 15_000

export type Ledger = {
  /** Records start to end, exclusive, have been handed to the connection as this many bytes. */
  add(records: readonly DataRecord[], start: number, end: number, bytes: number): void
  addBytes(requests: number, bytes: number): void
  /** Tells what is still untold. */
  close(): void
}

export function openLedger(log: DeliveryLog, grant: Grant, via: Via, clock: Clock): Ledger {
  let records = 0
  let bytes = 0
  let firstTime = Number.POSITIVE_INFINITY
  let lastTime = Number.NEGATIVE_INFINITY
  let toldAt = clock()
  let timer: NodeJS.Timeout | undefined

  const tell = (): void => {
    toldAt = clock()
    clearTimeout(timer)
    timer = undefined
    if (records === 0 && bytes === 0) return
    log.delivered({
      transferPid: grant.transferPid,
      agreementId: grant.agreementId,
      recipient: grant.recipient,
      planHash: grant.plan.hash,
      records,
      bytes,
      via,
      ...(firstTime <= lastTime && { firstTime: firstTime as EpochMs, lastTime: lastTime as EpochMs }),
    })
    records = 0
    bytes = 0
    firstTime = Number.POSITIVE_INFINITY
    lastTime = Number.NEGATIVE_INFINITY
  }

  /** A flow that falls silent is told of as well: duties count from then on, and a crash would lose it. */
  const soon = (): void => {
    timer ??= setTimeout(tell, PORTION).unref()
  }

  return {
    add(batch, start, end, sent) {
      for (let i = start; i < end; i++) {
        const time = batch[i]?.time ?? Number.NaN
        if (time < firstTime) firstTime = time
        if (time > lastTime) lastTime = time
      }
      records += end - start
      bytes += sent
      if (clock() - toldAt >= PORTION) tell()
      else soon()
    },
    addBytes(requests, sent) {
      records += requests
      bytes += sent
      soon()
    },
    close: tell,
  }
}
