/**
 * What every partner-facing route does first, in this order: authenticate, then size, then JSON, then schema. Only after
 * that a service is asked. Strangers get a bare 404 whatever they ask for.
 */
import { hash } from 'node:crypto'
import express, { type Request, type RequestHandler, type Response, type Router } from 'express'
import { parseJson } from '../../core/json.js'
import type { Log } from '../../core/log.js'
import type { PartnerLimits } from '../../core/partner-limits.js'
import { type Problem, problem, type Result } from '../../core/result.js'
import type { Clock, Json, ParticipantId, Pid } from '../../core/types.js'
import type { Partner } from '../../domain/partner.js'
import type { ProcessKind, Sent } from '../../domain/process.js'
import type { Authenticated } from '../../identity/authentication.js'
import { isIdentified, sentAt } from '../../services/message-id.js'
import { type ErrorKind, sendError } from '../errors.js'
import { eventNameOf } from '../event-names.js'
import type { MessageName, Messages } from '../messages.js'
import { normalise } from '../normalise.js'
import type { Validate } from '../validate.js'

/** Body limit, bytes. The largest legitimate DSP message is an agreement with its policy. */
const MAX_BODY = 256 * 1024

/** `proven`: the token's signature was verified, so the sentence goes to whom it claims to be. */
export type AuthenticationFailure = Problem & { readonly proven?: boolean; readonly sender?: string }

export type ExchangeDeps = {
  readonly log: Log
  readonly clock: Clock
  readonly validate: Validate
  readonly authenticate: (header: string | undefined) => Promise<Result<Authenticated, AuthenticationFailure>>
  /** Takes note of what a trusted partner has proved with this request, before it is judged by that. */
  readonly proved: (partner: Partner, profiles: readonly string[]) => Promise<Partner>
  /** Only a trusted partner is answered at all. */
  readonly partner: (did: string) => Partner | undefined
  /** Whether the partner may send one more request now; see core/partner-limits.ts. */
  readonly limits: Pick<PartnerLimits, 'admit' | 'met'>
  /** Writes a refused message into the history of the partner's process. */
  readonly refused: (m: {
    readonly kind: ProcessKind
    readonly pid: Pid
    readonly partner: string
    readonly event: string
    readonly why: Problem
  }) => Promise<void>
  /** Counts requests for the metrics. */
  readonly count: (kind: ErrorKind, outcome: string) => void
}

export type Caller = {
  readonly partner: Partner
  readonly sender: ParticipantId
  readonly digest: string
  readonly identified: boolean
  readonly sent?: Sent
  /** The message before it was brought into plain form. */
  readonly received: Json
}

const readBody = express.raw({ type: () => true, limit: MAX_BODY })

/** Who calls, or undefined after the answer has been given. */
async function authenticated(
  deps: ExchangeDeps,
  kind: ErrorKind,
  req: Request,
  res: Response,
): Promise<Partner | undefined> {
  const outcome = await deps.authenticate(req.headers.authorization)
  const did = outcome.ok ? outcome.value.sender : outcome.error.sender
  const partner = did === undefined ? undefined : deps.partner(did)
  const trusted = partner?.trust === 'trusted' ? partner : undefined
  if (outcome.ok && trusted !== undefined) {
    const admitted = deps.limits.admit(trusted.did, req.socket)
    if (admitted.ok) return deps.proved(trusted, outcome.value.profiles ?? [])
    deps.count(kind, admitted.error.code)
    res.set('Retry-After', '1')
    if (admitted.error.code === 'TooManyConnections') res.set('Connection', 'close')
    sendError(res, kind, admitted.error)
    return undefined
  }
  const why = outcome.ok ? 'NotTrusted' : outcome.error.code
  deps.log.warn(
    { from: did ?? 'unknown', path: req.path, why, ...(outcome.ok ? {} : { detail: outcome.error.message }) },
    'request refused',
  )
  deps.count(kind, why)
  if (!outcome.ok && outcome.error.proven === true && trusted !== undefined) {
    sendError(res, kind, outcome.error)
  } else {
    // DSP 2025-1, Contract Negotiation HTTPS Binding, "Unauthorized Access": answer 404. Nothing else is said.
    res.status(404).end()
  }
  return undefined
}

function collect(req: Request, res: Response): Promise<Result<Buffer>> {
  return new Promise((resolve) => {
    readBody(req, res, (failure?: unknown) => {
      if (failure === undefined)
        return resolve({ ok: true, value: Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0) })
      const { type } = failure as { type?: string }
      resolve(
        type === 'entity.too.large'
          ? problem('MessageTooLarge', {
              en: `The message is larger than ${MAX_BODY / 1024} KB, which is the limit here.`,
              de: `Die Nachricht ist größer als ${MAX_BODY / 1024} KB; mehr ist hier nicht erlaubt.`,
            })
          : problem('InvalidMessage', {
              en: 'The body of the message could not be read.',
              de: 'Der Inhalt der Nachricht ließ sich nicht lesen.',
            }),
      )
    })
  })
}

/** A route for one message: `run` gets it parsed and checked, and answers or returns the problem. */
export function onMessage<K extends MessageName>(
  deps: ExchangeDeps,
  kind: ErrorKind,
  name: K,
  run: (message: Messages[K], caller: Caller, req: Request, res: Response) => Promise<Result<unknown>>,
): RequestHandler {
  return async (req, res) => {
    const caller = await authenticated(deps, kind, req, res)
    if (caller === undefined) return
    const bytes = await collect(req, res)
    // The body may have taken its time, and the operator may have decided otherwise meanwhile.
    const partner = deps.partner(caller.did)
    if (partner?.trust !== 'trusted') return void res.status(404).end()
    const json = bytes.ok ? parseJson(bytes.value) : bytes
    const plain = json.ok ? normalise(json.value) : json
    const direction = partner.takesEmptyPolicies === true ? 'lenient' : 'incoming'
    const message = plain.ok ? deps.validate(name, plain.value, direction) : plain
    let outcome: Result<unknown> = message
    if (message.ok && bytes.ok && json.ok) {
      const digest = hash('sha256', bytes.value, 'hex')
      const sent = sentAt(message.value)
      const known = {
        partner,
        sender: partner.did,
        digest,
        identified: isIdentified(message.value),
        ...(sent === undefined ? {} : { sent }),
        received: json.value,
      }
      outcome = await run(message.value, known, req, res)
    }
    deps.count(kind, outcome.ok ? 'ok' : outcome.error.code)
    if (outcome.ok) return
    if (outcome.error.code === 'MessageTooLarge') deps.limits.met(partner.did, 'size')
    if (outcome.error.code === 'MessageTooDeep') deps.limits.met(partner.did, 'depth')
    deps.log.warn(
      { from: partner.did, path: req.path, code: outcome.error.code, why: outcome.error.message },
      'message refused',
    )
    const body = plain.ok ? plain.value : undefined
    const pid = param(req, 'pid')
    if (kind !== 'catalog' && kind !== 'duty' && pid !== '') {
      const event = eventNameOf(name, body)
      await deps
        .refused({ kind, pid: pid as Pid, partner: partner.did, event, why: outcome.error })
        .catch((cause: unknown) => deps.log.error({ err: cause, pid }, 'refusal not written down'))
    }
    sendError(res, kind, outcome.error, plain.ok ? pidsIn(plain.value) : {})
  }
}

/** A route for a text of ours that no DSP schema describes. Strangers, and whatever is not theirs, get a bare 404. */
export function onBody(
  deps: ExchangeDeps,
  kind: ErrorKind,
  run: (body: Buffer, partner: Partner, res: Response) => Promise<Result<unknown>>,
): RequestHandler {
  return async (req, res) => {
    const caller = await authenticated(deps, kind, req, res)
    if (caller === undefined) return
    const bytes = await collect(req, res)
    const partner = deps.partner(caller.did)
    if (partner?.trust !== 'trusted') return void res.status(404).end()
    const outcome = bytes.ok ? await run(bytes.value, partner, res) : bytes
    deps.count(kind, outcome.ok ? 'ok' : outcome.error.code)
    if (outcome.ok) return
    const { code, message } = outcome.error
    if (code === 'MessageTooLarge') deps.limits.met(partner.did, 'size')
    deps.log.warn({ from: partner.did, path: req.path, code, why: message }, 'message refused')
    if (code === 'NotFound') res.status(404).end()
    else sendError(res, kind, outcome.error)
  }
}

/** A route without a body. */
export function onRead(
  deps: ExchangeDeps,
  kind: ErrorKind,
  run: (caller: Pick<Caller, 'partner' | 'sender'>, req: Request, res: Response) => Promise<Result<unknown>>,
): RequestHandler {
  return async (req, res) => {
    const partner = await authenticated(deps, kind, req, res)
    if (partner === undefined) return
    const outcome = await run({ partner, sender: partner.did }, req, res)
    deps.count(kind, outcome.ok ? 'ok' : outcome.error.code)
    if (!outcome.ok) sendError(res, kind, outcome.error)
  }
}

function pidsIn(body: unknown): { providerPid?: string; consumerPid?: string } {
  const { providerPid, consumerPid } = (body ?? {}) as { providerPid?: unknown; consumerPid?: unknown }
  return {
    ...(typeof providerPid === 'string' ? { providerPid } : {}),
    ...(typeof consumerPid === 'string' ? { consumerPid } : {}),
  }
}

/** A path parameter as one text. */
export const param = (req: Request, name: string): string => {
  const value = req.params[name]
  return typeof value === 'string' ? value : ''
}

export type Mount = (router: Router) => void
