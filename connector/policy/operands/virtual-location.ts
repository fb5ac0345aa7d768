/**
 * `odrl:virtualLocation`: the host that data is delivered to (ODRL Vocabulary & Expression 2.2, left operand "virtualLocation").
 * For a push it is that of the receiver's address; for data that is fetched, that of the partner's connector, which alone gets
 * the access. From which network it is then fetched is not looked at: addresses prove nothing.
 */
import type { Text } from '../../core/types.js'
import { conditionWords } from '../condition-words.js'
import { ODRL, type Phase } from '../model.js'
import { quoted, text } from '../words.js'
import { defineOperand, type Reading, verdictOf } from './operand.js'
import { readNames } from './values.js'

const WHERE_KNOWN: readonly Phase[] = ['transfer', 'delivery']

const LABEL = text('Host that the data is delivered to', 'Rechner, an den geliefert wird')

/** A host name or origin as a lower-case host; undefined for anything that names more or less than that. */
export function hostName(value: string): string | undefined {
  const bare = value
    .normalize('NFC')
    .replace(/^https:\/\//i, '')
    .replace(/\/$/, '')
  if (bare === '' || /[\s/?#@]/.test(bare)) return undefined
  const url = URL.canParse(`https://${bare}`) ? new URL(`https://${bare}`) : undefined
  return url === undefined || url.hostname === '' || url.port !== '' ? undefined : url.hostname
}

function read(values: readonly string[], operator: string): Reading<readonly string[]> {
  const names = readNames(values)
  if ('wrong' in names) return names
  if (names.value.length > 1 && (operator === 'eq' || operator === 'neq')) {
    return {
      wrong: text('The condition needs exactly one value.', 'Die Bedingung braucht genau einen Wert.'),
    }
  }
  const bad = names.value.find((name) => hostName(name) === undefined)
  if (bad !== undefined) {
    return {
      wrong: text(
        `The value ${quoted(bad).en} is not a host name such as data.example.com.`,
        `Der Wert ${quoted(bad).de} ist kein Rechnername wie data.example.com.`,
      ),
    }
  }
  return { value: [...new Set(names.value.flatMap((name) => hostName(name) ?? []))].sort() }
}

const NEGATIVE: ReadonlySet<string> = new Set(['neq', 'isNoneOf'])

function clause(hosts: readonly string[], operator: string): Text {
  const said = conditionWords(
    { label: LABEL, domain: { kind: 'name' } },
    { kind: 'atomic', leftOperand: `${ODRL}virtualLocation`, operator, rightOperand: hosts, path: '' },
  )
  return text(
    `${said.en} Where data is fetched, that is the host of the recipient's connector.`,
    `${said.de} Wo die Daten abgerufen werden, ist das der Rechner des Connectors beim Empfänger.`,
  )
}

export const virtualLocation = defineOperand<readonly string[]>({
  iri: `${ODRL}virtualLocation`,
  aliases: ['virtualLocation', 'odrl:virtualLocation'],
  datatype: 'name',
  domain: { kind: 'name' },
  label: LABEL,
  classes: [7],
  operators: {
    eq: { stricter: 'subset', phases: WHERE_KNOWN },
    neq: { stricter: 'superset', phases: WHERE_KNOWN },
    isAnyOf: { stricter: 'subset', phases: WHERE_KNOWN },
    isNoneOf: { stricter: 'superset', phases: WHERE_KNOWN },
  },
  enforcedBy: 'provider',
  temporal: false,
  read,
  evaluate: (hosts, operator, { deliveredTo }) => {
    const host = deliveredTo === undefined ? undefined : hostName(deliveredTo)
    if (host === undefined) {
      return {
        verdict: 'unknown',
        text: () =>
          text(
            'The contract sets a condition for the host that the data is delivered to, and that host is not known.',
            'Der Vertrag stellt eine Bedingung an den Rechner, an den geliefert wird, und dieser ist nicht bekannt.',
          ),
      }
    }
    const allowed = hosts.includes(host) !== NEGATIVE.has(operator)
    return {
      verdict: verdictOf(allowed),
      text: () =>
        allowed
          ? text(
              `The contract allows delivery to ${quoted(host).en}.`,
              `Der Vertrag erlaubt die Lieferung an ${quoted(host).de}.`,
            )
          : text(
              `The contract does not allow delivery to ${quoted(host).en}.`,
              `Der Vertrag erlaubt die Lieferung an ${quoted(host).de} nicht.`,
            ),
    }
  },
  describe: clause,
  contribute: (values, operator) => ({
    conditions: [{ leftOperand: `${ODRL}virtualLocation`, operator, values }],
  }),
  normal: (value) => hostName(value) ?? value.normalize('NFC'),
})
