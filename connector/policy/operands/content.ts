/** Which records are delivered: measures of data minimisation that are carried and not enforced here. */
import { ODRL } from '../model.js'
import { text } from '../words.js'
import { carried } from './carried.js'
import type { Domain } from './domain.js'
import type { Operand } from './operand.js'

const NAME: Domain = { kind: 'name' }

export const content: readonly Operand[] = [
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
