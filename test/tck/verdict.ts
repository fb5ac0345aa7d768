/**
 * Judges a run of the kit. Only the exact result will do: every enabled case succeeded, the disabled ones skipped, nothing
 * failed, nothing missing, and the numbers that the platform counted agree with the list of cases.
 */
import type { Case } from './cases.js'

export type CaseOutcome = {
  readonly name: string
  readonly outcome: 'succeeded' | 'failed' | 'aborted' | 'skipped'
  readonly seconds: number
  readonly why?: string
}

/** What the runner of the kit writes. */
export type KitResult = {
  readonly counted: {
    readonly found: number
    readonly succeeded: number
    readonly failed: number
    readonly skipped: number
    readonly aborted: number
    readonly containersFailed: number
  }
  readonly cases: readonly CaseOutcome[]
}

export type Verdict = {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** One sentence per finding; none when the result is the one that is required. */
  readonly findings: readonly string[]
}

const WORDS = {
  succeeded: 'succeeded',
  failed: 'failed',
  aborted: 'was given up',
  skipped: 'was skipped',
} as const

/** Case id at the start of a display name; undefined for a class or an engine. */
const idOf = (name: string): string | undefined => /^[A-Z_]+:\d\d-\d\d/.exec(name)?.[0]

export function judge(expected: readonly Case[], result: KitResult): Verdict {
  const findings: string[] = []
  const seen = new Map<string, CaseOutcome>()
  for (const outcome of result.cases) {
    const id = idOf(outcome.name)
    if (id === undefined) findings.push(`${outcome.name} broke${because(outcome)}`)
    else if (seen.has(id)) findings.push(`${id} was run twice`)
    else seen.set(id, outcome)
  }
  let passed = 0
  let skipped = 0
  for (const { id, disabled } of expected) {
    const outcome = seen.get(id)
    const wanted = disabled ? 'skipped' : 'succeeded'
    if (outcome?.outcome === wanted) {
      if (disabled) skipped++
      else passed++
    } else if (outcome === undefined) findings.push(`${id} was not run`)
    else if (outcome.outcome === 'failed') findings.push(`${outcome.name} failed${because(outcome)}`)
    else
      findings.push(
        `${outcome.name} should have ${disabled ? 'been skipped' : 'succeeded'}, but ${WORDS[outcome.outcome]}${because(outcome)}`,
      )
  }
  const known = new Set(expected.map(({ id }) => id))
  for (const id of seen.keys()) if (!known.has(id)) findings.push(`${id} is unknown to the table of cases`)
  const wrong = disagreements(expected, result.counted)
  // Without any case by name that explains it, the count alone is a finding.
  if (findings.length === 0) findings.push(...wrong)
  return { passed, skipped, failed: findings.length, findings }
}

/** The counts of the platform against what the table asks for. */
function disagreements(expected: readonly Case[], counted: KitResult['counted']): readonly string[] {
  const disabled = expected.filter((one) => one.disabled).length
  const required: KitResult['counted'] = {
    found: expected.length,
    succeeded: expected.length - disabled,
    failed: 0,
    skipped: disabled,
    aborted: 0,
    containersFailed: 0,
  }
  return (Object.keys(required) as (keyof typeof required)[])
    .filter((key) => counted[key] !== required[key])
    .map((key) => `the platform counted ${counted[key]} ${key}, and ${required[key]} are required`)
}

const because = ({ why }: CaseOutcome): string => (why === undefined ? '' : `: ${why}`)

/** The line that continuous integration adds up. */
export const closingLine = ({ passed, failed, skipped }: Verdict): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`

/** The result as a page to keep. */
export function markdown(
  verdict: Verdict,
  result: KitResult,
  about: { readonly kit: string; readonly version: string; readonly at: string },
): string {
  const rows = result.cases.map(
    ({ name, outcome, seconds, why }) =>
      `| ${cell(name)} | ${outcome} | ${seconds.toFixed(2)} s | ${cell(outcome === 'skipped' ? 'disabled in the kit' : (why ?? ''))} |`,
  )
  return [
    '# Dataspace Protocol conformance',
    '',
    `Handschlag ${about.version} against the ${about.kit}, ${about.at}: ${closingLine(verdict)}.`,
    ...(verdict.findings.length === 0 ? [] : ['', ...verdict.findings.map((finding) => `- ${finding}`)]),
    '',
    '| Case | Result | Time | Remark |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

const cell = (text: string): string => text.replaceAll('|', '\\|')
