/**
 * Units that are multiples of each other, by the names that vocabularies give them. Money has no rate here and degrees no
 * common zero, so these are never converted; a unit that is not listed is only like itself.
 */
import { ODRL } from '../model.js'
import { multiplyNum, type Num, parseNum } from '../odrl/num.js'
import type { Atom, OdrlPolicy, Value } from '../odrl/policy.js'
import { type Scalar, scalarText } from '../odrl/scalar.js'
import { operandOf } from '../registry.js'
import { mapAtoms } from './atoms.js'

/** What one unit is in the base unit of its quantity, as an exact decimal, and its names without their address. */
type Line = readonly [base: string, factor: string, names: string]

const LINES: readonly Line[] = [
  ['m', '1', 'qudt:M om:metre dbpedia:Metre wikidata:Q11573'],
  ['m', '1000', 'qudt:KiloM om:kilometre dbpedia:Kilometre wikidata:Q828224'],
  ['m', '0.1', 'qudt:DeciM om:decimetre dbpedia:Decimetre'],
  ['m', '0.01', 'qudt:CentiM om:centimetre dbpedia:Centimetre wikidata:Q174728'],
  ['m', '0.001', 'qudt:MilliM om:millimetre dbpedia:Millimetre wikidata:Q174789'],
  ['m', '0.000001', 'qudt:MicroM om:micrometre dbpedia:Micrometre'],
  ['m', '0.0254', 'qudt:IN om:inch-International dbpedia:Inch'],
  ['m', '0.3048', 'qudt:FT om:foot-International dbpedia:Foot_(unit)'],
  ['m', '0.9144', 'qudt:YD om:yard-International dbpedia:Yard'],
  ['m', '1609.344', 'qudt:MI om:mile-International'],
  ['s', '1', 'qudt:SEC om:second-Time dbpedia:Second'],
  ['s', '0.001', 'qudt:MilliSEC om:millisecond-Time dbpedia:Millisecond'],
  ['s', '60', 'qudt:MIN om:minute-Time dbpedia:Minute'],
  ['s', '3600', 'qudt:HR om:hour dbpedia:Hour'],
  ['s', '86400', 'qudt:DAY om:day dbpedia:Day'],
  ['s', '604800', 'qudt:WK om:week dbpedia:Week'],
  ['g', '1', 'qudt:GM om:gram dbpedia:Gram'],
  ['g', '1000', 'qudt:KiloGM om:kilogram dbpedia:Kilogram'],
  ['g', '0.001', 'qudt:MilliGM om:milligram dbpedia:Milligram'],
  ['g', '1000000', 'qudt:TONNE qudt:TON_Metric om:tonne dbpedia:Tonne'],
  ['B', '1', 'qudt:BYTE om:byte dbpedia:Byte'],
  ['B', '0.125', 'qudt:BIT om:bit dbpedia:Bit'],
  ['B', '1000', 'qudt:KiloBYTE'],
  ['B', '1000000', 'qudt:MegaBYTE'],
  ['B', '1000000000', 'qudt:GigaBYTE'],
  ['B', '1000000000000', 'qudt:TeraBYTE'],
  ['B', '1024', 'qudt:KibiBYTE dbpedia:Kibibyte'],
  ['B', '1048576', 'qudt:MebiBYTE dbpedia:Mebibyte'],
  ['B', '1073741824', 'qudt:GibiBYTE dbpedia:Gibibyte'],
  ['Hz', '1', 'qudt:HZ om:hertz dbpedia:Hertz'],
  ['Hz', '1000', 'qudt:KiloHZ om:kilohertz'],
  ['Hz', '1000000', 'qudt:MegaHZ om:megahertz'],
  ['W', '1', 'qudt:W om:watt dbpedia:Watt'],
  ['W', '1000', 'qudt:KiloW om:kilowatt dbpedia:Kilowatt'],
  ['W', '1000000', 'qudt:MegaW om:megawatt'],
  ['J', '1', 'qudt:J om:joule dbpedia:Joule'],
  ['J', '3600', 'qudt:W-HR om:watthour'],
  ['J', '3600000', 'qudt:KiloW-HR om:kilowattHour dbpedia:Kilowatt_hour'],
  ['J', '3600000000', 'qudt:MegaW-HR'],
  ['Pa', '1', 'qudt:PA om:pascal dbpedia:Pascal_(unit)'],
  ['Pa', '1000', 'qudt:KiloPA om:kilopascal'],
  ['Pa', '100000', 'qudt:BAR om:bar dbpedia:Bar_(unit)'],
  // The other way round the factor would be no finite decimal.
  ['km/h', '1', 'qudt:KiloM-PER-HR om:kilometrePerHour'],
  ['km/h', '3.6', 'qudt:M-PER-SEC om:metrePerSecond-Time'],
  ['dpi', '1', 'dbpedia:Dots_per_inch'],
  ['px', '1', 'dbpedia:Pixel wikidata:Q355198'],
  ['px', '1000000', 'dbpedia:Megapixel'],
  ['%', '1', 'qudt:PERCENT om:percent dbpedia:Percentage'],
  ['EUR', '1', 'dbpedia:Euro wikidata:Q4916 om:euro'],
  ['USD', '1', 'dbpedia:United_States_dollar dbpedia:US_Dollar wikidata:Q4917 om:UnitedStatesDollar'],
  ['GBP', '1', 'dbpedia:Pound_sterling wikidata:Q25224'],
  ['CHF', '1', 'dbpedia:Swiss_franc wikidata:Q25344'],
]

type Unit = { readonly base: string; readonly factor: Num }

const ONE: Num = { n: 1n, scale: 0 }

const UNITS: ReadonlyMap<string, Unit> = new Map(
  LINES.flatMap(([base, factor, names]) =>
    names.split(' ').map((name) => [name, { base, factor: parseNum(factor) ?? ONE }] as const),
  ),
)

/** Vocabularies of units by the address before the name, which documents write with either scheme. */
const VOCABULARIES: Readonly<Record<string, string>> = {
  'qudt.org/vocab/unit/': 'qudt:',
  'qudt.org/vocab/currency/': 'currency:',
  'dbpedia.org/resource/': 'dbpedia:',
  'www.ontology-of-units-of-measure.org/resource/om-2/': 'om:',
  'www.wikidata.org/entity/': 'wikidata:',
}

/** ISO 4217 codes as vocabularies write them. */
const CURRENCY = /^(?:qudt:CCY_|currency:|urn:iso:std:iso:4217:)([A-Z]{3})$/

/** Undefined for a unit that is not listed. */
export function unitOf(iri: string): Unit | undefined {
  const bare = iri.replace(/^https?:\/\//, '')
  const [address, prefix] = Object.entries(VOCABULARIES).find(([start]) => bare.startsWith(start)) ?? []
  const name = address === undefined || prefix === undefined ? iri : prefix + bare.slice(address.length)
  const currency = CURRENCY.exec(name)?.[1]
  return currency === undefined ? UNITS.get(name) : { base: currency, factor: ONE }
}

/** The quantity in its base unit; a length of time as the duration it is. The same atom where that cannot be told. */
function inBase(atom: Atom): Atom {
  const unit = atom.unit === undefined ? undefined : unitOf(atom.unit)
  if (unit === undefined) return atom
  const isTime = operandOf(atom.leftOperand)?.domain.kind === 'duration'
  if (isTime && unit.base !== 's') return atom
  const isShare = atom.leftOperand === `${ODRL}percentage` && unit.base === '%'
  const values = atom.values.map(({ text, datatype, scalar }): Value | undefined => {
    const number = scalar?.kind === 'number' ? scalar.at : scalar === undefined ? parseNum(text) : undefined
    if (number === undefined) return undefined
    const at = multiplyNum(number, unit.factor)
    const base: Scalar = isTime ? { kind: 'duration', months: 0n, seconds: at } : { kind: 'number', at }
    return { text: scalarText(base), ...(datatype !== undefined && { datatype }), scalar: base }
  })
  const whole = values.filter((value) => value !== undefined)
  if (whole.length < values.length) return atom
  return { ...atom, values: whole, unit: isTime || isShare ? undefined : unit.base }
}

/**
 * Quantities that are written in several units are put into one. Where all conditions on a left operand use the same unit
 * it stays, so that what is shown is what was written.
 */
export function inOneUnit(policies: readonly OdrlPolicy[]): readonly OdrlPolicy[] {
  const units = new Map<string, Set<string | undefined>>()
  const note = (atom: Atom): Atom => {
    units.set(atom.leftOperand, (units.get(atom.leftOperand) ?? new Set()).add(atom.unit))
    return atom
  }
  for (const policy of policies) mapAtoms(policy, note)
  const mixed = [...units].filter(([, written]) => written.size > 1 || isTimeInNumbers(written))
  if (mixed.every(([, written]) => [...written].every((unit) => unit === undefined))) return policies
  const names = new Set(mixed.map(([leftOperand]) => leftOperand))
  return policies.map((policy) =>
    mapAtoms(policy, (atom) => (names.has(atom.leftOperand) ? inBase(atom) : atom)),
  )
}

/** A unit of time makes a number a duration, whatever else there is. */
const isTimeInNumbers = (units: ReadonlySet<string | undefined>): boolean =>
  [...units].some((unit) => unit !== undefined && unitOf(unit)?.base === 's')
