/** `mdp:fields`: the signals in the delivered rendition. A signal that is not named is not delivered, unless only what is left out is named. */
import type { Text } from '../../core/types.js'
import { MDP } from '../model.js'
import { listNames, text } from '../words.js'
import { defineOperand } from './operand.js'
import { madeTrue, shapingRule } from './shaping.js'
import { readNames } from './values.js'

const clause = (names: readonly string[], operator: string): Text => {
  const list = listNames(names)
  if (operator === 'isNoneOf') {
    return names.length === 1
      ? text(
          `The signal ${list.en} is not delivered; all others are, also those that are added later.`,
          `Das Signal ${list.de} wird nicht geliefert; alle anderen werden geliefert, auch später hinzukommende.`,
        )
      : text(
          `The signals ${list.en} are not delivered; all others are, also those that are added later.`,
          `Die Signale ${list.de} werden nicht geliefert; alle anderen werden geliefert, auch später hinzukommende.`,
        )
  }
  return names.length === 1
    ? text(`Only the signal ${list.en} is delivered.`, `Geliefert wird nur das Signal ${list.de}.`)
    : text(`Only these signals are delivered: ${list.en}.`, `Geliefert werden nur diese Signale: ${list.de}.`)
}

export const fields = defineOperand<readonly string[]>({
  iri: `${MDP}fields`,
  aliases: ['mdp:fields'],
  datatype: 'signal',
  domain: { kind: 'name' },
  label: text('Delivered signals', 'Gelieferte Signale'),
  classes: [14],
  operators: { isPartOf: shapingRule('subset'), isNoneOf: shapingRule('superset') },
  enforcedBy: 'provider',
  temporal: false,
  read: readNames,
  evaluate: (names, operator) => madeTrue(() => clause(names, operator)),
  describe: clause,
  contribute: (names, operator) => (operator === 'isNoneOf' ? { withheld: names } : { fields: names }),
  normal: (value) => value.normalize('NFC'),
})
