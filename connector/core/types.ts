/** Branded identifiers, time, and the few words every room shares. */
declare const brand: unique symbol
type Brand<T, B extends string> = T & { readonly [brand]: B }

/** Identifier of a participant; `did:web`, syntax-checked where it enters. */
export type ParticipantId = Brand<string, 'ParticipantId'>
/** Process identifier, `urn:uuid:...` when it is ours. */
export type Pid = Brand<string, 'Pid'>
/** Milliseconds since the Unix epoch, UTC. */
export type EpochMs = Brand<number, 'EpochMs'>

export type Role = 'consumer' | 'provider'

/** The only source of time in the program; tests pass a hand-set one. */
export type Clock = () => EpochMs
export const systemClock: Clock = () => Date.now() as EpochMs

/** ISO 8601 in UTC with milliseconds, as it appears in messages and answers. */
export const iso = (at: EpochMs): string => new Date(at).toISOString()

/** A text that people read, in both languages of the product. */
export type Text = { readonly en: string; readonly de: string }
export type Lang = keyof Text

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }
