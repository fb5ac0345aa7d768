/**
 * What one partner may take of this connector at a time: connections and requests a second. Owns the counting; who a
 * partner is has been proven before it is asked. Strangers are held by the limits of the socket alone.
 */
import { ok, problem, type Result } from './result.js'
import type { Clock, EpochMs } from './types.js'

/** What was reached. `size` and `depth` are found elsewhere and counted here, so that one metric shows all limits. */
export type Limit = 'connections' | 'rate' | 'size' | 'depth'

/** The part of a socket that is needed: it says once that it is gone. */
export type Connection = { once(event: 'close', listener: () => void): unknown }

export type PartnerLimits = {
  /** The connection belongs to the partner: `TooManyConnections` when it is one too many. */
  connect(partner: string, connection: Connection): Result<void>
  /** One more message over this connection: `TooManyConnections` or `TooManyRequests` when it is one too many. */
  admit(partner: string, connection: Connection): Result<void>
  /** The partner met a limit. */
  met(partner: string, limit: Limit): void
  /** Open connections by partner, those without any left out. */
  open(): readonly { readonly partner: string; readonly connections: number }[]
}

export type PartnerLimitOptions = {
  readonly clock: Clock
  /** Open connections of one partner, messages and data together. */
  readonly maxConnections: number
  /** Requests a second in the long run; twice as many at once. */
  readonly maxRequestsPerSecond: number
  readonly onMet: (partner: string, limit: Limit) => void
}

/** Tokens are filled up with time and taken by requests. */
type Bucket = { tokens: number; at: EpochMs }

export function createPartnerLimits(options: PartnerLimitOptions): PartnerLimits {
  const { clock, maxConnections, maxRequestsPerSecond, onMet } = options
  const burst = maxRequestsPerSecond * 2
  const buckets = new Map<string, Bucket>()
  const connections = new Map<string, number>()
  /** A connection counts for whoever was last recognised on it: a reverse proxy uses one for many partners. */
  const owners = new WeakMap<Connection, { partner: string | undefined }>()

  const add = (partner: string, by: 1 | -1): void => {
    const count = (connections.get(partner) ?? 0) + by
    if (count > 0) connections.set(partner, count)
    else connections.delete(partner)
  }

  const own = (partner: string, connection: Connection): boolean => {
    const known = owners.get(connection)
    if (known?.partner === partner) return true
    if ((connections.get(partner) ?? 0) >= maxConnections) return false
    const owner = known ?? { partner: undefined }
    if (known === undefined) {
      owners.set(connection, owner)
      connection.once('close', () => {
        if (owner.partner !== undefined) add(owner.partner, -1)
        owner.partner = undefined
      })
    }
    if (owner.partner !== undefined) add(owner.partner, -1)
    owner.partner = partner
    add(partner, 1)
    return true
  }

  const take = (partner: string): boolean => {
    const now = clock()
    const bucket = buckets.get(partner) ?? { tokens: burst, at: now }
    // A clock that is set back must not take away what was there.
    const elapsedMs = Math.max(0, now - bucket.at)
    const tokens = Math.min(burst, bucket.tokens + (elapsedMs * maxRequestsPerSecond) / 1000)
    buckets.set(partner, { tokens: tokens < 1 ? tokens : tokens - 1, at: now })
    return tokens >= 1
  }

  const connect: PartnerLimits['connect'] = (partner, connection) => {
    if (own(partner, connection)) return ok(undefined)
    onMet(partner, 'connections')
    return problem('TooManyConnections', {
      en: `You have ${maxConnections} connections open here, which is the limit. Use them again, or close some, and send this once more.`,
      de: `Sie haben hier ${maxConnections} Verbindungen offen; mehr sind nicht erlaubt. Verwenden Sie diese weiter, oder schließen Sie einige, und senden Sie noch einmal.`,
    })
  }

  return {
    connect,
    admit(partner, connection) {
      const connected = connect(partner, connection)
      if (!connected.ok) return connected
      if (!take(partner)) {
        onMet(partner, 'rate')
        return problem('TooManyRequests', {
          en: `You send more than ${maxRequestsPerSecond} requests a second, which is the limit here. Wait a second and send this once more.`,
          de: `Sie senden mehr als ${maxRequestsPerSecond} Anfragen je Sekunde; mehr sind hier nicht erlaubt. Warten Sie eine Sekunde, und senden Sie noch einmal.`,
        })
      }
      return connected
    },
    met: onMet,
    open: () => [...connections].map(([partner, count]) => ({ partner, connections: count })),
  }
}
