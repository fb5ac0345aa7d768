/** `mdp:pseudonym`: names that tell machines apart are replaced by names that hold within one agreement only. */
import { MDP } from '../model.js'
import { text } from '../words.js'
import { defineOperand, type Operand, type Reading } from './operand.js'
import { madeTrue, shapingRule } from './shaping.js'

/** From the strictest on. A wider scope than the agreement is not offered here, because it lets contracts be joined. */
const SCOPES: readonly string[] = ['agreement', 'party', 'global']

const clause = () =>
  text(
    'Machines, lines and other identifying names are replaced by pseudonyms that hold for this contract alone.',
    'Maschinen, Linien und andere kennzeichnende Namen werden durch Pseudonyme ersetzt, die nur für diesen Vertrag gelten.',
  )

function read(values: readonly string[], operator: string): Reading<'agreement'> {
  const isKnown = values.every((value) => SCOPES.includes(value))
  if (isKnown && values.includes('agreement') && (operator === 'isAnyOf' || values.length === 1)) {
    return { value: 'agreement' }
  }
  return {
    wrong: text(
      'Pseudonyms are possible for the scope "agreement" only.',
      'Pseudonyme sind nur für den Geltungsbereich „agreement“ möglich.',
    ),
  }
}

export const pseudonym: Operand = defineOperand<'agreement'>({
  iri: `${MDP}pseudonym`,
  aliases: ['mdp:pseudonym'],
  datatype: 'name',
  domain: { kind: 'name' },
  label: text('Scope of pseudonyms', 'Geltungsbereich der Pseudonyme'),
  classes: [14, 16],
  operators: { eq: shapingRule('subset'), isAnyOf: shapingRule('subset') },
  enforcedBy: 'provider',
  temporal: false,
  read,
  evaluate: () => madeTrue(clause),
  describe: clause,
  contribute: (scope) => ({ pseudonym: scope }),
  normal: (value) => value,
})
