/** `mdp:shape` names a document with parameters for single signals; `mdp:noise` names the kind of deviation that it has to use. */
import { MDP } from '../model.js'
import { hashInName, MECHANISMS } from '../shape.js'
import { shapeClause } from '../shape-words.js'
import { text } from '../words.js'
import { defineOperand, type Operand } from './operand.js'
import { madeTrue, shapingRule } from './shaping.js'
import { readOne } from './values.js'

const SHAPING = {
  datatype: 'name',
  domain: { kind: 'name' },
  classes: [14, 16],
  operators: { eq: shapingRule('subset') },
  enforcedBy: 'provider',
  temporal: false,
} as const

const byDocument = (name: string) => shapeClause(name, undefined)

const shape = defineOperand<string>({
  ...SHAPING,
  iri: `${MDP}shape`,
  aliases: ['mdp:shape'],
  label: text('Document that describes the shape', 'Dokument, das die Aufbereitung beschreibt'),
  read: (values) =>
    readOne(
      values,
      (value) => (hashInName(value) === undefined ? undefined : value),
      text(
        'the name of a shape document: urn:sha256: and 64 hexadecimal digits',
        'der Name eines Aufbereitungsdokuments: urn:sha256: und 64 Hexadezimalziffern',
      ),
    ),
  evaluate: (name) => madeTrue(() => byDocument(name)),
  describe: byDocument,
  contribute: (name) => ({ shapes: [name] }),
  normal: (value) => value,
})

const deviating = () =>
  text(
    'Values are delivered with random deviations (Laplace); the shape document says which values and by how much.',
    'Werte werden mit zufälligen Abweichungen (Laplace) geliefert; welche und wie stark, steht im Aufbereitungsdokument.',
  )

const noise = defineOperand<string>({
  ...SHAPING,
  iri: `${MDP}noise`,
  aliases: ['mdp:noise'],
  label: text('Noise added to values', 'Rauschen auf den Werten'),
  read: (values) =>
    readOne(
      values,
      (value) => MECHANISMS.find((mechanism) => mechanism === value),
      text(`one of ${MECHANISMS.join(', ')}`, `eines von ${MECHANISMS.join(', ')}`),
    ),
  evaluate: () => madeTrue(deviating),
  describe: deviating,
  contribute: (mechanism) => ({ mechanisms: [mechanism] }),
  normal: (value) => value,
})

export const shaped: readonly Operand[] = [shape, noise]
