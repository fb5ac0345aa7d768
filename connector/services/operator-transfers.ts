/** The operator's view of transfers: start, follow, suspend, resume, complete and end. */
import { OPERATOR_REASONS } from '../core/operator-reasons.js'
import { ok, problem, type Result } from '../core/result.js'
import { type EpochMs, iso, type JsonObject, type Pid, type Role } from '../core/types.js'
import { PULL, PUSH, TRANSFER, type Transfer, type TransferEvent } from '../domain/transfer.js'
import { askRulesAgain, type DeliveryDeps, giveUp, nothingOwed } from './delivery.js'
import { compact, noted, type OwedView, owedTo, type Waiting, waiting } from './operator-view.js'
import { trustedPartner } from './partners.js'
import type { PushRange } from './ports.js'
import { type TimelineEntry, timelineOf } from './timeline.js'
import { moveTransfer, requestTransfer } from './transfer.js'
import { type PushFailing, type PushProgress, readSink, type SinkWish } from './transfer-push.js'

export type TransferView = Waiting & {
  readonly pid: string
  readonly role: Role
  readonly partner: string
  readonly partnerPid?: string
  readonly contract: string
  readonly dataset: string
  readonly format: string
  readonly state: string
  readonly pending?: string
  readonly reason?: string
  readonly reasonDe?: string
  readonly endedBy?: 'us' | 'partner'
  readonly suspendedBy?: 'us' | 'partner'
  /** Deliveries of a push fail at present. */
  readonly failing?: PushFailing
  readonly createdAt: string
  readonly updatedAt: string
}

export type TransferDetail = TransferView & {
  /** How far the delivery of a push has come. */
  readonly push?: PushProgress
  readonly timeline: readonly TimelineEntry[]
  readonly owed: readonly OwedView[]
}

export type NewTransfer = {
  readonly contract: string
  readonly format?: string
  /** Where data that is delivered to us is put; with it, the format is push. */
  readonly sink?: { readonly to: string; readonly username?: string; readonly password?: string }
  /** Only for push: event time of what is to be delivered, as instants. */
  readonly from?: string
  readonly to?: string
}

/** What the operator may do with a running transfer, and what the partner reads when no reason is given. */
const MOVES = {
  suspend: { event: 'suspend', note: 'transfer suspended', reason: OPERATOR_REASONS.suspend.en },
  resume: { event: 'start', note: 'transfer resumed', reason: OPERATOR_REASONS.resume.en },
  complete: { event: 'complete', note: 'transfer completed', reason: OPERATOR_REASONS.complete.en },
  terminate: { event: 'terminate', note: 'transfer ended', reason: OPERATOR_REASONS.terminate.en },
} as const satisfies Record<
  string,
  { readonly event: Exclude<TransferEvent, 'request'>; readonly note: string; readonly reason: string }
>

export type TransferMove = keyof typeof MOVES

export function transferOperations(deps: DeliveryDeps) {
  const { store } = deps

  const waits = (t: Transfer): Waiting =>
    t.state === 'SUSPENDED' && t.pending === undefined && t.awaiting === undefined
      ? compact({ waitingFor: t.suspendedBy, waitingSince: iso(t.updatedAt) })
      : waiting(store, TRANSFER, t)

  const view = (t: Transfer): TransferView => ({
    ...compact({
      pid: t.pid,
      role: t.role,
      partner: t.partner,
      partnerPid: t.partnerPid,
      contract: t.agreementId,
      dataset: t.datasetId,
      format: t.format,
      state: t.state,
      pending: t.pending,
      reason: t.reason ?? t.closing,
      reasonDe: t.reasonDe,
      endedBy: t.endedBy,
      suspendedBy: t.suspendedBy,
      failing: deps.pushFailing(t),
      createdAt: iso(t.createdAt),
      updatedAt: iso(t.updatedAt),
    }),
    ...waits(t),
  })

  const find = (pid: string): Result<Transfer> => {
    const found = store.find({ kind: 'transfer', pid: pid as Pid })
    return found === undefined
      ? problem('NotFound', {
          en: `There is no transfer ${pid}. See: handschlag transfer list`,
          de: `Es gibt keine Übertragung ${pid}. Siehe: handschlag transfer list`,
        })
      : ok(found)
  }

  const acted = async (
    outcome: Result<Transfer>,
    event: string,
    by: string,
    detail: JsonObject = {},
  ): Promise<Result<TransferView>> => {
    const written = await noted(deps, outcome, ({ pid }) => ({ subject: pid, event, by, detail }))
    return written.ok ? ok(view(written.value)) : written
  }

  return {
    list: (state?: string): { readonly transfers: readonly TransferView[] } => ({
      transfers: store.list('transfer', state === undefined ? {} : { state }).map(view),
    }),

    show(pid: string): Result<TransferDetail> {
      const found = find(pid)
      if (!found.ok) return found
      return ok({
        ...view(found.value),
        ...compact({ push: deps.pushProgress(found.value) }),
        timeline: timelineOf(store, pid),
        owed: owedTo(store, pid),
      })
    },

    async start(wish: NewTransfer, by: string): Promise<Result<TransferView>> {
      const { contract } = wish
      const pushed = pushWish(wish)
      if (!pushed.ok) return pushed
      const agreement = store.agreement(contract)
      if (agreement === undefined) {
        return problem('NotFound', {
          en: `There is no contract ${contract}. See: handschlag contract list`,
          de: `Es gibt keinen Vertrag ${contract}. Siehe: handschlag contract list`,
        })
      }
      const partner = trustedPartner(store, agreement.partner)
      if (!partner.ok) return partner
      const requested = await requestTransfer(deps, {
        agreement,
        partner: partner.value,
        ...pushed.value,
      })
      return acted(requested, 'transfer started', by, { contract })
    },

    async move(
      pid: string,
      move: TransferMove,
      given: string | undefined,
      by: string,
    ): Promise<Result<TransferView>> {
      const { event, note, reason } = MOVES[move]
      const why = { code: 'OperatorDecision', reason: given ?? reason }
      const moved = await moveTransfer(deps, pid as Pid, event, why)
      if (!moved.ok && moved.error.code === 'InvalidTransition') {
        const found = find(pid)
        const words = found.ok ? whyNot(found.value, move) : undefined
        return words === undefined ? moved : problem('InvalidTransition', words)
      }
      return acted(moved, note, by, given === undefined ? {} : { reason: given })
    },

    async retry(pid: string, by: string): Promise<Result<TransferView>> {
      const found = find(pid)
      if (!found.ok) return found
      if (found.value.awaiting?.because === 'rules') {
        const asked = await askRulesAgain(deps, found.value)
        return asked.ok ? acted(find(pid), 'rules asked again', by) : asked
      }
      if ((await store.retryNow(pid, deps.clock())) === 0) return nothingOwed('transfer')
      return acted(found, 'delivery hurried', by)
    },

    async giveUp(pid: string, reason: string, by: string): Promise<Result<TransferView>> {
      const found = find(pid)
      if (!found.ok) return found
      const ended = await giveUp(deps, found.value, reason)
      if (!ended.ok) return ended
      return acted(find(pid), 'delivery given up', by, { reason })
    },
  }
}

/** Why a transfer cannot be moved so, in the words of the commands; undefined: the refusal itself says it best. */
function whyNot({ state, pending }: Transfer, move: TransferMove): string | undefined {
  if (state === 'COMPLETED') return 'This transfer is complete already.'
  if (state === 'TERMINATED') return 'This transfer has ended already.'
  if (pending !== undefined && pending !== 'request') {
    const becomes = pending === 'start' && state === 'REQUESTED' ? 'started' : BECOMES[pending]
    return `This transfer is being ${becomes}; the partner has not answered yet.`
  }
  if (state === 'NEW' || state === 'REQUESTED') return 'This transfer has not started yet.'
  if (state === 'SUSPENDED' && move === 'suspend') return 'This transfer is paused already.'
  if (state === 'SUSPENDED' && move === 'complete') {
    return 'This transfer is paused. Resume it first, or end it with terminate.'
  }
  return state === 'STARTED' && move === 'resume' ? 'This transfer is running already.' : undefined
}

const BECOMES = {
  suspend: 'paused',
  start: 'resumed',
  complete: 'completed',
  terminate: 'ended',
} as const

/** The format, and what belongs to push alone. */
function pushWish({ format, sink, from, to }: NewTransfer): Result<{
  readonly format: string
  readonly sink?: SinkWish
  readonly range?: PushRange
}> {
  const wanted = format ?? (sink === undefined ? PULL : PUSH)
  if (wanted !== PUSH && (from !== undefined || to !== undefined)) {
    return problem('InvalidInput', {
      en: `"from" and "to" belong to ${PUSH}. What is fetched is limited when it is fetched.`,
      de: `„from“ und „to“ gehören zu ${PUSH}. Was abgeholt wird, begrenzen Sie beim Abholen.`,
    })
  }
  const read = sink === undefined ? ok(undefined) : readSink(sink)
  if (!read.ok) return read
  const range = {
    ...(from === undefined ? {} : { from: Date.parse(from) as EpochMs }),
    ...(to === undefined ? {} : { to: Date.parse(to) as EpochMs }),
  }
  if (Number.isNaN(range.from) || Number.isNaN(range.to)) {
    return problem('InvalidInput', {
      en: '"from" and "to" have to be instants such as 2026-12-31T23:59:59Z.',
      de: '„from“ und „to“ müssen Zeitpunkte sein, etwa 2026-12-31T23:59:59Z.',
    })
  }
  if (range.from !== undefined && range.to !== undefined && range.to <= range.from) {
    return problem('InvalidInput', {
      en: '"to" has to be later than "from".',
      de: '„to“ muss später als „from“ liegen.',
    })
  }
  return ok({ format: wanted, range, ...(read.value === undefined ? {} : { sink: read.value }) })
}

export type TransferOperations = ReturnType<typeof transferOperations>
