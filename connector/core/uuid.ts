/** Identifiers in the order of their making: what is stored by them stays close together on disk. */
import { randomUUID } from 'node:crypto'
import type { EpochMs } from './types.js'

/** RFC 9562, "UUID Version 7": 48 bits of time, then 74 random ones. Nobody can guess one; anybody can read its time. */
export function orderedUuid(at = Date.now() as EpochMs): string {
  const time = at.toString(16).padStart(12, '0')
  // The random version has its version digit at 14 and its variant behind that, where version 7 has it too.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}
