/** `odrl:recipient`: who receives the data (ODRL Vocabulary & Expression 2.2, left operand "recipient"). */
import { EDC, ODRL, type Phase } from '../model.js'
import { listNames, quoted, text } from '../words.js'
import { defineOperand, verdictOf } from './operand.js'
import { readNames } from './values.js'

const ALWAYS: readonly Phase[] = ['catalog', 'negotiation', 'transfer', 'delivery']

export const recipient = defineOperand<readonly string[]>({
  iri: `${ODRL}recipient`,
  // The last two are how sovity connectors name the participant that asks.
  aliases: ['recipient', 'odrl:recipient', 'REFERRING_CONNECTOR', `${EDC}REFERRING_CONNECTOR`],
  commaLists: true,
  datatype: 'participant',
  domain: { kind: 'name' },
  label: text('Recipient', 'Empfänger'),
  classes: [1],
  operators: {
    eq: { stricter: 'subset', phases: ALWAYS },
    isAnyOf: { stricter: 'subset', phases: ALWAYS },
  },
  enforcedBy: 'provider',
  temporal: false,
  read: (values, operator) => {
    const names = readNames(values)
    if ('wrong' in names || operator !== 'eq' || names.value.length === 1) return names
    return {
      wrong: text(
        'A recipient cannot equal several participants; "isAnyOf" says that it is one of them.',
        'Ein Empfänger kann nicht mit mehreren Teilnehmern gleich sein; „isAnyOf“ sagt, dass er einer von ihnen ist.',
      ),
    }
  },
  // The sentence names only the participant asking: it must not learn who the others are.
  evaluate: (names, _operator, { recipient }) => {
    const included = names.includes(recipient.normalize('NFC'))
    return {
      verdict: verdictOf(included),
      text: () =>
        included
          ? text(
              `The contract names ${quoted(recipient).en} as a recipient.`,
              `Der Vertrag nennt ${quoted(recipient).de} als Empfänger.`,
            )
          : text(
              `The contract is meant for other recipients, ${quoted(recipient).en} is not among them.`,
              `Der Vertrag gilt für andere Empfänger, ${quoted(recipient).de} gehört nicht dazu.`,
            ),
    }
  },
  describe: (names) => {
    const list = listNames(names)
    return names.length === 1
      ? text(`Only ${list.en} may receive the data.`, `Nur ${list.de} darf die Daten erhalten.`)
      : text(
          `Only these participants may receive the data: ${list.en}.`,
          `Nur diese Teilnehmer dürfen die Daten erhalten: ${list.de}.`,
        )
  },
  contribute: (recipients) => ({ recipients }),
  normal: (value) => value.normalize('NFC'),
})
