/** Conditions that say how a duty is done, and clauses that only a contract can carry. */
import type { Operator } from '../model.js'
import { MDP, ODRL } from '../model.js'
import { text } from '../words.js'
import { carried } from './carried.js'
import type { Operand } from './operand.js'

const ORDERED: readonly Operator[] = ['eq', 'neq', 'lt', 'lteq', 'gt', 'gteq']

export const obligations: readonly Operand[] = [
  carried({
    iri: `${MDP}retention`,
    aliases: ['mdp:retention'],
    domain: { kind: 'duration', least: 0 },
    operators: ['eq', 'lt', 'lteq'],
    enforcedBy: 'consumer',
    phases: ['after'],
    classes: [15, 17],
    label: text('Time for which data is kept', 'Dauer der Aufbewahrung'),
    temporal: true,
  }),
  carried({
    iri: `${MDP}logLevel`,
    aliases: ['mdp:logLevel'],
    domain: { kind: 'name' },
    operators: ['eq', 'isAnyOf'],
    enforcedBy: 'consumer',
    phases: ['delivery', 'use', 'after'],
    classes: [18],
    label: text('Detail of the log of use', 'Genauigkeit des Nutzungsprotokolls'),
  }),
  carried({
    iri: `${ODRL}payAmount`,
    aliases: ['payAmount', 'odrl:payAmount'],
    domain: { kind: 'decimal', least: 0 },
    operators: ORDERED,
    enforcedBy: 'provider',
    phases: ['negotiation', 'transfer', 'delivery'],
    classes: [22],
    label: text('Amount to be paid', 'Zu zahlender Betrag'),
  }),
  carried({
    iri: `${ODRL}percentage`,
    aliases: ['percentage', 'odrl:percentage'],
    domain: { kind: 'decimal', least: 0 },
    operators: ORDERED,
    enforcedBy: 'contract',
    phases: ['use'],
    classes: [14],
    label: text('Share of the data in percent', 'Anteil der Daten in Prozent'),
  }),
  carried({
    iri: `${ODRL}unitOfCount`,
    aliases: ['unitOfCount', 'odrl:unitOfCount'],
    domain: { kind: 'name' },
    operators: ['eq'],
    enforcedBy: 'contract',
    phases: ['use'],
    classes: [11],
    label: text('What is counted', 'Was gezählt wird'),
  }),
  carried({
    iri: `${MDP}contractReference`,
    aliases: ['mdp:contractReference'],
    domain: { kind: 'name' },
    operators: ['eq', 'isAllOf', 'isAnyOf'],
    enforcedBy: 'contract',
    phases: ['negotiation'],
    classes: [24],
    label: text('Underlying contract or case', 'Zugrunde liegender Vertrag oder Vorgang'),
  }),
]

/** Names of the ODRL Common Vocabulary 2.2 about renditions of works: carried, because partners may write them. */
const RENDITION: readonly (readonly [name: string, en: string, de: string])[] = [
  ['fileFormat', 'File format', 'Dateiformat'],
  ['language', 'Language', 'Sprache'],
  ['media', 'Kind of medium', 'Art des Mediums'],
  ['product', 'Product', 'Erzeugnis'],
  ['deliveryChannel', 'Channel of delivery', 'Lieferweg'],
  ['version', 'Version', 'Version'],
]
const MEASURED: readonly (readonly [name: string, en: string, de: string])[] = [
  ['resolution', 'Resolution', 'Auflösung'],
]

export const vocabulary: readonly Operand[] = [
  ...RENDITION.map(([name, en, de]) =>
    carried({
      iri: `${ODRL}${name}`,
      aliases: [name, `odrl:${name}`],
      domain: { kind: 'name' },
      operators: ['eq', 'neq', 'isAnyOf', 'isNoneOf', 'isA', 'isPartOf', 'hasPart', 'isAllOf'],
      enforcedBy: 'contract',
      phases: ['use'],
      classes: [14],
      label: text(en, de),
    }),
  ),
  ...MEASURED.map(([name, en, de]) =>
    carried({
      iri: `${ODRL}${name}`,
      aliases: [name, `odrl:${name}`],
      domain: { kind: 'decimal', least: 0 },
      operators: ORDERED,
      enforcedBy: 'contract',
      phases: ['use'],
      classes: [14],
      label: text(en, de),
    }),
  ),
]
