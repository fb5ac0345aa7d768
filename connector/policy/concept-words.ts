/** Words for the concepts that policies name by an IRI: purposes, places and the few fixed values of the profile. */
import type { Text } from '../core/types.js'
import { MDP } from './model.js'
import { conceptOf } from './odrl/taxonomy.js'
import { text } from './words.js'

const OWN: Readonly<Record<string, Text>> = {
  Maintenance: text('maintenance', 'Instandhaltung'),
  PredictiveMaintenance: text('predictive maintenance', 'vorausschauende Instandhaltung'),
  ConditionMonitoring: text('condition monitoring', 'Zustandsüberwachung'),
  RemoteService: text('remote service', 'Fernwartung'),
  QualityAssurance: text('quality assurance', 'Qualitätssicherung'),
  ProductImprovement: text('product improvement', 'Produktverbesserung'),
  EnergyManagement: text('energy management', 'Energiemanagement'),
  CarbonFootprint: text('carbon footprint', 'CO2-Fußabdruck'),
  Research: text('research', 'Forschung'),
  Benchmarking: text('benchmarking', 'Leistungsvergleich'),
  Billing: text('billing', 'Abrechnung'),
  Insurance: text('insurance', 'Versicherung'),
  WarrantyClaim: text('warranty and claims', 'Gewährleistung und Schadensfälle'),
  SecurityIncident: text('security incident', 'Sicherheitsvorfall'),
}

const PLACES: Readonly<Record<string, Text>> = Object.fromEntries(
  `EU:the European Union:die Europäische Union EEA:the European Economic Area:der Europäische Wirtschaftsraum
  DACH:Germany, Austria and Switzerland:Deutschland, Österreich und die Schweiz Europe:Europe:Europa World:the whole world:die ganze Welt
  DE:Germany:Deutschland AT:Austria:Österreich FR:France:Frankreich IT:Italy:Italien ES:Spain:Spanien NL:the Netherlands:die Niederlande
  BE:Belgium:Belgien LU:Luxembourg:Luxemburg PL:Poland:Polen CZ:Czechia:Tschechien SK:Slovakia:die Slowakei HU:Hungary:Ungarn
  SI:Slovenia:Slowenien HR:Croatia:Kroatien RO:Romania:Rumänien BG:Bulgaria:Bulgarien GR:Greece:Griechenland PT:Portugal:Portugal
  IE:Ireland:Irland DK:Denmark:Dänemark SE:Sweden:Schweden FI:Finland:Finnland EE:Estonia:Estland LV:Latvia:Lettland
  LT:Lithuania:Litauen MT:Malta:Malta CY:Cyprus:Zypern NO:Norway:Norwegen IS:Iceland:Island LI:Liechtenstein:Liechtenstein
  CH:Switzerland:die Schweiz GB:the United Kingdom:das Vereinigte Königreich US:the United States:die Vereinigten Staaten
  CA:Canada:Kanada CN:China:China JP:Japan:Japan IN:India:Indien KR:South Korea:Südkorea BR:Brazil:Brasilien MX:Mexico:Mexiko`
    .split(/\s+(?=[A-Z]{2,4}:|Europe:|World:)/)
    .map((entry) => {
      const [code = '', en = '', de = ''] = entry.split(':')
      return [code, text(en.replace(/\s+/g, ' '), de.replace(/\s+/g, ' '))] as const
    }),
)

const FIXED: Readonly<Record<string, Text>> = {
  'per-batch': text('for each delivery', 'für jede Lieferung'),
  'per-record': text('for each record', 'für jeden Eintrag'),
  'per-day': text('for each day', 'für jeden Tag'),
  attested: text('attested', 'bescheinigt'),
  certified: text('certified', 'zertifiziert'),
}

/** undefined for what is no concept of ours: it is shown as it was written. */
export function conceptWords(tree: string | undefined, value: string): Text | undefined {
  if (tree === 'place') return PLACES[conceptOf('place', value) ?? '']
  const own = value.startsWith(MDP) ? value.slice(MDP.length) : undefined
  if (own !== undefined) return Object.hasOwn(OWN, own) ? OWN[own] : undefined
  return tree === undefined && Object.hasOwn(FIXED, value) ? FIXED[value] : undefined
}
