/** Which records are delivered and in which shape: the measures of data minimisation besides those that are enforced here. */
import type { Operator } from '../model.js'
import { MDP, ODRL } from '../model.js'
import { text } from '../words.js'
import { carried } from './carried.js'
import type { Domain } from './domain.js'
import type { Operand } from './operand.js'

const SHAPED = ['transfer', 'delivery'] as const

const measure = (
  name: string,
  domain: Domain,
  operators: readonly Operator[],
  [en, de]: readonly [string, string],
): Operand =>
  carried({
    iri: `${MDP}${name}`,
    aliases: [`mdp:${name}`],
    domain,
    operators,
    enforcedBy: 'provider',
    phases: SHAPED,
    classes: [14, 16],
    label: text(en, de),
  })

const NAME: Domain = { kind: 'name' }

export const content: readonly Operand[] = [
  measure('noise', NAME, ['eq'], ['Noise added to values', 'Rauschen auf den Werten']),
  measure(
    'shape',
    NAME,
    ['eq'],
    ['Document that describes the shape', 'Dokument, das die Aufbereitung beschreibt'],
  ),
  carried({
    iri: `${ODRL}event`,
    aliases: ['event', 'odrl:event'],
    domain: NAME,
    operators: ['eq', 'neq', 'isAnyOf', 'isNoneOf'],
    enforcedBy: 'provider',
    phases: ['delivery', 'after'],
    classes: [13, 19],
    label: text('Event', 'Ereignis'),
  }),
]
