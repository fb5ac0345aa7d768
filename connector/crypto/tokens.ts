/** Random and derived bearer tokens, and their comparison. Only hashes of tokens are ever stored. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { sha256Hex } from '../core/canonical.js'

/** 32 random bytes in base64url, 43 characters. */
export const randomToken = (random: (size: number) => Buffer = randomBytes): string =>
  random(32).toString('base64url')

/** Lower-case hex SHA-256 of a token, as it is stored. */
export const hashToken = (token: string): string => sha256Hex(token)

/** Whether two texts are equal, in a time that tells nothing about where they differ. */
export function equalsConstantTime(left: string, right: string): boolean {
  // Hashing gives both the same length, which timingSafeEqual needs, and hides the length itself.
  return timingSafeEqual(Buffer.from(sha256Hex(left), 'hex'), Buffer.from(sha256Hex(right), 'hex'))
}

/**
 * The data token of a transfer: the same after a restart without being stored, another one after each resume.
 * `generation` counts the starts of the transfer; `masterKey` has at least 32 bytes.
 */
export function deriveToken(masterKey: Uint8Array, transferPid: string, generation: number): string {
  if (masterKey.byteLength < 32) throw new RangeError('the master key must have at least 32 bytes')
  // The length in front keeps a pid and a generation from running into each other.
  const input = `data-token/1\0${Buffer.byteLength(transferPid)}\0${transferPid}\0${generation}`
  return createHmac('sha256', masterKey).update(input).digest('base64url')
}
