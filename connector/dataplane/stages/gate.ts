/**
 * Stage 0, gate: may this participant be given anything at this instant? Asked before a flow starts, for every
 * batch, and by a timer at the end of the allowed time.
 */

import { message, type Problem } from '../../core/result.js'
import type { EpochMs } from '../../core/types.js'
import type { Plan } from '../../policy/plan.js'
import { momentWords, nowWords } from '../../policy/words.js'
import { findZone, type LocalTime, nextChange, type Zone } from '../../policy/zone.js'

/** The reason why nothing may be delivered now, or undefined when the gate is open. */
export type Gate = (now: EpochMs) => Problem | undefined

/** Recurring times of delivery. */
export type Opening = {
  isOpen(now: EpochMs): boolean
  /** When that changes; undefined when it does not within two weeks. */
  nextChange(now: EpochMs): EpochMs | undefined
}

/** Whether the conditions of a plan are met for one grant, which can change at any time. */
export type Standing = {
  /** Why nothing may be delivered at that instant. `waits`: what is open then goes on when it may be again. */
  judge(now: EpochMs): { readonly problem: Problem; readonly waits: boolean } | undefined
  /** The first instant after `now` at which that may be otherwise by itself. */
  nextChange(now: EpochMs): EpochMs | undefined
  /** Called when that may be otherwise at once. Returns the unsubscribe function. */
  onChange(listener: () => void): () => void
}

/** Nobody here can tell whether the conditions are met. */
const NEVER: Standing = {
  judge: () => ({
    problem: {
      code: 'NotConfirmed',
      message: 'Whether the conditions of the contract are met cannot be told here.',
      messageDe: 'Ob die Bedingungen des Vertrags erfüllt sind, lässt sich hier nicht feststellen.',
    },
    waits: false,
  }),
  nextChange: () => undefined,
  onChange: () => () => {},
}

/** undefined when the plan has no conditions. Without anybody who judges them they are not met. */
export const standingFor = ({ conditions }: Plan, judged: Standing | undefined): Standing | undefined =>
  conditions === undefined ? undefined : (judged ?? NEVER)

/** The zone in which the plan means its days and times of day. */
export function zoneOf({ timeZones }: Plan): Zone {
  const zone = findZone(timeZones?.[0] ?? 'UTC')
  // Known when the policy was read: a machine that has lost its time zones must not deliver by guess.
  if (zone === undefined) throw new TypeError(`the time zone ${timeZones?.[0]} is not known here`)
  return zone
}

/** How long "no change within two weeks" is believed, milliseconds. */
const AGAIN = 86_400_000

/** undefined when the plan delivers at all times. */
export function openingOf(plan: Plan): Opening | undefined {
  const { hours, weekdays } = plan
  if (hours === undefined && weekdays === undefined) return undefined
  const zone = zoneOf(plan)
  const edges = hours?.flat() ?? []
  const allowed = ({ weekday, ofDay }: LocalTime): boolean =>
    weekdays?.includes(weekday) !== false &&
    hours?.some(([from, to]) => ofDay >= from && ofDay < to) !== false
  let known: { readonly at: EpochMs; readonly next: EpochMs | undefined } | undefined
  return {
    isOpen: (now) => Number.isFinite(now) && allowed(zone.local(now)),
    nextChange: (now) => {
      // Asked for by every request, and the same until it has come.
      if (known === undefined || now < known.at || now >= (known.next ?? known.at + AGAIN)) {
        known = { at: now, next: nextChange(zone, now, edges, allowed) }
      }
      return known.next
    },
  }
}

export function openGate(
  plan: Plan,
  recipient: string,
  opening = openingOf(plan),
  judged: Standing | undefined = undefined,
): Gate {
  const barred = barredBy(plan, recipient)
  const standing = standingFor(plan, judged)
  return (now) => {
    const why = barred(now) ?? standing?.judge(now)?.problem
    if (why !== undefined || opening === undefined || opening.isOpen(now)) return why
    const next = opening.nextChange(now)
    const begins = next === undefined ? undefined : momentWords(next)
    return denied(
      `The contract allows no delivery at this time.${begins === undefined ? '' : ` Delivery begins again at ${begins.en}.`}`,
      `Der Vertrag erlaubt zu dieser Zeit keine Lieferung.${begins === undefined ? '' : ` Geliefert wird wieder ab dem ${begins.de}.`}`,
    )
  }
}

/** A gate that is closed now, and behind which it is worth while to wait. */
export type Waiting = {
  /** When it may open by itself; undefined when only something that happens can open it, or nothing is known. */
  readonly until: EpochMs | undefined
}

/** undefined when the gate is open, or closed for good. */
export function waitingAt(
  plan: Plan,
  recipient: string,
  opening: Opening | undefined,
  judged: Standing | undefined,
) {
  const barred = barredBy(plan, recipient)
  const standing = standingFor(plan, judged)
  return (now: EpochMs): Waiting | undefined => {
    if (barred(now) !== undefined) return undefined
    const unmet = standing?.judge(now)
    if (unmet !== undefined && !unmet.waits) return undefined
    const closed = opening !== undefined && !opening.isOpen(now)
    if (unmet === undefined && !closed) return undefined
    const next = closed ? opening.nextChange(now) : undefined
    if (unmet === undefined) return next === undefined ? undefined : { until: next }
    const change = standing?.nextChange(now)
    const edges = [next, change].flatMap((at) => at ?? [])
    return { until: edges.length === 0 ? undefined : (Math.min(...edges) as EpochMs) }
  }
}

const denied = (en: string, de: string): Problem => ({ code: 'PolicyDenied', ...message({ en, de }) })

/** What holds whatever the time of day is. */
function barredBy({ notBefore, notAfter, recipients }: Plan, recipient: string): Gate {
  return (now) => {
    if (recipients !== undefined && !recipients.includes(recipient)) {
      return denied(
        'The contract does not name you as a recipient of this data.',
        'Der Vertrag nennt Sie nicht als Empfänger dieser Daten.',
      )
    }
    if (notBefore !== undefined && now < notBefore) {
      const [from, today] = [momentWords(notBefore), nowWords(now)]
      return denied(
        `The contract allows delivery from ${from.en} on; it is now ${today.en}.`,
        `Der Vertrag erlaubt die Lieferung ab dem ${from.de}; jetzt ist der ${today.de}.`,
      )
    }
    // A clock that is not a number opens nothing: the comparison is written so that it fails closed.
    if (notAfter !== undefined && !(now < notAfter)) {
      const until = momentWords(notAfter)
      return denied(
        `The contract allowed delivery until ${until.en}; that time has passed.`,
        `Der Vertrag erlaubte die Lieferung bis zum ${until.de}; diese Zeit ist vorbei.`,
      )
    }
    return undefined
  }
}
