/** The embedded store: one SQLite file. Reads are synchronous; writes go through the group commit. */
import type { EpochMs, JsonObject } from '../../core/types.js'
import type { StoredShape } from '../../domain/agreement.js'
import type { SourceConfig } from '../../domain/dataset.js'
import type { Partner } from '../../domain/partner.js'
import type { Process } from '../../domain/step.js'
import type { ApiToken, AudienceRule, Store } from '../store.js'
import { GroupCommit, openDatabase } from './database.js'
import { documents, keptInMemory } from './documents.js'
import { dutyTables } from './duties.js'
import { factTable } from './facts.js'
import { offeringTables } from './offering.js'
import { processTables } from './processes.js'
import { usageTables } from './usage.js'

export type StoreOptions = {
  /** Keeps catalogs from reading what their reader cannot see. */
  readonly audience?: AudienceRule
  /** Writes that may share one commit; as many as wait when absent. */
  readonly groupSize?: number
}

/** Opens or creates the file. Throws NewerSchemaError, or SQLite's own error when the file is damaged. */
export function openStore(file: string, options: StoreOptions = {}): Store {
  const db = openDatabase(file)
  const group = new GroupCommit(db, options.groupSize)
  const processes = processTables(db)
  const owedListeners: (() => void)[] = []
  let oweWritten = false
  group.onCommit(() => {
    if (!oweWritten) return
    oweWritten = false
    for (const listener of owedListeners) listener()
  })
  const noteOwed = (owes: boolean): void => {
    if (owes) oweWritten = true
  }
  const processListeners = new Set<(process: Process) => void>()
  let changed: Process[] = []
  const noteChanged = (process: Process): void => {
    if (processListeners.size > 0) changed.push(process)
  }
  group.onCommit(() => {
    const committed = changed
    changed = []
    for (const process of committed) for (const listener of processListeners) listener(process)
  })
  group.onRollback(() => {
    oweWritten = false
    changed = []
    processes.forget()
  })

  const partners = keptInMemory(documents<Partner>(db, 'partner', 'did', () => ({})))
  group.onRollback(partners.forget)
  const sources = documents<SourceConfig>(db, 'source', 'id', () => ({}))
  const shapes = keptInMemory(documents<StoredShape>(db, 'shape', 'hash', () => ({})))
  group.onRollback(shapes.forget)
  const offering = offeringTables(db, options.audience)
  const { datasets, offers, offered, offeredAfter, offeredBefore } = offering
  group.onRollback(offering.forget)

  const byToken = db
    .prepare("SELECT data FROM partner WHERE json_extract(data, '$.access.tokenHash') = @tokenHash")
    .pluck()

  const usage = usageTables(db)
  const facts = factTable(db)

  const duties = dutyTables(db)
  const dutyListeners = new Set<() => void>()
  let dutiesChanged = false
  group.onCommit(() => {
    if (!dutiesChanged) return
    dutiesChanged = false
    for (const listener of dutyListeners) listener()
  })

  const push = db.prepare('SELECT state, body FROM push WHERE pid = @pid')
  const putPush = db.prepare(`
    INSERT INTO push (pid, state, body) VALUES (@pid, @state, @body)
    ON CONFLICT (pid) DO UPDATE SET state = excluded.state, body = excluded.body`)

  const seenTokens: { jti: string; expiresAt: EpochMs }[] = []
  const insertToken = db.prepare(
    'INSERT OR IGNORE INTO token_seen (jti, expires_at) VALUES (@jti, @expiresAt)',
  )
  const dropTokens = db.prepare('DELETE FROM token_seen WHERE expires_at < @now')
  const liveTokens = db.prepare(
    'SELECT jti, expires_at AS expiresAt FROM token_seen WHERE expires_at >= @now',
  )
  /** A write of their own: a step that fails must not take them along, and what fails is written again later. */
  const saveTokens = (alsoDrop = false): void => {
    const batch = seenTokens.splice(0)
    if (batch.length === 0) return
    const write = (): void => {
      for (const token of batch) insertToken.run(token)
      if (alsoDrop) dropTokens.run({ now: Date.now() - 600_000 })
    }
    group.run(write).catch(() => seenTokens.unshift(...batch))
  }
  /** Every write is preceded by the token ids seen before it, so that a replay after a crash is still recognised. */
  const run = <T>(write: () => T): Promise<T> => {
    saveTokens()
    return group.run(write)
  }
  // A token that arrived without any write behind it becomes durable within a second.
  const tokenTimer = setInterval(() => saveTokens(true), 1000)
  tokenTimer.unref()

  const putToken = db.prepare(`
    INSERT INTO api_token (name, hash, created_at) VALUES (@name, @hash, @createdAt)
    ON CONFLICT (name) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at`)
  const apiTokens = db.prepare('SELECT name, hash, created_at AS createdAt FROM api_token ORDER BY name')
  const removeToken = db.prepare('DELETE FROM api_token WHERE name = @name')

  return {
    noteArrival: (note) =>
      run(() => {
        if (duties.note(note)) dutiesChanged = true
      }),
    disown: ({ arrivals, audit }) =>
      run(() => {
        duties.disown(arrivals)
        processes.note(audit)
        dutiesChanged = true
      }),
    putStatement: ({ statement, gone = [], owe, settles, audit = [] }) =>
      run(() => {
        duties.put(statement)
        duties.gone(statement.agreementId, statement.role, gone)
        if (owe !== undefined) processes.owe({ ...owe, at: statement.at })
        if (settles !== undefined) processes.settleOne(settles)
        for (const entry of audit) processes.note(entry)
        noteOwed(owe !== undefined)
        dutiesChanged = true
      }),
    onDuty: (listener) => {
      dutyListeners.add(listener)
      return () => dutyListeners.delete(listener)
    },
    ...duties.reads,

    create: (step) =>
      run(() => {
        const { created, owes, process } = processes.create(step)
        noteOwed(owes)
        if (created) noteChanged(process)
        return { created, process }
      }),
    change: (ref, decide) =>
      run(() => {
        const { owes, result } = processes.change(ref, decide)
        noteOwed(owes)
        if (result.ok) noteChanged(result.value)
        return result
      }),
    find: processes.find,
    findByPartnerPid: processes.findByPartnerPid,
    list: processes.list,
    countOpen: processes.countOpen,
    countByState: processes.countByState,
    transfersUnder: processes.transfersUnder,

    due: processes.due,
    nextDue: processes.nextDue,
    owedFor: processes.owedFor,
    owedCount: processes.owedCount,
    isOwed: processes.isOwed,
    attemptFailed: (id, error, nextAttemptAt, at) =>
      run(() => processes.attemptFailed(id, error, nextAttemptAt, at)),
    retryNow: (pid, now) =>
      run(() => {
        noteOwed(true)
        return processes.retryNow(pid, now)
      }),
    onOwed: (listener) => {
      owedListeners.push(listener)
    },
    onProcess: (listener) => {
      processListeners.add(listener)
      return () => processListeners.delete(listener)
    },

    agreement: processes.agreement,
    agreements: processes.agreements,
    agreementsOn: processes.agreementsOn,
    changeAgreement: (id, decide) =>
      run(() => {
        const outcome = processes.changeAgreement(id, decide)
        // The end of a contract is a deadline.
        if (outcome.ok) dutiesChanged = true
        return outcome
      }),
    note: (entry, series) => run(() => processes.note(entry, series)),
    audit: processes.audit,

    addFact: async (fact, audit) => {
      await run(() => {
        facts.add(fact)
        processes.note(audit)
      })
      facts.stands(fact)
    },
    endFact: (id, end, audit) => {
      const known = facts.endable(id)
      if (!known.ok) return Promise.resolve(known)
      // Before the write: what has been ended must not count while the disk is slow or full.
      facts.falls(known.value)
      return run(() => {
        const ended = facts.end(id, end)
        if (ended.ok) processes.note(audit)
        return ended
      })
    },
    fact: facts.get,
    facts: facts.list,
    factsOfValue: facts.ofValue,
    standingFacts: facts.standing,
    onFacts: facts.onChange,

    putPartner: (partner) => run(() => partners.put(partner)),
    changePartner: (did, decide) =>
      run(() => {
        const current = partners.get(did)
        const next = current === undefined ? undefined : decide(current)
        if (next !== undefined) partners.put(next)
        return next
      }),
    partner: partners.get,
    partnerByToken: (tokenHash) => {
      const data = byToken.get({ tokenHash }) as string | undefined
      return data === undefined ? undefined : (JSON.parse(data) as Partner)
    },
    partners: partners.all,
    removePartner: (did) => run(() => partners.remove(did)),
    putDataset: (dataset) => run(() => datasets.put(dataset)),
    dataset: datasets.get,
    datasets: datasets.all,
    removeDataset: (id) => run(() => datasets.remove(id)),
    putSource: (source) => run(() => sources.put(source)),
    source: sources.get,
    sources: sources.all,
    removeSource: (id) => run(() => sources.remove(id)),
    putOffer: (offer) => run(() => offers.put(offer)),
    offer: offers.get,
    offersOf: offers.of,
    removeOffer: (id) => run(() => offers.remove(id)),
    offered,
    offeredAfter,
    offeredBefore,

    putShape: (shape) => run(() => shapes.put(shape)),
    shape: shapes.get,
    shapes: shapes.all,
    removeShape: (hash) => run(() => shapes.remove(hash)),

    book: (agreementId, asked, quota) => run(() => usage.book(agreementId, asked, quota)),
    booked: usage.booked,

    pushOf: (pid) => {
      const row = push.get({ pid }) as { state: string; body: Buffer | null } | undefined
      if (row === undefined) return undefined
      const state = JSON.parse(row.state) as JsonObject
      return row.body === null ? { state } : { state, body: row.body }
    },
    putPush: (pid, state, body) =>
      run(() => {
        putPush.run({ pid, state: JSON.stringify(state), body: body ?? null })
      }),
    bookPush: (pid, { agreementId, asked, quota, write }) =>
      run(() => {
        const booking =
          quota === undefined ? { granted: asked.records } : usage.book(agreementId, asked, quota)
        if (booking.granted === 0) return booking
        const { state, body } = write(booking.granted)
        putPush.run({ pid, state: JSON.stringify(state), body: body ?? null })
        return booking
      }),

    rememberToken: (jti, expiresAt) => {
      seenTokens.push({ jti, expiresAt })
    },
    rememberedTokens: (now) => liveTokens.all({ now }) as { jti: string; expiresAt: EpochMs }[],

    putApiToken: (token) =>
      run(() => {
        putToken.run(token)
      }),
    apiTokens: () => apiTokens.all() as ApiToken[],
    removeApiToken: (name) => run(() => removeToken.run({ name }).changes > 0),

    isOpen: () => db.open,
    writeFault: () => group.writeFault(),
    schemaVersion: () => db.pragma('user_version', { simple: true }) as number,
    integrity: () => {
      const verdict = db.pragma('integrity_check', { simple: true }) as string
      return verdict === 'ok' ? undefined : verdict
    },

    async [Symbol.asyncDispose]() {
      clearInterval(tokenTimer)
      saveTokens()
      group.close()
      db.close()
    },
  }
}
