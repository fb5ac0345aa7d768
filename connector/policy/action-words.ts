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

/** Every action of the ODRL Common Vocabulary, and those of our profile. */
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
  give: words('give the data away', 'die Daten', 'unentgeltlich abgeben'),
  extract: words('take parts out of the data', 'Teile der Daten', 'entnehmen', 'keine Teile der Daten'),
  excerpt: words(
    'take excerpts from the data',
    'Auszüge aus den Daten',
    'entnehmen',
    'keine Auszüge aus den Daten',
  ),
  move: words('move the data to another place', 'die Daten', 'an einen anderen Ort verschieben'),
  digitize: words('digitize the data', 'die Daten', 'digitalisieren'),
  play: words('play the data back', 'die Daten', 'wiedergeben'),
  present: words('present the data in public', 'die Daten', 'öffentlich vorführen'),
  display: words('display the data', 'die Daten', 'anzeigen'),
  print: words('print the data', 'die Daten', 'ausdrucken'),
  preview: words('preview the data', 'die Daten', 'in einer Vorschau ansehen'),
  acceptTracking: words('accept that its use is tracked', 'die Nachverfolgung der Nutzung', 'dulden'),
  annotate: words('add notes to the data', 'die Daten', 'mit Anmerkungen versehen'),
  archive: words('archive the data', 'die Daten', 'archivieren'),
  append: words('append something to the data', 'den Daten etwas', 'anfügen', 'den Daten nichts'),
  appendTo: words('append the data to other data', 'die Daten', 'anderen Daten anfügen'),
  concurrentUse: words(
    'use the data on several systems at once',
    'die Daten',
    'auf mehreren Systemen zugleich nutzen',
  ),
  copy: words('make copies of the data', 'Kopien der Daten', 'anfertigen', 'keine Kopien der Daten'),
  ensureExclusivity: words(
    'ensure that the rights in the data stay exclusive',
    'die Ausschließlichkeit der Rechte an den Daten',
    'sicherstellen',
  ),
  execute: words('run the data as a program', 'die Daten', 'als Programm ausführen'),
  export: words('export the data', 'die Daten', 'exportieren'),
  grantUse: words('grant others the use of the data', 'anderen die Nutzung der Daten', 'gestatten'),
  include: words(
    'add further material to the data',
    'den Daten weiteres Material',
    'beifügen',
    'den Daten kein weiteres Material',
  ),
  index: words('index the data', 'die Daten', 'in ein Verzeichnis aufnehmen'),
  install: words('install the data', 'die Daten', 'installieren'),
  uninstall: words('uninstall the data', 'die Daten', 'deinstallieren'),
  nextPolicy: words('impose the named policy on third parties', 'Dritten die genannte Policy', 'auferlegen'),
  reviewPolicy: words('review the policy', 'die Policy', 'prüfen'),
  stream: words('stream the data', 'die Daten', 'als Datenstrom übertragen'),
  synchronize: words('synchronize the data with other data', 'die Daten', 'mit anderen Daten abgleichen'),
  textToSpeech: words('have the data read aloud', 'die Daten', 'vorlesen lassen'),
  transform: words('convert the data into another format', 'die Daten', 'in ein anderes Format umwandeln'),
  translate: words(
    'translate the data into another language',
    'die Daten',
    'in eine andere Sprache übersetzen',
  ),
  write: words('write into the data', 'in die Daten', 'schreiben'),
  writeTo: words('write the data to a store', 'die Daten', 'in einen Speicher schreiben'),
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
