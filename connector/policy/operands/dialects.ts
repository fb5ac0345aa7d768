/**
 * Terms of other connectors whose meaning is known: the expiry of EDC, and the terms of Catena-X. Where the meaning is
 * one that this connector enforces, it does; everything else is carried.
 */

import type { EpochMs, Text } from '../../core/types.js'
import { addDuration, type Duration, parseDuration } from '../duration.js'
import { DAY_MS, parseDay, parseInstant } from '../instant.js'
import { durationWords, momentWords, nowWords, text } from '../words.js'
import { carried } from './carried.js'
import { defineOperand, type LookedAt, type Operand, type Outcome, verdictOf } from './operand.js'
import { readOne } from './values.js'

const EDC = 'https://w3id.org/edc/v0.0.1/ns/'
const WHILE_USED: readonly LookedAt[] = ['transfer', 'delivery']
const FROM_NEGOTIATION: readonly LookedAt[] = ['negotiation', ...WHILE_USED]

/** An instant, or a distance from the conclusion of the agreement. */
type Moment = { readonly at: EpochMs } | { readonly after: Duration }

const RELATIVE = /^[cC]ontract[aA]greement\+(\d{1,9})([smhd])$/
const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: DAY_MS } as const

function parseMoment(value: string): Moment | undefined {
  const [, amount, unit] = RELATIVE.exec(value) ?? []
  if (amount !== undefined && unit !== undefined) {
    const ms = Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS]
    return ms > 10_000 * 366 * DAY_MS ? undefined : { after: { months: 0, ms } }
  }
  const at = parseInstant(value)
  return at === undefined ? undefined : { at }
}

const resolved = (moment: Moment, agreedAt: EpochMs | undefined): EpochMs | undefined => {
  if ('at' in moment) return moment.at
  return agreedAt === undefined ? undefined : addDuration(agreedAt, moment.after)
}

const COMPARE: Readonly<Record<string, (now: number, bound: number) => boolean>> = {
  lt: (now, bound) => now < bound,
  lteq: (now, bound) => now <= bound,
  eq: (now, bound) => now < bound,
  gt: (now, bound) => now > bound,
  gteq: (now, bound) => now >= bound,
}
const isUpper = (operator: string): boolean => !operator.startsWith('g')

const momentText = (moment: Moment): Text => {
  if ('at' in moment) return momentWords(moment.at)
  const length = durationWords(moment.after)
  return text(`${length.en} after the conclusion of the contract`, `${length.de} nach Vertragsschluss`)
}

const describeMoment = (moment: Moment, operator: string): Text => {
  const words = momentText(moment)
  return isUpper(operator)
    ? text(`Use is allowed until ${words.en}.`, `Die Nutzung ist erlaubt bis: ${words.de}.`)
    : text(`Use is allowed from ${words.en}.`, `Die Nutzung ist erlaubt ab: ${words.de}.`)
}

function judgeMoment(
  moment: Moment,
  operator: string,
  facts: { readonly at: EpochMs; readonly agreedAt?: EpochMs },
): Outcome {
  const bound = resolved(moment, facts.agreedAt)
  if (bound === undefined) {
    return {
      verdict: 'unknown',
      text: () =>
        text(
          'The contract reckons time from its conclusion, but the time of its conclusion is not known.',
          'Der Vertrag rechnet ab Vertragsschluss, doch der Zeitpunkt des Vertragsschlusses ist nicht bekannt.',
        ),
    }
  }
  return {
    verdict: verdictOf(COMPARE[operator]?.(facts.at, bound) === true),
    text: () => {
      const [limit, now] = [momentWords(bound), nowWords(facts.at)]
      return isUpper(operator)
        ? text(
            `The contract allows use until ${limit.en}; it is now ${now.en}.`,
            `Der Vertrag erlaubt die Nutzung bis zum ${limit.de}; jetzt ist der ${now.de}.`,
          )
        : text(
            `The contract allows use from ${limit.en}; it is now ${now.en}.`,
            `Der Vertrag erlaubt die Nutzung ab dem ${limit.de}; jetzt ist der ${now.de}.`,
          )
    },
  }
}

function planOfMoment(moment: Moment, operator: string, agreedAt: EpochMs | undefined) {
  const bound = resolved(moment, agreedAt)
  if (bound === undefined) return {}
  const next = (bound + 1) as EpochMs
  if (isUpper(operator)) return { notAfter: operator === 'lteq' ? next : bound }
  return { notBefore: operator === 'gt' ? next : bound }
}

const MOMENT = text(
  'a date and time with an offset, or contractAgreement+30d',
  'ein Zeitpunkt mit Zeitzone oder contractAgreement+30d',
)

const normalMoment = (value: string): string => {
  const moment = parseMoment(value)
  if (moment === undefined) return value
  return 'at' in moment ? String(moment.at) : `agreement+${moment.after.ms}`
}

export const inForceDate = defineOperand<Moment>({
  iri: `${EDC}inForceDate`,
  aliases: ['edc:inForceDate'],
  datatype: 'xsd:dateTime',
  domain: { kind: 'instant' },
  label: text('Time of use', 'Zeitpunkt der Nutzung'),
  classes: [8, 9],
  operators: {
    lt: { stricter: 'smaller', phases: WHILE_USED },
    lteq: { stricter: 'smaller', phases: WHILE_USED },
    gt: { stricter: 'larger', phases: WHILE_USED },
    gteq: { stricter: 'larger', phases: WHILE_USED },
  },
  enforcedBy: 'provider',
  temporal: true,
  read: (values) => readOne(values, parseMoment, MOMENT),
  evaluate: judgeMoment,
  describe: describeMoment,
  contribute: planOfMoment,
  normal: normalMoment,
})

/** Both namespaces in which the Catena-X terms are published, and the usual prefix. */
const catenaX = (name: string): { readonly iri: string; readonly aliases: readonly string[] } => ({
  iri: `https://w3id.org/catenax/2025/9/policy/${name}`,
  aliases: [`https://w3id.org/catenax/policy/${name}`, `cx-policy:${name}`],
})

/** "eq" is the only operator of the Catena-X end dates, and means "until then". */
const UNTIL = {
  eq: { stricter: 'smaller', phases: FROM_NEGOTIATION },
  lteq: { stricter: 'smaller', phases: FROM_NEGOTIATION },
  lt: { stricter: 'smaller', phases: FROM_NEGOTIATION },
} as const

export const usageEndDate = defineOperand<Moment>({
  ...catenaX('DataUsageEndDate'),
  datatype: 'xsd:dateTime',
  domain: { kind: 'instant' },
  label: text('End of use', 'Ende der Nutzung'),
  classes: [8],
  operators: UNTIL,
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
  evaluate: judgeMoment,
  describe: describeMoment,
  contribute: planOfMoment,
  normal: (value) => String(parseInstant(value) ?? parseDay(value) ?? value),
})

export const usageEndDays = defineOperand<Moment>({
  ...catenaX('DataUsageEndDurationDays'),
  datatype: 'xsd:nonNegativeInteger',
  domain: { kind: 'integer', least: 0 },
  label: text('Days of use from the contract', 'Tage der Nutzung ab Vertragsschluss'),
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
        const after = /^\d{1,6}$/.test(value) ? parseDuration(`P${value}D`) : undefined
        return after === undefined ? undefined : { after }
      },
      text('a whole number of days', 'eine ganze Zahl von Tagen'),
    ),
  evaluate: judgeMoment,
  describe: describeMoment,
  contribute: planOfMoment,
  normal: (value) => (/^\d{1,6}$/.test(value) ? String(Number(value)) : value),
})

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
  ['DataProvisioningEndDate', [8], 'End of provision', 'Ende der Bereitstellung'],
  ['DataProvisioningEndDurationDays', [9], 'Days of provision', 'Tage der Bereitstellung'],
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

export const dialects: readonly Operand[] = [
  inForceDate,
  usageEndDate,
  usageEndDays,
  ...CLAUSES.map(([name, classes, en, de]) =>
    carried({
      ...catenaX(name),
      domain: { kind: 'name' },
      operators: ['eq', 'neq', 'isAnyOf', 'isNoneOf', 'isAllOf', 'isPartOf'],
      enforcedBy: 'contract',
      phases: ['negotiation', 'use'],
      classes,
      label: text(en, de),
    }),
  ),
]
