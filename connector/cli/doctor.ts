/** Checks as values: run in order, each with a time limit, rendered for people and, as a contract, for programs. */
import type { Lang, Text } from '../core/types.js'
import { both } from './text.js'

/** What a check found. A finding that is not good always says what it means and what to do. */
export type Finding =
  | { readonly status: 'ok'; readonly what: Text }
  /** There was nothing to check, or no way to. */
  | { readonly status: 'skipped'; readonly what: Text }
  | {
      readonly status: 'warning' | 'failed'
      readonly what: Text
      readonly impact: Text
      readonly fix: Text
    }

export type Check = {
  /** kebab-case and stable: scripts match on it. */
  readonly name: string
  /** Names of earlier checks without which this one could only repeat their news. */
  readonly needs?: readonly string[]
  /** Must stop what it does when the signal aborts; its answer is then no longer waited for. */
  readonly run: (signal: AbortSignal) => Promise<Finding>
}

export type Outcome = { readonly name: string } & Finding

/** Longest a single check may take, milliseconds. */
export const CHECK_TIMEOUT = 5_000

export type RunOptions = {
  readonly timeoutMs?: number
  /** Called with each outcome as it is known. */
  readonly onOutcome?: (outcome: Outcome) => void
}

/** Runs the checks in order. A check that throws or stalls is a finding, never a crash. */
export async function runChecks(
  checks: readonly Check[],
  options: RunOptions = {},
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (const check of checks) {
    const outcome: Outcome = { name: check.name, ...(await finding(check, outcomes, options)) }
    outcomes.push(outcome)
    options.onOutcome?.(outcome)
  }
  return outcomes
}

async function finding(check: Check, before: readonly Outcome[], options: RunOptions): Promise<Finding> {
  const blocker = before.find(
    ({ name, status }) => check.needs?.includes(name) && (status === 'failed' || status === 'skipped'),
  )
  if (blocker !== undefined) {
    return { status: 'skipped', what: { en: `needs ${blocker.name}`, de: `braucht ${blocker.name}` } }
  }
  const timeoutMs = options.timeoutMs ?? CHECK_TIMEOUT
  const stop = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const stalled = new Promise<Finding>((resolve) => {
    timer = setTimeout(() => {
      stop.abort()
      resolve(
        unfinished({
          en: `no answer within ${timeoutMs / 1000} s`,
          de: `keine Antwort in ${timeoutMs / 1000} s`,
        }),
      )
    }, timeoutMs)
  })
  try {
    return await Promise.race([check.run(stop.signal), stalled])
  } catch (cause) {
    return unfinished(both(cause instanceof Error ? cause.message : String(cause)))
  } finally {
    clearTimeout(timer)
    stop.abort()
  }
}

const unfinished = (what: Text): Finding => ({
  status: 'failed',
  what,
  impact: { en: 'The check itself could not finish.', de: 'Die Prüfung selbst kam nicht zu Ende.' },
  fix: {
    en: 'Run it again. If it stays, report it with the output of: handschlag doctor --json',
    de: 'Wiederholen Sie die Prüfung. Bleibt es dabei, melden Sie es mit der Ausgabe von: handschlag doctor --json',
  },
})

export const isHealthy = (outcomes: readonly Outcome[]): boolean =>
  outcomes.every(({ status }) => status !== 'failed')

const MARK = { ok: '✔', warning: '!', failed: '✖', skipped: '-' } as const
const FIX: Text = { en: 'Fix', de: 'Abhilfe' }

/** `alarming` dresses the lines of what failed. */
export function renderOutcomes(
  outcomes: readonly Outcome[],
  lang: Lang,
  alarming: (line: string) => string = (line) => line,
): string {
  const width = Math.max(0, ...outcomes.map(({ name }) => name.length))
  const lines = outcomes.flatMap((outcome) => [
    (outcome.status === 'failed' ? alarming : String)(
      `${MARK[outcome.status]} ${outcome.name.padEnd(width)}  ${outcome.what[lang]}`,
    ),
    ...('fix' in outcome ? [`    ${outcome.impact[lang]}`, `    ${FIX[lang]}: ${outcome.fix[lang]}`] : []),
  ])
  return [...lines, '', closing(outcomes)[lang]].join('\n')
}

function closing(outcomes: readonly Outcome[]): Text {
  const failed = outcomes.filter(({ status }) => status === 'failed').length
  const warned = outcomes.filter(({ status }) => status === 'warning').length
  return failed + warned === 0
    ? { en: 'All good.', de: 'Alles in Ordnung.' }
    : { en: `${failed} failed, ${warned} to look at.`, de: `${failed} fehlgeschlagen, ${warned} zu prüfen.` }
}

/** The contract of `doctor --json`: names and statuses are stable, the sentences are not. */
export const outcomesAsJson = (outcomes: readonly Outcome[], lang: Lang): object => ({
  ok: isHealthy(outcomes),
  checks: outcomes.map((outcome) => ({
    name: outcome.name,
    status: outcome.status,
    what: outcome.what[lang],
    ...('fix' in outcome ? { impact: outcome.impact[lang], fix: outcome.fix[lang] } : {}),
  })),
})
