/** The one table from problem to HTTP status on the partner-facing side, and the error bodies of each protocol. */
import type { Response } from 'express'
import { because, type Problem, type ProblemCode } from '../core/result.js'
import { contractNegotiationError, transferError } from './build.js'
import { catalogError } from './build-catalog.js'

/**
 * DSP 2025-1: an illegal transition is 400; what is unknown and what belongs to somebody else are both 404. Never 409:
 * partners take it for the end of the process. Everything not listed is 400.
 */
const STATUS: Partial<Record<ProblemCode, number>> = {
  NotFound: 404,
  NotTrusted: 404,
  Unauthenticated: 401,
  TokenExpired: 401,
  TokenAudience: 401,
  TokenReplayed: 401,
  MessageTooLarge: 413,
  TooManyConnections: 429,
  TooManyRequests: 429,
  TooManyProcesses: 429,
  // Ours to solve: the partner should send again.
  IdentityUnresolvable: 503,
  PartnerUnreachable: 503,
  PartnerCertificate: 503,
  SourceUnavailable: 503,
  Stopping: 503,
}

export const statusOf = (code: ProblemCode): number => STATUS[code] ?? 400

export type ErrorKind = 'negotiation' | 'transfer' | 'catalog' | 'duty'

export function sendError(
  res: Response,
  kind: ErrorKind,
  problem: Problem,
  pids: { readonly providerPid?: string; readonly consumerPid?: string } = {},
): void {
  const { code } = problem
  const told = { code, ...because(problem) }
  const body =
    kind === 'negotiation'
      ? contractNegotiationError({ ...pids, ...told })
      : kind === 'transfer'
        ? transferError({ ...pids, ...told })
        : catalogError(told)
  res.status(statusOf(code)).json(body)
}
