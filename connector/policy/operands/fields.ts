/** `mdp:fields`: the signals in the delivered rendition. A signal that is not named is not delivered. */
import type { Text } from '../../core/types.js'
import { MDP } from '../model.js'
import { listWords, text } from '../words.js'
import { defineOperand } from './operand.js'
import { madeTrue, shapingRule } from './shaping.js'
import { readNames } from './values.js'

const clause = (names: readonly string[]): Text => {
  const list = listWords(names)
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
  operators: { isPartOf: shapingRule('subset') },
  enforcedBy: 'provider',
  temporal: false,
  read: readNames,
  evaluate: (names) => madeTrue(() => clause(names)),
  describe: clause,
  contribute: (names) => ({ fields: names }),
  normal: (value) => value.normalize('NFC'),
})
