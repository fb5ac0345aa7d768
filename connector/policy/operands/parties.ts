/** Who uses the data, with what, where and what for: conditions about parties, systems, places and purposes. */
import type { Operator } from '../model.js'
import { MDP, ODRL } from '../model.js'
import { text } from '../words.js'
import { carried } from './carried.js'
import type { Operand } from './operand.js'

const ONE_OF: readonly Operator[] = ['eq', 'neq', 'isAnyOf', 'isNoneOf']
const KIND_OF: readonly Operator[] = [...ONE_OF, 'isA', 'isPartOf', 'hasPart', 'isAllOf']
const ON_CONTACT = ['catalog', 'negotiation', 'transfer'] as const

export const parties: readonly Operand[] = [
  carried({
    iri: `${MDP}credentialType`,
    aliases: ['mdp:credentialType'],
    domain: { kind: 'name' },
    operators: [...ONE_OF, 'isAllOf'],
    enforcedBy: 'provider',
    phases: [...ON_CONTACT, 'delivery'],
    classes: [2],
    label: text('Proof of the recipient', 'Nachweis des Empfängers'),
  }),
  carried({
    iri: `${MDP}group`,
    aliases: ['mdp:group'],
    domain: { kind: 'name' },
    operators: [...ONE_OF, 'isAllOf'],
    enforcedBy: 'provider',
    phases: [...ON_CONTACT, 'delivery'],
    classes: [2],
    label: text('Group of the recipient', 'Gruppe des Empfängers'),
  }),
  carried({
    iri: `${MDP}connectorAssurance`,
    aliases: ['mdp:connectorAssurance'],
    domain: { kind: 'name' },
    operators: ONE_OF,
    enforcedBy: 'provider',
    phases: ['negotiation', 'transfer'],
    classes: [3],
    label: text("Assurance of the recipient's connector", 'Prüfstufe des Connectors beim Empfänger'),
  }),
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
    iri: `${ODRL}spatial`,
    aliases: ['spatial', 'odrl:spatial'],
    domain: { kind: 'tree', tree: 'place' },
    operators: KIND_OF,
    enforcedBy: 'provider',
    phases: [...ON_CONTACT, 'use'],
    classes: [7],
    label: text('Place of use', 'Ort der Nutzung'),
  }),
  carried({
    iri: `${ODRL}virtualLocation`,
    aliases: ['virtualLocation', 'odrl:virtualLocation'],
    domain: { kind: 'name' },
    operators: ONE_OF,
    enforcedBy: 'provider',
    phases: ON_CONTACT,
    classes: [7],
    label: text('Address of delivery', 'Adresse der Lieferung'),
  }),
  carried({
    iri: `${MDP}partySeat`,
    aliases: ['mdp:partySeat'],
    domain: { kind: 'tree', tree: 'place' },
    operators: KIND_OF,
    enforcedBy: 'provider',
    phases: ON_CONTACT,
    classes: [7],
    label: text('Seat of the recipient', 'Sitz des Empfängers'),
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
  carried({
    iri: `${MDP}userRequest`,
    aliases: ['mdp:userRequest'],
    domain: { kind: 'name' },
    operators: ['eq', 'isAnyOf'],
    enforcedBy: 'provider',
    phases: ['negotiation', 'transfer', 'delivery'],
    classes: [23],
    label: text('Request of the user of the machine', 'Verlangen des Nutzers der Maschine'),
  }),
]
