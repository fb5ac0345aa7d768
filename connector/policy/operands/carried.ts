/**
 * Operands that a contract may carry but that this connector does not enforce: they are read, explained and compared,
 * their truth is unknown here, and so a policy that contains one is neither published nor accepted by itself.
 */
import type { Text } from '../../core/types.js'
import { conditionWords } from '../condition-words.js'
import type { Operator } from '../model.js'
import { takesList } from '../spelling.js'
import { quoted, text } from '../words.js'
import { type Domain, domainFault, normalIn } from './domain.js'
import type { Enforcer, LookedAt, Operand, OperatorRule } from './operand.js'

type Carried = {
  readonly iri: string
  readonly aliases: readonly string[]
  readonly domain: Domain
  readonly operators: readonly Operator[]
  readonly enforcedBy: Enforcer
  readonly phases: readonly LookedAt[]
  /** Numbers of the usage-control classes that the operand belongs to. */
  readonly classes: readonly number[]
  /** What is measured, as a noun: "Purpose of use". */
  readonly label: Text
  readonly unit?: Text
  readonly temporal?: true
  readonly commaLists?: true
}

const STRICTER: Readonly<Record<Operator, OperatorRule['stricter']>> = {
  eq: 'subset',
  neq: 'superset',
  lt: 'smaller',
  lteq: 'smaller',
  gt: 'larger',
  gteq: 'larger',
  isA: 'subset',
  hasPart: 'superset',
  isPartOf: 'subset',
  isAllOf: 'superset',
  isAnyOf: 'subset',
  isNoneOf: 'superset',
}

export function carried(definition: Carried): Operand {
  const { iri, label, domain, phases } = definition
  const wrong: Operand['wrong'] = ({ operator, rightOperand }) =>
    domainFault(domain, typeof rightOperand === 'string' ? [rightOperand] : rightOperand, takesList(operator))
  return {
    iri,
    aliases: definition.aliases,
    domain,
    datatype: DATATYPES[domain.kind],
    ...(definition.unit !== undefined && { unit: definition.unit }),
    ...(definition.commaLists === true && { commaLists: true as const }),
    operators: Object.fromEntries(
      definition.operators.map((operator) => [operator, { stricter: STRICTER[operator], phases }]),
    ),
    enforcedBy: definition.enforcedBy,
    enforcedHere: false,
    classes: definition.classes,
    label,
    temporal: definition.temporal === true,
    wrong,
    evaluate: (constraint) => ({ verdict: 'unknown', text: () => wrong(constraint) ?? notToldHere(label) }),
    describe: (constraint) => conditionWords({ label, domain }, constraint),
    contribute: () => ({}),
    normal: (value) => normalIn(domain, value),
  }
}

const notToldHere = (label: Text): Text =>
  text(
    `The contract sets a condition for ${quoted(label.en).en}, and this connector cannot tell whether it is met.`,
    `Der Vertrag stellt eine Bedingung an ${quoted(label.de).de}, und dieser Connector kann nicht feststellen, ob sie erfüllt ist.`,
  )

const DATATYPES: Readonly<Record<Domain['kind'], Operand['datatype']>> = {
  instant: 'xsd:dateTime',
  duration: 'xsd:duration',
  integer: 'xsd:nonNegativeInteger',
  decimal: 'xsd:decimal',
  time: 'xsd:time',
  name: 'name',
  tree: 'concept',
  weekday: 'weekday',
}
