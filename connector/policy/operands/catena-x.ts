/**
 * The terms of Catena-X. The ends of use and of provision mean what this connector enforces, and so it does; everything
 * else is carried.
 */
import type { Text } from '../../core/types.js'
import { parseDuration } from '../duration.js'
import { parseDay, parseInstant } from '../instant.js'
import { text } from '../words.js'
import { carried } from './carried.js'
import {
  aged,
  dated,
  describeMoment,
  FROM_NEGOTIATION,
  judgeMoment,
  type Moment,
  PROVISION,
  planOfMoment,
  USE,
  WHILE_USED,
  type What,
} from './moments.js'
import { defineOperand, type Operand } from './operand.js'
import { readOne } from './values.js'

/** The namespaces in which a Catena-X term is published, and the usual prefix. */
const named = (name: string): { readonly iri: string; readonly aliases: readonly string[] } => ({
  iri: `https://w3id.org/catenax/2025/9/policy/${name}`,
  aliases: [`https://w3id.org/catenax/policy/${name}`, `cx-policy:${name}`],
})

/** "eq" is the only operator of the Catena-X ends, and means "until then". */
const until = (operator: string): string => (operator === 'eq' ? 'lt' : operator)

const endDate = (name: string, label: Text, what: What): Operand =>
  defineOperand<Moment>({
    ...named(name),
    datatype: 'xsd:dateTime',
    domain: { kind: 'instant' },
    label,
    classes: [8],
    operators: {
      eq: { stricter: 'smaller', phases: FROM_NEGOTIATION },
      lteq: { stricter: 'smaller', phases: FROM_NEGOTIATION },
      lt: { stricter: 'smaller', phases: FROM_NEGOTIATION },
    },
    enforcedBy: 'provider',
    temporal: true,
    read: (values) =>
      readOne(
        values,
        (value) => {
          const at = parseInstant(value) ?? parseDay(value)
          return at === undefined ? undefined : { at }
        },
        text('a date and time with an offset', 'ein Zeitpunkt mit Zeitzone'),
      ),
    evaluate: judgeMoment(what),
    describe: describeMoment(what),
    contribute: planOfMoment,
    normal: (value) => String(parseInstant(value) ?? parseDay(value) ?? value),
    means: (operator, value) => dated(until(operator), value),
  })

const DAYS = /^\d{1,6}$/

const endDays = (name: string, label: Text, what: What): Operand =>
  defineOperand<Moment>({
    ...named(name),
    datatype: 'xsd:nonNegativeInteger',
    domain: { kind: 'integer', least: 0 },
    label,
    unit: text('days', 'Tage'),
    classes: [9],
    operators: {
      eq: { stricter: 'smaller', phases: WHILE_USED },
      lteq: { stricter: 'smaller', phases: WHILE_USED },
    },
    enforcedBy: 'provider',
    temporal: true,
    read: (values) =>
      readOne(
        values,
        (value) => {
          const after = DAYS.test(value) ? parseDuration(`P${value}D`) : undefined
          return after === undefined ? undefined : { after }
        },
        text('a whole number of days', 'eine ganze Zahl von Tagen'),
      ),
    evaluate: judgeMoment(what),
    describe: describeMoment(what),
    contribute: planOfMoment,
    normal: (value) => (DAYS.test(value) ? String(Number(value)) : value),
    means: (operator, value) => (DAYS.test(value) ? aged(until(operator), `P${value}D`) : undefined),
  })

const ENDS: readonly Operand[] = [
  endDate('DataUsageEndDate', text('End of use', 'Ende der Nutzung'), USE),
  endDays(
    'DataUsageEndDurationDays',
    text('Days of use from the contract', 'Tage der Nutzung ab Vertragsschluss'),
    USE,
  ),
  endDate('DataProvisioningEndDate', text('End of provision', 'Ende der Bereitstellung'), PROVISION),
  endDays(
    'DataProvisioningEndDurationDays',
    text('Days of provision from the contract', 'Tage der Bereitstellung ab Vertragsschluss'),
    PROVISION,
  ),
]

const CLAUSES: readonly (readonly [name: string, classes: readonly number[], en: string, de: string])[] = [
  [
    'BusinessPartnerNumber',
    [1],
    'Business partner number of the recipient',
    'Geschäftspartnernummer des Empfängers',
  ],
  ['BusinessPartnerGroup', [2], 'Group of business partners', 'Gruppe von Geschäftspartnern'],
  ['Membership', [2], 'Membership in the data space', 'Mitgliedschaft im Datenraum'],
  ['FrameworkAgreement', [2, 24], 'Framework agreement', 'Rahmenvereinbarung'],
  ['UsagePurpose', [6], 'Purpose of use (Catena-X)', 'Zweck der Nutzung (Catena-X)'],
  ['UsageRestriction', [20, 21], 'Restriction of use', 'Nutzungsbeschränkung'],
  ['AffiliatesBpnl', [7], 'Affiliates by number', 'Verbundene Unternehmen nach Nummer'],
  ['AffiliatesRegion', [7], 'Region of affiliates', 'Region der verbundenen Unternehmen'],
  ['JurisdictionLocation', [7, 24], 'Place of jurisdiction', 'Gerichtsstand'],
  [
    'JurisdictionLocationReference',
    [24],
    'Reference to the place of jurisdiction',
    'Verweis auf den Gerichtsstand',
  ],
  ['DataFrequency', [12], 'Frequency of data', 'Häufigkeit der Daten'],
  ['DataUsageEndDefinition', [8], 'Definition of the end of use', 'Bestimmung des Nutzungsendes'],
  ['ContractReference', [24], 'Contract that applies', 'Geltender Vertrag'],
  ['ContractTermination', [17, 24], 'Termination of the contract', 'Beendigung des Vertrags'],
  ['ConfidentialInformationMeasures', [24], 'Measures for confidentiality', 'Maßnahmen zur Vertraulichkeit'],
  [
    'ConfidentialInformationSharing',
    [20, 24],
    'Sharing of confidential information',
    'Weitergabe vertraulicher Informationen',
  ],
  ['ExclusiveUsage', [20, 24], 'Exclusive use', 'Ausschließliche Nutzung'],
  ['Liability', [24], 'Liability', 'Haftung'],
  ['Warranty', [24], 'Warranty', 'Gewährleistung'],
  ['WarrantyDefinition', [24], 'Definition of warranty', 'Bestimmung der Gewährleistung'],
  ['WarrantyDurationMonths', [24], 'Months of warranty', 'Monate der Gewährleistung'],
  ['Precedence', [24], 'Order of precedence', 'Rangfolge'],
  ['VersionChanges', [24], 'Changes of version', 'Änderungen der Version'],
  ['ManagedLegalEntityBpnl', [7], 'Managed companies by number', 'Verwaltete Unternehmen nach Nummer'],
  ['ManagedLegalEntityRegion', [7], 'Region of managed companies', 'Region der verwalteten Unternehmen'],
]

/** Who is meant, as older Tractus-X connectors write it. */
const older = (name: string) => ({
  aliases: [...named(name).aliases, `https://w3id.org/tractusx/v0.0.1/ns/${name}`],
  commaLists: true as const,
})
const OLDER: Readonly<Record<string, ReturnType<typeof older>>> = {
  BusinessPartnerNumber: older('BusinessPartnerNumber'),
  BusinessPartnerGroup: older('BusinessPartnerGroup'),
}

/** Who may have the data, and how often it comes: conditions that only the provider can see to. */
const OF_THE_PROVIDER: ReadonlySet<string> = new Set([
  'BusinessPartnerNumber',
  'BusinessPartnerGroup',
  'Membership',
  'FrameworkAgreement',
  'DataFrequency',
])

export const catenaX: readonly Operand[] = [
  ...ENDS,
  ...CLAUSES.map(([name, classes, en, de]) =>
    carried({
      ...named(name),
      ...OLDER[name],
      domain: { kind: 'name' },
      operators: ['eq', 'neq', 'isAnyOf', 'isNoneOf', 'isAllOf', 'isPartOf'],
      enforcedBy: OF_THE_PROVIDER.has(name) ? 'provider' : 'contract',
      phases: ['negotiation', 'use'],
      classes,
      label: text(en, de),
    }),
  ),
]
