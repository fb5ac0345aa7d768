/** How long to wait before trying again: doubling, bounded, with jitter so that many receivers do not return at once. */

export type Backoff = { readonly firstMs: number; readonly maxMs: number }

export const DEFAULT_BACKOFF: Backoff = { firstMs: 500, maxMs: 30_000 }

/**
 * @param failures failures in a row so far, from 1.
 * @param random 0 (inclusive) to 1 (exclusive).
 */
export const backoffMs = ({ firstMs, maxMs }: Backoff, failures: number, random: () => number): number =>
  Math.round(Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30)) * (0.5 + random() / 2))
