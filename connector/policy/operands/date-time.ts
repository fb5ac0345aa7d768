/**
 * `odrl:dateTime`: the instant of use (ODRL Vocabulary & Expression 2.2, left operand "dateTime").
 * A contract may be concluded before its use begins, so the beginning is not looked at during negotiation.
 */
import type { EpochMs, Text } from '../../core/types.js'
import { DAY_MS, instantText, parseInstant } from '../instant.js'
import { EDC, ODRL, type Phase } from '../model.js'
import { dayWords, momentWords, nowWords, text } from '../words.js'
import { defineOperand, verdictOf } from './operand.js'
import { readOne } from './values.js'

const WHILE_USED: readonly Phase[] = ['transfer', 'delivery']
const FROM_NEGOTIATION: readonly Phase[] = ['negotiation', ...WHILE_USED]

/** The calendar day through which, or from which, use is allowed, when the bound is that of a whole day in UTC. */
function wholeDay(bound: EpochMs, operator: string): Text | undefined {
  const sinceMidnight = ((bound % DAY_MS) + DAY_MS) % DAY_MS
  if (operator === 'gteq' && sinceMidnight === 0) return dayWords(bound)
  if (operator === 'lt' && sinceMidnight === 0) return dayWords((bound - 1) as EpochMs)
  // The last second or millisecond of a day is how many people write its end.
  return operator === 'lteq' && sinceMidnight >= DAY_MS - 1000 ? dayWords(bound) : undefined
}

const holds = (at: EpochMs, operator: string, bound: EpochMs): boolean => {
  if (operator === 'lt') return at < bound
  if (operator === 'lteq') return at <= bound
  return operator === 'gt' ? at > bound : at >= bound
}

/** What the contract says and what is the case; true of kept and broken bounds alike. */
function stateOfAffairs(bound: EpochMs, operator: string, at: EpochMs): Text {
  const day = wholeDay(bound, operator)
  const limit = day ?? momentWords(bound)
  const now = day === undefined ? nowWords(at) : dayWords(at)
  const [isNow, istJetzt] =
    day === undefined ? ['; it is now', '; jetzt ist der'] : [', today is', ', heute ist der']
  const [en, de] =
    operator === 'lt' || operator === 'lteq'
      ? ['until', 'bis zum']
      : operator === 'gt'
        ? ['only after', 'erst nach dem']
        : ['only from', 'erst ab dem']
  return text(
    `The contract allows use ${en} ${limit.en}${isNow} ${now.en}.`,
    `Der Vertrag erlaubt die Nutzung ${de} ${limit.de}${istJetzt} ${now.de}.`,
  )
}

const CLAUSE_DAY = {
  upper: (day: Text) =>
    text(
      `Use is allowed until the end of ${day.en} (UTC).`,
      `Die Nutzung ist bis zum Ablauf des ${day.de} (UTC) erlaubt.`,
    ),
  lower: (day: Text) =>
    text(`Use is allowed from ${day.en} (UTC).`, `Die Nutzung ist ab dem ${day.de} (UTC) erlaubt.`),
}

const CLAUSE_MOMENT: Readonly<Record<string, readonly [string, string]>> = {
  lt: ['before', 'vor dem'],
  lteq: ['until', 'bis zum'],
  gt: ['after', 'nach dem'],
  gteq: ['from', 'ab dem'],
}

export const dateTime = defineOperand<EpochMs>({
  iri: `${ODRL}dateTime`,
  // The last two are how sovity connectors name it.
  aliases: ['dateTime', 'odrl:dateTime', 'POLICY_EVALUATION_TIME', `${EDC}POLICY_EVALUATION_TIME`],
  datatype: 'xsd:dateTime',
  domain: { kind: 'instant' },
  label: text('Time of use', 'Zeitpunkt der Nutzung'),
  classes: [8],
  operators: {
    lt: { stricter: 'smaller', phases: FROM_NEGOTIATION },
    lteq: { stricter: 'smaller', phases: FROM_NEGOTIATION },
    gt: { stricter: 'larger', phases: WHILE_USED },
    gteq: { stricter: 'larger', phases: WHILE_USED },
  },
  enforcedBy: 'provider',
  temporal: true,
  read: (values) =>
    readOne(
      values,
      parseInstant,
      text(
        'a date and time with an offset such as 2026-12-31T23:59:59Z',
        'ein Zeitpunkt mit Zeitzone wie 2026-12-31T23:59:59Z',
      ),
    ),
  evaluate: (bound, operator, { at }) => ({
    verdict: verdictOf(holds(at, operator, bound)),
    text: () => stateOfAffairs(bound, operator, at),
  }),
  describe: (bound, operator) => {
    const day = wholeDay(bound, operator)
    if (day !== undefined) return operator === 'gteq' ? CLAUSE_DAY.lower(day) : CLAUSE_DAY.upper(day)
    const [en = '', de = ''] = CLAUSE_MOMENT[operator] ?? []
    const moment = momentWords(bound)
    return text(`Use is allowed ${en} ${moment.en}.`, `Die Nutzung ist ${de} ${moment.de}, erlaubt.`)
  },
  contribute: (bound, operator) => {
    const next = (bound + 1) as EpochMs
    if (operator === 'lt') return { notAfter: bound }
    if (operator === 'lteq') return { notAfter: next }
    return { notBefore: operator === 'gt' ? next : bound }
  },
  normal: (value) => {
    const at = parseInstant(value)
    return at === undefined ? value : instantText(at)
  },
})
