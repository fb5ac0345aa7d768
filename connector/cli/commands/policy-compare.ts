/** `policy compare`: which of two policies allows more, clause by clause, with a use that shows it. */
import type { Text } from '../../core/types.js'
import { type Call, type Command, EXIT, say, sayJson } from '../command.js'
import { inLang } from './connected.js'
import { runBatch } from './policy-batch.js'
import { failed, readParts } from './policy-evaluate.js'

const RELATIONS: Readonly<Record<string, Text>> = {
  equal: { en: 'both allow the same', de: 'beide erlauben dasselbe' },
  stricter: { en: 'the first is stricter', de: 'die erste ist strenger' },
  looser: { en: 'the first allows more', de: 'die erste erlaubt mehr' },
  disjoint: { en: 'nothing is allowed by both', de: 'nichts ist nach beiden erlaubt' },
  conflicting: {
    en: 'one prohibits what the other allows',
    de: 'die eine verbietet, was die andere erlaubt',
  },
  incomparable: {
    en: 'each allows something that the other does not',
    de: 'jede erlaubt etwas, das die andere nicht erlaubt',
  },
  unknown: { en: 'cannot be told', de: 'nicht feststellbar' },
}

export const compareCommand: Command = {
  name: 'policy compare',
  summary: {
    en: 'compare two ODRL policies: which one allows more, clause by clause',
    de: 'zwei ODRL-Policies vergleichen: welche erlaubt mehr, Klausel für Klausel',
  },
  usage: '[A B] | --batch [FILE] [options]',
  operands: [0, 2],
  options: {
    batch: {
      type: 'boolean',
      about: {
        en: 'read lines of JSON {id, a, b} from FILE or stdin, write lines {id, relation, witness, clauses, ...}',
        de: 'JSON-Zeilen {id, a, b} aus FILE oder stdin lesen, Zeilen {id, relation, witness, clauses, ...} schreiben',
      },
    },
    profile: {
      type: 'string',
      value: 'IRI',
      multiple: true,
      about: {
        en: 'a further ODRL profile to accept; what policies with other profiles allow cannot be told',
        de: 'ein weiteres ODRL-Profil annehmen; was Policies mit anderen Profilen erlauben, ist nicht feststellbar',
      },
    },
  },
  json: true,
  examples: [
    'handschlag policy compare offer.json counter-offer.json',
    `echo '{"id":1,"a":{"permission":[{"action":"use","constraint":[{"leftOperand":"count","operator":"lteq","rightOperand":"10"}]}]},"b":{"permission":[{"action":"use"}]}}' | handschlag policy compare --batch`,
  ],
  run: async (call) => {
    const { compareLine, comparison } = await import('../../policy/batch-compare.js')
    const options = { profiles: call.values('profile') }
    if (call.flag('batch')) return runBatch(call, call.operands[0], (line) => compareLine(line, options))
    const parts = await readParts(call, ['a', 'b'])
    if (!parts.ok) return failed(call, parts.error)
    const found = comparison(parts.value, options)
    if (!found.ok) return failed(call, found.error)
    const { relation, witness, clauses, note } = found.value
    if (call.json) sayJson(call, found.value)
    else {
      const { clauseName, exampleWords } = await import('../../policy/difference-words.js')
      say(call, sentence(call, relation, exampleWords(witness)))
      for (const clause of clauses) {
        const said = sentence(call, clause.relation, exampleWords(clause.witness))
        say(call, `  ${clauseName(clause.clause)[call.lang]}: ${said}`)
      }
      if (note !== undefined) {
        const { NOTES_DE } = await import('../../policy/analysis/compare-policies.js')
        say(call, inLang(call, note, NOTES_DE[note] ?? note))
      }
    }
    return EXIT.ok
  },
}

/** What the shown use is an example of. Where both allow the same there is nothing to show. */
const EXAMPLES: Readonly<Record<string, Text>> = {
  stricter: {
    en: 'only the second allows, for example',
    de: 'nur die zweite erlaubt zum Beispiel',
  },
  looser: { en: 'only the first allows, for example', de: 'nur die erste erlaubt zum Beispiel' },
  incomparable: { en: 'only the first allows, for example', de: 'nur die erste erlaubt zum Beispiel' },
  disjoint: {
    en: 'only one of the two allows, for example',
    de: 'nur eine von beiden erlaubt zum Beispiel',
  },
  conflicting: { en: 'in conflict, for example', de: 'strittig ist zum Beispiel' },
}

function sentence(call: Call, relation: string, example: Text | undefined): string {
  const words = RELATIONS[relation]?.[call.lang] ?? relation
  const lead = EXAMPLES[relation]?.[call.lang]
  return example === undefined || lead === undefined ? words : `${words}; ${lead}: ${example[call.lang]}`
}
