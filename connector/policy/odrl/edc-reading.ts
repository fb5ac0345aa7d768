/**
 * What a provider that runs the Eclipse EDC would make of a policy. A prediction, never a decision: EDC drops what is not
 * bound in its scope, wants every permission fulfilled, and looks at nothing of a prohibition but its conditions.
 */
import { ODRL } from '../model.js'
import { quoted, text } from '../words.js'
import { allOf, type Judged, judge, not } from './judge.js'
import type { Condition, OdrlPolicy, OdrlRule } from './policy.js'
import type { Tri } from './scalar.js'
import { conditionLines, type TraceLine, verdictName } from './trace.js'
import type { World } from './world.js'

/** What the default installation binds for transfers and for its monitor. */
const BOUND = ['https://w3id.org/edc/v0.0.1/ns/inForceDate']
const BOUND_ACTION = `${ODRL}use`

export type Prediction = {
  readonly decision: 'permit' | 'deny' | 'unknown'
  readonly rules: readonly {
    readonly rule: string
    readonly kind: OdrlRule['kind']
    /** `dropped` when its action is not bound. */
    readonly counts: 'fulfilled' | 'not fulfilled' | 'unknown' | 'dropped'
  }[]
  /** Conditions that are not looked at. */
  readonly dropped: readonly string[]
  readonly trace: readonly TraceLine[]
}

/** @param bound left operands that the provider has bound to functions of its own, as absolute IRIs */
export function predictEdc(policy: OdrlPolicy, world: World, bound: readonly string[]): Prediction {
  const known = new Set([...BOUND, ...bound])
  const rules = [...policy.permissions, ...policy.prohibitions, ...policy.obligations]
  const sequence = rules.flatMap(({ constraints }) => constraints).find(hasSequence)
  if (sequence !== undefined) return refusedWhenRead(sequence.path)
  const read = rules.map((rule) => readRule(rule, known, world))
  const holds = allOf(read.map(({ fulfilled }) => fulfilled))
  return {
    decision: holds === undefined ? 'unknown' : holds ? 'permit' : 'deny',
    rules: read.map(({ rule, isDropped, fulfilled }) => ({
      rule: rule.id ?? rule.path,
      kind: rule.kind,
      counts: isDropped ? 'dropped' : COUNTS[verdictName(fulfilled)],
    })),
    dropped: read.flatMap(({ dropped }) => dropped.map(({ path }) => path)),
    trace: [
      { path: '', verdict: verdictName(holds), text: OUTCOME[verdictName(holds)] },
      ...read.flatMap(lines),
    ],
  }
}

const COUNTS = { true: 'fulfilled', false: 'not fulfilled', unknown: 'unknown' } as const

const OUTCOME: Readonly<Record<TraceLine['verdict'], TraceLine['text']>> = {
  true: text(
    'Prediction: an EDC provider would probably allow this. It says nothing about what the policy means.',
    'Vorhersage: Ein EDC-Anbieter würde das wohl erlauben. Was die Policy bedeutet, ist damit nicht gesagt.',
  ),
  false: text(
    'Prediction: an EDC provider would probably refuse this. It says nothing about what the policy means.',
    'Vorhersage: Ein EDC-Anbieter würde das wohl ablehnen. Was die Policy bedeutet, ist damit nicht gesagt.',
  ),
  unknown: text(
    'Prediction: what an EDC provider would do depends on facts that are not known here.',
    'Vorhersage: Was ein EDC-Anbieter tun würde, hängt von Angaben ab, die hier nicht bekannt sind.',
  ),
}

const hasSequence = (condition: Condition): boolean =>
  condition.kind === 'andSequence' || (condition.kind !== 'atom' && condition.operands.some(hasSequence))

/** EDC has no model for it and takes it for a condition without a left operand. */
const refusedWhenRead = (path: string): Prediction => ({
  decision: 'deny',
  rules: [],
  dropped: [],
  trace: [
    { path: '', verdict: 'false', text: OUTCOME.false },
    {
      path,
      verdict: 'false',
      text: text(
        'EDC does not know conditions in an order and does not take the policy at all.',
        'EDC kennt keine Bedingungen in einer Reihenfolge und nimmt die Policy gar nicht an.',
      ),
    },
  ],
})

type RuleRead = {
  readonly rule: OdrlRule
  readonly isDropped: boolean
  readonly fulfilled: Tri
  readonly judged: readonly Judged[]
  readonly dropped: readonly Condition[]
}

function readRule(rule: OdrlRule, bound: ReadonlySet<string>, world: World): RuleRead {
  const isBound = rule.actions.length === 0 || rule.actions.some(({ iri }) => iri === BOUND_ACTION)
  if (!isBound) return { rule, isDropped: true, fulfilled: true, judged: [], dropped: [] }
  // The conditions of a duty are evaluated as if they were conditions of its permission.
  const written = [...rule.constraints, ...rule.duties.flatMap(({ constraints }) => constraints)]
  const kept = written.flatMap((condition) => keptOf(condition, bound) ?? [])
  const judged = kept.map((condition) => judge(condition, world, undefined))
  const holds = allOf(judged.map((one) => one.holds))
  // A prohibition without a condition that is looked at never prohibits.
  const fulfilled = rule.kind !== 'prohibition' ? holds : kept.length === 0 ? true : not(holds)
  return {
    rule,
    isDropped: false,
    fulfilled,
    judged,
    dropped: written.flatMap((condition) => droppedIn(condition, bound)),
  }
}

/** What is left of a condition in a scope; a connective with nothing left in it goes too. */
function keptOf(condition: Condition, bound: ReadonlySet<string>): Condition | undefined {
  if (condition.kind === 'atom') return bound.has(condition.leftOperand) ? condition : undefined
  const operands = condition.operands.flatMap((operand) => keptOf(operand, bound) ?? [])
  return operands.length === 0 ? undefined : { ...condition, operands }
}

const droppedIn = (condition: Condition, bound: ReadonlySet<string>): readonly Condition[] =>
  condition.kind === 'atom'
    ? bound.has(condition.leftOperand)
      ? []
      : [condition]
    : condition.operands.flatMap((operand) => droppedIn(operand, bound))

function lines({ rule, isDropped, fulfilled, judged, dropped }: RuleRead): readonly TraceLine[] {
  const name = quoted(rule.id ?? rule.path)
  if (isDropped) {
    return [
      {
        path: rule.path,
        verdict: 'unknown',
        text: text(
          `EDC drops ${name.en}: its action is not bound.`,
          `EDC lässt ${name.de} weg: Die Handlung ist nicht gebunden.`,
        ),
      },
    ]
  }
  const verdict = verdictName(fulfilled)
  const said = {
    true: text('does not stand in the way', 'steht nicht im Weg'),
    false: text('stands in the way', 'steht im Weg'),
    unknown: text('may stand in the way', 'steht vielleicht im Weg'),
  }[verdict]
  return [
    { path: rule.path, verdict, text: text(`${name.en} ${said.en}.`, `${name.de} ${said.de}.`) },
    ...judged.flatMap(conditionLines),
    ...dropped.map(
      ({ path }): TraceLine => ({
        path,
        verdict: 'unknown',
        text: text(
          'EDC does not look at this condition: its left operand is not bound.',
          'EDC sieht sich diese Bedingung nicht an: Der linke Operand ist nicht gebunden.',
        ),
      }),
    ),
  ]
}
