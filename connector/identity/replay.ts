/** Remembers which tokens were used until they expire, so that none is used twice. Bounded; nothing is scanned. */
import type { Clock, EpochMs } from '../core/types.js'

export type ReplayEntry = { readonly jti: string; readonly expiresAt: EpochMs }

export type ReplayGuard = {
  /** Marks the token as used. `full` means that it cannot be remembered and must therefore be refused. */
  use(jti: string, expiresAt: EpochMs): 'fresh' | 'replayed' | 'full'
  /** Entries from before a restart; expired ones are left out. */
  load(entries: Iterable<ReplayEntry>): void
  readonly size: number
}

export type ReplayGuardOptions = {
  readonly clock: Clock
  /** At most this many tokens at a time; each takes about 150 bytes. */
  readonly maxEntries?: number
  /** Told about each token that is remembered, so that the store can keep it over a restart. Must not block. */
  readonly onRemember?: (entry: ReplayEntry) => void
}

export function createReplayGuard(options: ReplayGuardOptions): ReplayGuard {
  const { clock, maxEntries = 250_000, onRemember } = options
  /** In order of insertion, which for short-lived tokens is nearly the order of expiry. */
  const used = new Map<string, EpochMs>()

  /** Removes expired entries from the front; each entry is removed once, so the cost per use is constant. */
  const forgetExpired = (now: EpochMs) => {
    for (const [jti, expiresAt] of used) {
      if (expiresAt > now) return
      used.delete(jti)
    }
  }

  return {
    use(jti, expiresAt) {
      const now = clock()
      forgetExpired(now)
      const known = used.get(jti)
      if (known !== undefined && known > now) return 'replayed'
      if (used.size >= maxEntries) return 'full'
      used.delete(jti)
      used.set(jti, expiresAt)
      onRemember?.({ jti, expiresAt })
      return 'fresh'
    },
    load(entries) {
      const now = clock()
      for (const { jti, expiresAt } of entries)
        if (expiresAt > now && used.size < maxEntries) used.set(jti, expiresAt)
    },
    get size() {
      return used.size
    },
  }
}
