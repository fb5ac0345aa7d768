/**
 * What only the provider's operator can tell: groups, proofs, seat and request of the recipient, and events such as an open
 * ticket. The operator confirms it as facts; what nobody has confirmed is unknown, and so denies.
 */
import type { Lang, Text } from '../../core/types.js'
import { conditionWords, valueWords } from '../condition-words.js'
import { type Confirmed, type Facts, MDP, ODRL, type Operator, type Phase } from '../model.js'
import { conceptOf, isWithin, TAXONOMY_VERSION } from '../odrl/taxonomy.js'
import { quoted, text } from '../words.js'
import type { Domain } from './domain.js'
import {
  type Confirmation,
  defineOperand,
  type Operand,
  type OperatorRule,
  type Outcome,
  type Reading,
} from './operand.js'
import { readNames } from './values.js'

const ALWAYS: readonly Phase[] = ['catalog', 'negotiation', 'transfer', 'delivery']
/** A request is made for one contract, and nobody has to know of it before. */
const FROM_NEGOTIATION: readonly Phase[] = ['negotiation', 'transfer', 'delivery']

const STRICTER: Readonly<Partial<Record<Operator, OperatorRule['stricter']>>> = {
  eq: 'subset',
  neq: 'superset',
  isAnyOf: 'subset',
  isNoneOf: 'superset',
  isAllOf: 'superset',
  isA: 'subset',
  isPartOf: 'subset',
  hasPart: 'superset',
}

type Tri = boolean | undefined

type About = {
  readonly iri: string
  readonly aliases: readonly string[]
  readonly domain: Domain
  readonly operators: readonly Operator[]
  readonly phases: readonly Phase[]
  readonly classes: readonly number[]
  readonly label: Text
  readonly confirmed: Confirmation
  /** Said behind the condition, where the words could promise more than is enforced. */
  readonly proviso?: Text
}

const ONE_OF = ['eq', 'neq', 'isAnyOf', 'isNoneOf'] as const
const KIND_OF = [...ONE_OF, 'isA', 'isPartOf', 'hasPart', 'isAllOf'] as const
const SEVERAL: Confirmation = { of: 'recipient', single: false, lapse: 'suspend' }
const ONE: Confirmation = { of: 'recipient', single: true, lapse: 'suspend' }
const PLACE: Domain = { kind: 'tree', tree: 'place' }

const TABLE: readonly About[] = [
  {
    iri: `${MDP}credentialType`,
    aliases: ['mdp:credentialType'],
    domain: { kind: 'name' },
    operators: [...ONE_OF, 'isAllOf'],
    phases: ALWAYS,
    classes: [2],
    label: text('Proof of the recipient', 'Nachweis des Empfängers'),
    confirmed: SEVERAL,
  },
  {
    iri: `${MDP}group`,
    aliases: ['mdp:group'],
    domain: { kind: 'name' },
    operators: [...ONE_OF, 'isAllOf'],
    phases: ALWAYS,
    classes: [2],
    label: text('Group of the recipient', 'Gruppe des Empfängers'),
    confirmed: SEVERAL,
  },
  {
    iri: `${MDP}connectorAssurance`,
    aliases: ['mdp:connectorAssurance'],
    domain: { kind: 'name' },
    operators: ONE_OF,
    phases: ALWAYS,
    classes: [3],
    label: text("Assurance of the recipient's connector", 'Prüfstufe des Connectors beim Empfänger'),
    confirmed: ONE,
  },
  {
    iri: `${MDP}partySeat`,
    aliases: ['mdp:partySeat'],
    domain: PLACE,
    operators: KIND_OF,
    phases: ALWAYS,
    classes: [7],
    label: text('Seat of the recipient', 'Sitz des Empfängers'),
    confirmed: ONE,
  },
  {
    iri: `${ODRL}spatial`,
    aliases: ['spatial', 'odrl:spatial'],
    domain: PLACE,
    operators: KIND_OF,
    phases: ALWAYS,
    classes: [7],
    label: text('Place of use', 'Ort der Nutzung'),
    confirmed: ONE,
    proviso: text(
      'The data goes only to recipients for whom the provider has confirmed such a place; that it is used nowhere else is agreed by contract only.',
      'Die Daten gehen nur an Empfänger, für die der Anbieter einen solchen Ort bestätigt hat; dass sie nirgends sonst genutzt werden, ist nur vertraglich vereinbart.',
    ),
  },
  {
    iri: `${MDP}userRequest`,
    aliases: ['mdp:userRequest'],
    domain: { kind: 'name' },
    operators: ['eq', 'isAnyOf'],
    phases: FROM_NEGOTIATION,
    classes: [23],
    label: text('Request of the user of the machine', 'Verlangen des Nutzers der Maschine'),
    confirmed: { of: 'recipient', single: false, lapse: 'end' },
  },
  {
    iri: `${ODRL}event`,
    aliases: ['event', 'odrl:event'],
    domain: { kind: 'name' },
    operators: ONE_OF,
    phases: ['delivery'],
    classes: [13, 19],
    label: text('Event', 'Ereignis'),
    confirmed: { of: 'event', single: false, lapse: 'wait' },
  },
]

const LISTS: ReadonlySet<string> = new Set(['isAnyOf', 'isNoneOf', 'isAllOf', 'isA', 'isPartOf', 'hasPart'])

function read({ domain }: About, values: readonly string[], operator: string): Reading<readonly string[]> {
  const names = readNames(values)
  if ('wrong' in names) return names
  if (names.value.length > 1 && !LISTS.has(operator)) {
    return {
      wrong: text('The condition needs exactly one value.', 'Die Bedingung braucht genau einen Wert.'),
    }
  }
  if (domain.kind !== 'tree') return names
  const stranger = names.value.find((name) => conceptOf(domain.tree, name) === undefined)
  return stranger === undefined ? names : { wrong: unknownPlace(stranger) }
}

const unknownPlace = (name: string): Text =>
  text(
    `The place ${quoted(name).en} is not in the list of places of this connector (version ${TAXONOMY_VERSION}); it knows countries such as DE, and EU, EEA and Europe.`,
    `Der Ort ${quoted(name).de} steht nicht im Ortsverzeichnis dieses Connectors (Version ${TAXONOMY_VERSION}); es kennt Länder wie DE sowie EU, EEA und Europe.`,
  )

const anyOf = (values: readonly Tri[]): Tri =>
  values.includes(true) ? true : values.includes(undefined) ? undefined : false
const allOf = (values: readonly Tri[]): Tri =>
  values.includes(false) ? false : values.includes(undefined) ? undefined : true
const not = (value: Tri): Tri => (value === undefined ? undefined : !value)

const NOTHING: ReadonlyMap<string, readonly string[]> = new Map()

/** Whether the recipient, or the situation, has one value; undefined where nobody has confirmed it. */
function has({ domain, confirmed }: About, known: readonly Confirmed[], wanted: string): Tri {
  const tree = domain.kind === 'tree' ? domain.tree : undefined
  const name = (value: string): string => conceptOf(tree, value) ?? value.normalize('NFC')
  const same = (one: Confirmed): boolean => name(one.value) === name(wanted)
  const yes = known.filter((one) => one.not === undefined)
  if (known.some((one) => one.not === true && same(one))) return yes.some(same) ? undefined : false
  if (yes.some(same)) return !confirmed.single || yes.every(same) ? true : undefined
  // An event is open when it is recorded as open; a recipient may have what nobody has recorded.
  if (confirmed.of === 'event') return false
  return confirmed.single && yes.length > 0 ? false : undefined
}

/** The confirmed place lies within the wanted one, or around it. */
function lies(known: readonly Confirmed[], wanted: string, direction: 'within' | 'around'): Tri {
  const places = known.filter((one) => one.not === undefined)
  if (places.length === 0) return undefined
  return allOf(
    places.map(({ value }) =>
      direction === 'within'
        ? isWithin('place', value, wanted, NOTHING)
        : isWithin('place', wanted, value, NOTHING),
    ),
  )
}

function holds(about: About, known: readonly Confirmed[], values: readonly string[], operator: string): Tri {
  const each = (judge: (value: string) => Tri): readonly Tri[] => values.map(judge)
  const hasOne = (value: string): Tri => has(about, known, value)
  switch (operator) {
    case 'eq':
    case 'isAnyOf':
      return anyOf(each(hasOne))
    case 'isAllOf':
      return allOf(each(hasOne))
    case 'isA':
    case 'isPartOf':
      return anyOf(each((value) => lies(known, value, 'within')))
    case 'hasPart':
      return allOf(each((value) => lies(known, value, 'around')))
    // A place is excluded with all that lies in it, and may not be what lies around it.
    case 'neq':
    case 'isNoneOf':
      return about.domain.kind === 'tree'
        ? allOf(
            each((value) => {
              const inside = lies(known, value, 'within')
              return inside === false && lies(known, value, 'around') !== false ? undefined : not(inside)
            }),
          )
        : not(anyOf(each(hasOne)))
    default:
      return undefined
  }
}

function judged(about: About, values: readonly string[], operator: string, facts: Facts): Outcome {
  const { iri } = about
  const known = facts.confirmed?.filter(({ operand }) => operand === iri)
  const verdict = known === undefined ? undefined : holds(about, known, values, operator)
  return {
    verdict: verdict === undefined ? 'unknown' : verdict ? 'true' : 'false',
    text: () => outcomeWords(about, values, operator, verdict),
    facts: (known ?? []).map(({ id }) => id),
  }
}

/** What has to be the case, as the rest of "only while ...". */
function eventWords(values: readonly string[], operator: string): Text {
  const names = values.map((value) => valueWords({ kind: 'name' }, value))
  const [en, de] = [listed(names, 'en', 'or'), listed(names, 'de', 'oder')]
  return operator === 'neq' || operator === 'isNoneOf'
    ? text(`the event ${en} is not under way`, `das Ereignis ${de} nicht vorliegt`)
    : text(`the event ${en} is under way`, `das Ereignis ${de} vorliegt`)
}

function listed(names: readonly Text[], lang: Lang, or: string): string {
  const said = names.map((name) => name[lang])
  return said.length < 2 ? (said[0] ?? '') : `${said.slice(0, -1).join(', ')} ${or} ${said.at(-1)}`
}

function clauseWords(about: About, values: readonly string[], operator: string): Text {
  if (about.confirmed.of === 'event') {
    const { en, de } = eventWords(values, operator)
    return text(`Data flows only while ${en}.`, `Daten fließen nur, solange ${de}.`)
  }
  const said = conditionWords(about, constraintOf(about, values, operator))
  const { proviso } = about
  return proviso === undefined ? said : text(`${said.en} ${proviso.en}`, `${said.de} ${proviso.de}`)
}

/** The partner reads this too: what is demanded it knows from the contract, what is recorded about it stays here. */
function outcomeWords(about: About, values: readonly string[], operator: string, verdict: Tri): Text {
  if (about.confirmed.of === 'event') {
    const { en, de } = eventWords(values, operator)
    return verdict === true
      ? text(
          `The contract allows delivery only while ${en}, and that is so now.`,
          `Der Vertrag erlaubt die Lieferung nur, solange ${de}, und das ist jetzt so.`,
        )
      : text(
          `The contract allows delivery only while ${en}, and that is not so now.`,
          `Der Vertrag erlaubt die Lieferung nur, solange ${de}, und das ist jetzt nicht so.`,
        )
  }
  const { en, de } = conditionWords(about, constraintOf(about, values, operator))
  const demanded = text(
    `The contract sets this condition: ${en}`,
    `Der Vertrag stellt diese Bedingung: ${de}`,
  )
  if (verdict === true) {
    return text(
      `${demanded.en} The provider has confirmed it.`,
      `${demanded.de} Der Anbieter hat das bestätigt.`,
    )
  }
  return verdict === false
    ? text(
        `${demanded.en} By what the provider has confirmed it is not met.`,
        `${demanded.de} Nach dem, was der Anbieter bestätigt hat, ist sie nicht erfüllt.`,
      )
    : text(
        `${demanded.en} The provider has not confirmed that it is met.`,
        `${demanded.de} Der Anbieter hat nicht bestätigt, dass sie erfüllt ist.`,
      )
}

const constraintOf = ({ iri }: About, values: readonly string[], operator: string) =>
  ({ kind: 'atomic', leftOperand: iri, operator, rightOperand: values, path: '' }) as const

export const confirmed: readonly Operand[] = TABLE.map((about) => {
  const { proviso: _, operators, phases, domain, ...rest } = about
  return defineOperand<readonly string[]>({
    ...rest,
    domain,
    datatype: domain.kind === 'tree' ? 'concept' : 'name',
    operators: Object.fromEntries(
      operators.map((operator) => [operator, { stricter: STRICTER[operator] ?? 'subset', phases }]),
    ),
    enforcedBy: 'provider',
    temporal: false,
    read: (values, operator) => read(about, values, operator),
    evaluate: (values, operator, facts) => judged(about, values, operator, facts),
    describe: (values, operator) => clauseWords(about, values, operator),
    contribute: (values, operator) => ({
      conditions: [{ leftOperand: about.iri, operator, values }],
    }),
    normal: (value) => value.normalize('NFC'),
  })
})
