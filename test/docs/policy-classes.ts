/** The usage-control classes by number, and which terms of the registry stand for them. */
import { ACTION_TERMS } from '../../connector/policy/action-terms.js'
import { shortName } from '../../connector/policy/model.js'
import { OPERANDS } from '../../connector/policy/registry.js'

/** 1 to 21 are those of the International Data Spaces; the others were added for machine data and the Data Act. */
export const CLASS_NAMES: readonly string[] = [
  'named recipient',
  'group, membership or credential of the recipient',
  'certain connector or level of security',
  'application or system that uses the data',
  'role of the user',
  'purpose',
  'place of use, seat of the recipient',
  'fixed interval',
  'duration from the agreement',
  'recurring window of time',
  'number of uses',
  'rate or volume',
  'event or state',
  'change on the way: leave out, mask, combine, round',
  'change of stored data',
  'only combined or pseudonymised data',
  'deletion after use or by a date',
  'log of use',
  'notification',
  'no onward transfer',
  'forbidden uses',
  'payment',
  'consent or request of a third party',
  'legal clauses and references',
  'attribution, provenance, watermark',
  'revocation and emergency stop',
]

/** With the usual prefix where a term is not of ODRL or of the profile. */
const named = ({
  iri,
  aliases = [],
}: {
  readonly iri: string
  readonly aliases?: readonly string[]
}): string => code(aliases.find((alias) => /^(?:edc|cx-policy):/.test(alias)) ?? shortName(iri))

const code = (text: string): string => `\`${text}\``

/** Number, name, the terms, and those of them that this connector enforces. */
export const classRows = (): readonly (readonly string[])[] =>
  CLASS_NAMES.map((name, index) => {
    const number = index + 1
    const operands = OPERANDS.filter(({ classes }) => classes.includes(number))
    const actions = ACTION_TERMS.filter(({ classes }) => classes.includes(number))
    const terms = [...operands, ...actions].map(named)
    // The one class without a term: a function of the connector.
    if (terms.length === 0) return [String(number), name, code('contract revoke'), 'yes']
    const enforced = operands.filter(({ enforcedHere }) => enforcedHere).map(named)
    return [String(number), name, terms.join(', '), enforced.length > 0 ? enforced.join(', ') : 'no']
  })
