/** What a rule allows, forbids or demands, in words: one row per action, read by explanations and refusals. */
import type { Text } from '../core/types.js'
import { isKnownAction } from './action-terms.js'
import { shortName } from './model.js'
import type { RuleKind } from './nodes.js'
import { quoted, text } from './words.js'

type ActionWords = {
  /** Stands behind may, must and must not. */
  readonly en: string
  readonly deObject: string
  readonly deVerb: string
  /** The object where it is denied, when "nicht" does not do it: "kein Konkurrenzprodukt". */
  readonly deNone?: string
}

const words = (en: string, deObject: string, deVerb: string, deNone?: string): ActionWords => ({
  en,
  deObject,
  deVerb,
  ...(deNone === undefined ? {} : { deNone }),
})

/** Actions of the ODRL Common Vocabulary that occur in contracts about machine data. */
const ACTION_WORDS: Readonly<Record<string, ActionWords>> = {
  use: words('use the data', 'die Daten', 'nutzen'),
  distribute: words('pass the data on', 'die Daten', 'weitergeben'),
  transfer: words('transfer the data to others', 'die Daten', 'auf andere übertragen'),
  sell: words('sell the data', 'die Daten', 'verkaufen'),
  delete: words('delete the data', 'die Daten', 'löschen'),
  anonymize: words('anonymize the data', 'die Daten', 'anonymisieren'),
  aggregate: words('aggregate the data', 'die Daten', 'zusammenfassen'),
  derive: words('derive new data from the data', 'die Daten', 'zu neuen Daten verarbeiten'),
  modify: words('modify the data', 'die Daten', 'verändern'),
  read: words('read the data', 'die Daten', 'lesen'),
  reproduce: words('copy the data', 'die Daten', 'vervielfältigen'),
  attribute: words('name the source of the data', 'die Quelle der Daten', 'nennen'),
  inform: words('inform the provider', 'den Anbieter', 'unterrichten'),
  compensate: words('pay for the data', 'die Daten', 'vergüten'),
  obtainConsent: words('obtain consent', 'eine Einwilligung', 'einholen'),
  logUsage: words('keep a log of the use', 'die Nutzung', 'protokollieren'),
  developCompetingProduct: words(
    'develop a competing product',
    'ein Konkurrenzprodukt',
    'entwickeln',
    'kein Konkurrenzprodukt',
  ),
  deriveBusinessInsight: words(
    "draw conclusions about the provider's business",
    'Rückschlüsse auf das Geschäft des Anbieters',
    'ziehen',
    'keine Rückschlüsse auf das Geschäft des Anbieters',
  ),
  reverseEngineer: words('reverse-engineer the machine', 'die Maschine', 'nachkonstruieren'),
  reidentify: words('re-identify machines or persons', 'Maschinen oder Personen', 'wiedererkennen'),
  trainModelForOthers: words(
    'train models for others with the data',
    'mit den Daten Modelle für andere',
    'trainieren',
    'mit den Daten keine Modelle für andere',
  ),
  watermark: words('mark the data', 'die Daten', 'kennzeichnen'),
}

export function actionWords(action: string): ActionWords {
  const name = shortName(action)
  const known = isKnownAction(action) && Object.hasOwn(ACTION_WORDS, name) ? ACTION_WORDS[name] : undefined
  if (known !== undefined) return known
  return words(`carry out the action ${quoted(name).en}`, `die Handlung ${quoted(name).de}`, 'ausführen')
}

/** "die Daten nicht", "kein Konkurrenzprodukt" */
export const denied = ({ deObject, deNone }: ActionWords): string => deNone ?? `${deObject} nicht`

/** "must not pass the data on" and "die Daten nicht weitergeben darf": behind "that the recipient". */
export function demandWords(kind: RuleKind, action: string): Text {
  const words = actionWords(action)
  const { en, deObject, deVerb } = words
  return {
    permission: text(`may ${en}`, `${deObject} ${deVerb} darf`),
    prohibition: text(`must not ${en}`, `${denied(words)} ${deVerb} darf`),
    obligation: text(`must ${en}`, `${deObject} ${deVerb} muss`),
    duty: text(`must ${en} before any use`, `vor jeder Nutzung ${deObject} ${deVerb} muss`),
  }[kind]
}
