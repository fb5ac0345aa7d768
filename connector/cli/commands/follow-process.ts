/** Watches a negotiation or a transfer until it is where it should be, and prints each state as it comes. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Problem } from '../../core/result.js'
import type { Clock, Text } from '../../core/types.js'
import { say } from '../command.js'
import { type Here, inLang } from './connected.js'
import { type View, viewOf } from './view.js'
import { clockWords, durationMs } from './when.js'

/** Between two looks, milliseconds: short at first, because two connectors often need less than 100. */
const FIRST_LOOK = 25
const LAST_LOOK = 1_000

export type Followed =
  | { readonly is: 'reached' | 'late' | 'interrupted'; readonly process: View }
  | { readonly is: 'failed'; readonly error: Problem }

export async function followProcess(
  here: Here,
  options: {
    readonly path: string
    /** Where the process stands now; shown first. */
    readonly begun: View
    readonly isThere: (process: View) => boolean
    readonly onLook: (process: View) => void
    readonly waitMs: number
    readonly clock: Clock
    readonly signal: AbortSignal
  },
): Promise<Followed> {
  const { clock, signal, isThere, onLook } = options
  const deadline = clock() + options.waitMs
  let process = options.begun
  for (let look = FIRST_LOOK; ; look = Math.min(LAST_LOOK, look * 1.5)) {
    const found = await here.client.get(options.path)
    if (!found.ok) return { is: 'failed', error: found.error }
    process = viewOf(found.value)
    onLook(process)
    if (isThere(process)) return { is: 'reached', process }
    if (signal.aborted) return { is: 'interrupted', process }
    const left = deadline - clock()
    if (left <= 0) return { is: 'late', process }
    try {
      await pause(Math.min(look, left), undefined, { signal })
    } catch {
      // Only the signal ends a pause early; it is asked above.
    }
  }
}

const STATE_OF: Readonly<Record<string, string>> = {
  request: 'REQUESTED',
  offer: 'OFFERED',
  accept: 'ACCEPTED',
  agree: 'AGREED',
  verify: 'VERIFIED',
  finalize: 'FINALIZED',
  start: 'STARTED',
  suspend: 'SUSPENDED',
  complete: 'COMPLETED',
  terminate: 'TERMINATED',
}

type Reached = { readonly state: string; readonly at: string }

/** The states so far. What the timeline notes as sent counts when the partner has answered it. */
function statesOf(process: View): readonly Reached[] {
  const pending = process.maybe('pending')
  const known = process.views('timeline').flatMap((entry): readonly Reached[] => {
    const state = Object.hasOwn(STATE_OF, entry.text('event')) ? STATE_OF[entry.text('event')] : undefined
    const open = entry.text('direction') === 'out' && entry.text('event') === pending
    return state === undefined || open ? [] : [{ state, at: entry.text('at') }]
  })
  const state = process.text('state')
  return state === 'NEW' || known.at(-1)?.state === state
    ? known
    : [...known, { state, at: process.text('updatedAt') }]
}

/** Prints what is new since the last look, one line per state. Says nothing for programs. */
export function stateLines(here: Here, words: Readonly<Record<string, Text>>): (process: View) => void {
  let printed: readonly Reached[] = []
  return (process) => {
    if (here.json) return
    const states = statesOf(process)
    // Without a timeline only the present state is known: then it is new when it differs.
    const fresh = process.has('timeline')
      ? states.slice(printed.length)
      : states.filter(({ state }) => state !== printed.at(-1)?.state)
    for (const { state, at } of fresh) {
      const text = Object.hasOwn(words, state) ? words[state]?.[here.lang] : undefined
      say(here, `${clockWords(at, here.lang)}  ${state.padEnd(10)}  ${text ?? ''}`.trimEnd())
    }
    if (fresh.length > 0) printed = states
  }
}

/** --wait in milliseconds, or the sentence about what is wrong with it. */
export function waitOf(given: string | undefined, otherwise: number): number | Text {
  const wait = given === undefined ? otherwise : durationMs(given)
  return (
    wait ?? {
      en: '--wait takes a duration such as 60s, 5m or PT1M.',
      de: '--wait nimmt eine Dauer, etwa 60s, 5m oder PT1M.',
    }
  )
}

export const WAIT_OPTION = {
  type: 'string',
  value: '60s',
  about: {
    en: 'how long to wait for the partner (default 60s)',
    de: 'wie lange auf den Partner gewartet wird (sonst 60s)',
  },
} as const

export const stillOpen = (here: Here, followed: Followed['is']): string =>
  followed === 'interrupted'
    ? inLang(
        here,
        'Stopped watching. It goes on by itself in the connector; nothing is lost.',
        'Sie sehen nicht mehr zu. Im Connector läuft es von selbst weiter; es geht nichts verloren.',
      )
    : inLang(
        here,
        'The partner has not answered in time. The connector keeps trying; you need not wait.',
        'Der Partner hat nicht rechtzeitig geantwortet. Der Connector versucht es weiter; Sie müssen nicht warten.',
      )
