/**
 * Sees to our duties by itself: deletes received data when it is due, and warns before and after a deadline, ours and the
 * partners'. One timer for the next boundary; everything it acts on is stored, so that a restart loses nothing.
 */
import { type Problem, problem, type Result, textOf } from '../core/result.js'
import type { EpochMs, JsonObject, Text } from '../core/types.js'
import { type Arrival, byPlace, dueArrivals, graceOf, type Settled } from '../domain/duty.js'
import type { Transfer } from '../domain/transfer.js'
import { dueAt } from '../policy/duties.js'
import { DAY_MS } from '../policy/instant.js'
import { accountOf, coveredUntil, type Duty, dutiesUnder, endOf, retentionOf, signsAsWeDo } from './duties.js'
import { declare, oweAgain, reportUse, type StatementDeps } from './duty-statements.js'

/** What was deleted of one file. */
export type Deleted = {
  /** Position behind it. */
  readonly upTo: number
  readonly name: string
  readonly records: number
  readonly bytes: number
  readonly sha256: string
  readonly firstEvent?: string
  readonly lastEvent?: string
  /** The file was not there any more. */
  readonly missing?: true
}

export type WatchDeps = StatementDeps & {
  /**
   * Deletes what came under a transfer between two positions, counted in bytes, and what came before. What was deleted from
   * there on already is answered alone; undefined: there was nothing left.
   */
  readonly deleteReceived: (
    transfer: Transfer,
    range: { readonly from: number; readonly upTo: number },
  ) => Promise<Result<Deleted | undefined>>
}

/** A clock that is set forward is noticed within this time. */
const LONGEST_MS = 3_600_000
/** Between two attempts to delete what could not be deleted. */
const RETRY_MS = 60_000
/** Changes within this time are looked at together. */
const GATHER_MS = 1000
const WHO = 'connector'
/** A statement has to stay small. */
const MAX_HASHES = 50
/** How long a statement that cannot be delivered is tried again. */
const FORGET_MS = 90 * DAY_MS

export type DutyWatch = AsyncDisposable & {
  /** Looks at everything now; resolves when it is done. */
  run(): Promise<void>
  /** Why data under the contract could not be deleted the last time. */
  fault(agreementId: string): Text | undefined
}

export function watchDuties(deps: WatchDeps): DutyWatch {
  const { store, clock, log } = deps
  const faults = new Map<string, Text>()
  const warned = new Map<string, string>()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()
  let stopped = false

  let armedFor = Number.POSITIVE_INFINITY

  const arm = (inMs: number): void => {
    const wait = Math.max(0, Math.min(inMs, LONGEST_MS))
    const at = performance.now() + wait
    if (stopped || at >= armedFor) return
    clearTimeout(timer)
    armedFor = at
    timer = setTimeout(() => void run(), wait)
    timer.unref()
  }
  const run = (): Promise<void> => {
    clearTimeout(timer)
    armedFor = Number.POSITIVE_INFINITY
    running = running.then(async () => {
      if (stopped) return
      const next = await pass().catch((cause: unknown) => {
        log.error({ err: cause }, 'duties could not be looked at')
        return clock() + RETRY_MS
      })
      if (next !== undefined) arm(next - clock())
    })
    return running
  }

  /** Answers when it has to look again. */
  const pass = async (): Promise<number | undefined> => {
    const times: number[] = []
    for (const agreement of store.agreements()) {
      if (stopped) return undefined
      const duties = agreement.status === 'pending' ? [] : dutiesUnder(agreement)
      times.push(...(await deleteDue(duties)))
      for (const duty of duties)
        times.push(...(await warn(duty)), ...(await report(duty)), ...(await retry(duty)))
    }
    return times.length === 0 ? undefined : Math.min(...times)
  }

  const deleteDue = async (duties: readonly Duty[]): Promise<readonly number[]> => {
    const [first] = duties
    const deleting = duties.filter(
      (duty) => duty.demand.kind === 'delete' && accountOf(deps, duty).state !== 'waived',
    )
    if (first === undefined || first.agreement.role !== 'consumer' || deleting.length === 0) return []
    const { id } = first.agreement
    const end = endOf(first.agreement)
    const dueOf = ({ from }: Arrival): number =>
      Math.min(...deleting.map((duty) => limitOf(duty, from, end) ?? Number.POSITIVE_INFINITY))
    const own = store.arrivals(id, 'consumer').filter(({ own: ours, gone }) => ours && !gone)
    const now = clock()
    const files: JsonObject[] = []
    const gone: Settled[] = []
    const lost: Settled[] = []
    let fault: Problem | undefined
    for (const [place, arrivals] of byPlace(own)) {
      const due = dueArrivals(arrivals, (arrival) => dueOf(arrival) <= now)
      const last = due.at(-1)
      if (last === undefined) continue
      const transfer = store.find({ kind: 'transfer', pid: place as Transfer['pid'], role: 'consumer' })
      const deleted =
        transfer === undefined
          ? problem('NotFound', {
              en: 'The transfer is not known any more.',
              de: 'Die Übertragung ist nicht mehr bekannt.',
            })
          : await deps.deleteReceived(transfer, { from: due[0]?.start.bytes ?? 0, upTo: last.end.bytes })
      if (!deleted.ok) {
        fault = deleted.error
        log.error({ agreement: id, why: fault.message, detail: fault.detail }, 'not deleted')
        continue
      }
      // After a crash it may be less than was asked for: the rest follows when this is told.
      const { upTo = last.end.bytes, ...file } = deleted.value ?? {}
      const away = due.filter(({ start, end }) => start.bytes < upTo || end.bytes <= upTo)
      const settled = away.map(({ seq }) => ({ seq, upTo }))
      if (deleted.value?.missing === true) {
        // Moved away is not deleted: a person has to answer for it.
        lost.push(...settled)
        log.warn({ agreement: id, file: deleted.value.name }, 'received data is not there any more')
        continue
      }
      gone.push(...settled)
      const received = { firstReceived: iso(due[0]?.from), lastReceived: iso(away.at(-1)?.to) }
      if (deleted.value !== undefined) files.push({ ...file, ...received } as JsonObject)
    }
    if (fault === undefined) faults.delete(id)
    else faults.set(id, textOf(fault))
    if (lost.length > 0) {
      const audit = {
        subject: id,
        at: now,
        direction: 'own',
        event: 'received data missing',
        detail: {},
      } as const
      await store.disown({ arrivals: lost, audit })
    }
    if (gone.length > 0) await tell(deleting, gone, files)
    if (fault !== undefined) return [now + RETRY_MS]
    const left = store.arrivals(id, 'consumer').filter((arrival) => arrival.own && !arrival.gone)
    return left.map(dueOf).filter(Number.isFinite)
  }

  /** One receipt for each duty to delete; what is gone is marked with the last, so that a crash before it repeats them. */
  const tell = async (duties: readonly Duty[], gone: readonly Settled[], files: readonly JsonObject[]) => {
    const [{ agreement } = duties[0] as Duty] = duties
    const all = store.arrivals(agreement.id, 'consumer')
    const positions = new Map(gone.map(({ seq, upTo = Number.POSITIVE_INFINITY }) => [seq, upTo]))
    const left = all.filter(({ seq, end, gone: before }) => !before && end.bytes > (positions.get(seq) ?? -1))
    const until = coveredUntil(all, left)
    const sum = (key: 'records' | 'bytes'): number =>
      files.reduce((total, file) => total + Number(file[key]), 0)
    const between = (first: string, last: string): JsonObject => {
      const times = files
        .flatMap((file) => [file[first], file[last]])
        .filter((at) => typeof at === 'string' && at !== '')
        .toSorted((a, b) => Date.parse(String(a)) - Date.parse(String(b)))
      const [from, to] = [times[0], times.at(-1)]
      return from === undefined || to === undefined ? {} : { [first]: from, [last]: to }
    }
    // What of each file was removed, without its name; beyond so many files, the proof has the rest.
    const hashes = files.slice(0, MAX_HASHES).flatMap(({ sha256 = '' }) => sha256)
    const data: JsonObject = {
      records: sum('records'),
      bytes: sum('bytes'),
      ...between('firstEvent', 'lastEvent'),
      ...between('firstReceived', 'lastReceived'),
      ...(hashes.length === 0 ? {} : { sha256: hashes }),
    }
    for (const [i, duty] of duties.entries()) {
      const covers = until === undefined || until > clock() ? {} : { until }
      const said = { kind: 'deletion', by: 'connector', ...covers, data, proof: { files } } as const
      await declare(deps, duty, said, { who: WHO, ...(i === duties.length - 1 ? { gone } : {}) })
    }
    log.info({ agreement: agreement.id, ...data }, 'received data deleted')
  }

  /** Says once that a deadline is near or past; answers when the next word is due. */
  const warn = async (duty: Duty): Promise<readonly number[]> => {
    const { state, dueAt: due, remindAt } = accountOf(deps, duty)
    if (due === undefined) return []
    const { agreement, demand, id } = duty
    const said = `${state} ${due}`
    if ((state === 'due soon' || state === 'overdue') && warned.get(id) !== said) {
      warned.set(id, said)
      const at = clock()
      const event = `duty ${state}`
      const detail = { duty: demand.path, dueAt: iso(due) }
      await store.note(
        { subject: agreement.id, at, direction: 'own', event, detail },
        `${event} ${demand.path}`,
      )
      log.warn({ agreement: agreement.id, role: agreement.role, ...detail }, event)
    }
    if (state === 'overdue') return []
    const grace = agreement.role === 'provider' ? graceOf(retentionOf(duty)) : 0
    return [remindAt ?? due + grace + 1]
  }

  /** At the end of each calendar month, UTC, the partner is told what came; answers when the next one ends. */
  const report = async (duty: Duty): Promise<readonly number[]> => {
    const { agreement, demand } = duty
    if (agreement.role !== 'consumer' || demand.kind !== 'log' || !signsAsWeDo(agreement)) return []
    const now = clock()
    await reportUse(deps, duty, { until: (monthOf(now, 0) - 1) as EpochMs, who: WHO })
    return [monthOf(now, 1)]
  }

  /** A statement that never reached the partner is tried once more each day; what it says is not forgotten. */
  const retry = async ({ agreement, demand }: Duty): Promise<readonly number[]> => {
    const now = clock()
    const times: number[] = []
    for (const statement of store.latestStatements(agreement.id, agreement.role, demand.path)) {
      const { failedAt, at } = statement
      if (failedAt === undefined || now > at + FORGET_MS) continue
      if (now >= failedAt + DAY_MS) await oweAgain(deps, statement, agreement)
      else times.push(failedAt + DAY_MS)
    }
    return times
  }

  const unsubscribe = [
    store.onDuty(() => arm(GATHER_MS)),
    store.onProcess((process) => {
      const { kind, agreementId } = process
      if (kind !== 'negotiation' || agreementId === undefined) return
      const agreement = store.agreement(agreementId)
      if (agreement !== undefined && dutiesUnder(agreement).length > 0) arm(GATHER_MS)
    }),
  ]
  arm(0)
  return {
    run,
    fault: (agreementId) => faults.get(agreementId),
    async [Symbol.asyncDispose]() {
      stopped = true
      clearTimeout(timer)
      for (const end of unsubscribe) end()
      await running
    },
  }
}

/** Beginning of the calendar month, UTC, so many months later. */
function monthOf(at: number, later: number): number {
  const date = new Date(at)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + later)
}

const iso = (at: number | undefined): string => (at === undefined ? '' : new Date(at).toISOString())

const limitOf = ({ demand }: Duty, from: EpochMs, end: EpochMs | undefined): EpochMs | undefined =>
  demand.kind === 'delete' ? dueAt(demand.limits, from, end) : undefined
