/** The shape of machine data inside the data plane: flat records with declared signals only. */
import type { EpochMs } from '../core/types.js'

export type Scalar = number | string | boolean | null

export type DataRecord = {
  /** Opaque to everybody but the source: reading can go on right behind it. Matches /^[A-Za-z0-9._~-]{1,64}$/. */
  readonly position: string
  /** Event time. */
  readonly time: EpochMs
  /** Which machine or topic it belongs to; '' when the source has one series. */
  readonly series: string
  /** By declared signal name; a signal without a value in this record is absent. */
  readonly values: Readonly<Record<string, Scalar>>
}

export type SignalType = 'number' | 'integer' | 'string' | 'boolean'

/** A signal as the operator declares it. Names `id`, `ts` and `series` are reserved for delivery. */
export type Signal = {
  readonly name: string
  readonly type: SignalType
  /** UCUM or plain unit text, shown to partners. */
  readonly unit?: string
  readonly description?: string
  /** Its values tell machines, orders or people apart: under a contract with pseudonyms they are replaced. */
  readonly identifies?: boolean
}
