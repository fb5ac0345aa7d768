/** With what and what for the recipient uses the data: conditions that only the recipient's side could measure. */
import type { Operator } from '../model.js'
import { MDP, ODRL } from '../model.js'
import { text } from '../words.js'
import { carried } from './carried.js'
import type { Operand } from './operand.js'

const ONE_OF: readonly Operator[] = ['eq', 'neq', 'isAnyOf', 'isNoneOf']
const KIND_OF: readonly Operator[] = [...ONE_OF, 'isA', 'isPartOf', 'hasPart', 'isAllOf']

export const parties: readonly Operand[] = [
  carried({
    iri: `${ODRL}systemDevice`,
    aliases: ['systemDevice', 'odrl:systemDevice', 'device', 'odrl:device', `${ODRL}device`],
    domain: { kind: 'name' },
    operators: ONE_OF,
    enforcedBy: 'consumer',
    phases: ['use', 'after'],
    classes: [4],
    label: text('System that uses the data', 'System, das die Daten nutzt'),
  }),
  carried({
    iri: `${MDP}userRole`,
    aliases: ['mdp:userRole'],
    domain: { kind: 'name' },
    operators: ONE_OF,
    enforcedBy: 'consumer',
    phases: ['use'],
    classes: [5],
    label: text('Role of the user', 'Rolle des Nutzers'),
  }),
  carried({
    iri: `${ODRL}purpose`,
    aliases: ['purpose', 'odrl:purpose'],
    domain: { kind: 'tree', tree: 'purpose' },
    operators: KIND_OF,
    enforcedBy: 'contract',
    phases: ['negotiation', 'use'],
    classes: [6],
    label: text('Purpose of use', 'Zweck der Nutzung'),
  }),
  carried({
    iri: `${ODRL}industry`,
    aliases: ['industry', 'odrl:industry'],
    domain: { kind: 'name' },
    operators: KIND_OF,
    enforcedBy: 'contract',
    phases: ['use'],
    classes: [6],
    label: text('Industry of use', 'Branche der Nutzung'),
  }),
]
