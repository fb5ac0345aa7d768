/** Wires duties to the data plane: what comes and goes is noted, and what is due is deleted where it lies. */

import type { Readable } from 'node:stream'
import { Transform } from 'node:stream'
import type { Log } from '../core/log.js'
import { ok } from '../core/result.js'
import type { Pid, Role } from '../core/types.js'
import type { DeliveryLog } from '../dataplane/ports.js'
import type { PushReceiver } from '../dataplane/receive/push-receiver.js'
import type { Transfer } from '../domain/transfer.js'
import { arrivalNotes, type LedgerDeps } from '../services/duties.js'
import type { WatchDeps } from '../services/duty-watch.js'
import type { NoteArrival, Sinks } from './sinks.js'

/** Longest time between data that passes through and its note, milliseconds. */
const PORTION_MS = 15_000

type Delivered = Pick<
  Parameters<DeliveryLog['delivered']>[0],
  'transferPid' | 'agreementId' | 'recipient' | 'bytes' | 'records'
>

export function assembleDutyNotes({ store, clock, log }: LedgerDeps & { readonly log: Log }) {
  const notes = arrivalNotes({ store, clock })
  const noteFor = (
    pid: string,
    role: Role,
    m: Omit<Parameters<typeof notes.note>[0], 'agreementId' | 'partner' | 'role' | 'place'>,
  ): Promise<void> => {
    const transfer = store.find({ kind: 'transfer', pid: pid as Pid, role })
    if (transfer === undefined) return Promise.resolve()
    const { agreementId, partner } = transfer
    return notes.note({ ...m, agreementId, partner, role, place: pid })
  }
  /** Notes of what has happened already, and cannot be undone when they fail. */
  const afterwards = (pid: string, noted: Promise<void>): void => {
    noted.catch((cause: unknown) =>
      log.error({ err: cause, transfer: pid }, 'what came or went could not be noted'),
    )
  }
  return {
    arriving: (({ transferPid, own, before, after }) =>
      noteFor(transferPid, 'consumer', { before, after, own })) satisfies NoteArrival,

    /** Takes what the grant knows: looking up the transfer would cost as much as a tenth of a small page. */
    delivered: ({ transferPid, agreementId, recipient, bytes, records }: Delivered): void =>
      afterwards(
        transferPid,
        notes.note({
          agreementId,
          partner: recipient,
          role: 'provider',
          place: transferPid,
          after: { bytes, records },
          own: false,
        }),
      ),

    /** The same body, whose passing through is noted: to a place that is not ours. */
    passing(pid: string, body: Readable): Readable {
      const transfer = store.find({ kind: 'transfer', pid: pid as Pid, role: 'consumer' })
      if (transfer === undefined || !notes.asksFor(transfer)) return body
      let bytes = 0
      let toldAt = clock()
      const tell = (): void => {
        if (bytes > 0) {
          afterwards(pid, noteFor(pid, 'consumer', { after: { bytes, records: 0 }, own: false }))
        }
        bytes = 0
        toldAt = clock()
      }
      const counter = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          bytes += chunk.byteLength
          if (clock() - toldAt >= PORTION_MS) tell()
          done(null, chunk)
        },
        destroy(cause, done) {
          tell()
          body.destroy()
          done(cause)
        },
      })
      body.once('error', (cause) => counter.destroy(cause))
      return body.pipe(counter)
    },
  }
}

export type DutyNotes = ReturnType<typeof assembleDutyNotes>

/** Deletes between two deliveries, so that nobody writes meanwhile. */
export const deleteReceivedFrom =
  (sinks: Sinks, receiver: Pick<PushReceiver, 'between'>): WatchDeps['deleteReceived'] =>
  async ({ pid, sink }: Transfer, range) => {
    if (sink === undefined) return ok(undefined)
    const cut = await receiver.between(pid, () => sinks.cut(sink, pid, range))
    if (!cut.ok) return cut
    return ok(cut.value === undefined ? undefined : { ...cut.value, name: sinks.nameOf(sink) })
  }
