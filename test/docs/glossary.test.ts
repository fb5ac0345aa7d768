import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

/** One German word for one thing. `not`: words for the same thing that a reader would take for another one. */
const GLOSSARY: readonly { readonly en: string; readonly de: string; readonly not: RegExp }[] = [
  { en: 'contract', de: 'Vertrag', not: /\b(?:Kontrakt|Deal)/ },
  { en: 'agreement (the document)', de: 'Vereinbarung', not: /\b(?:Agreement|Übereinkunft)\b/ },
  { en: 'offer', de: 'Angebot', not: /\b(?:Offerte|Offer)\b/ },
  { en: 'terms', de: 'Bedingungen', not: /\b(?:Terms|Konditionen)\b/ },
  { en: 'clause', de: 'Klausel', not: /\b(?:Paragraph|Clause)\b/ },
  { en: 'condition', de: 'Bedingung', not: /\b(?:Constraint|Nebenbedingung)/ },
  { en: 'permission', de: 'Erlaubnis', not: /\b(?:Berechtigung|Permission|Genehmigung)/ },
  { en: 'prohibition', de: 'Verbot', not: /\b(?:Prohibition|Untersagung)/ },
  { en: 'duty', de: 'Pflicht', not: /\b(?:Duty|Duties|Auflage)\b/ },
  { en: 'provider', de: 'Anbieter', not: /\b(?:Provider|Datengeber)/ },
  { en: 'recipient', de: 'Empfänger', not: /\b(?:Consumer|Konsument|Datennehmer)/ },
  { en: 'partner', de: 'Partner', not: /\b(?:Gegenüber|Peer)\b/ },
  { en: 'dataset', de: 'Datensatz', not: /\b(?:Dataset|Asset|Datenset|Datenbestand)/ },
  { en: 'record', de: 'Eintrag', not: /\b(?:Record|Messsatz)/ },
  { en: 'transfer', de: 'Übertragung', not: /\b(?:Transfer|Datentransfer)\b/ },
  { en: 'suspended', de: 'angehalten', not: /\b(?:suspendiert|ausgesetzt|Übertragung unterbrochen)/ },
  { en: 'terminated', de: 'beendet', not: /\b(?:terminiert|abgebrochene Verhandlung)/ },
  { en: 'revoked', de: 'widerrufen', not: /\b(?:revoziert|annulliert)/ },
  { en: 'refused', de: 'abgelehnt', not: /\b(?:verweigert|zurückgewiesen)/ },
  { en: 'negotiation', de: 'Verhandlung', not: /\b(?:Negotiation|Aushandlung)/ },
  { en: 'source', de: 'Quelle', not: /\b(?:Source|Datasource)\b/ },
  { en: 'receipt', de: 'Quittung', not: /\b(?:Receipt|Empfangsbestätigung)/ },
  {
    en: 'live data, stream',
    de: 'Live-Daten, Datenstrom',
    not: /\b(?:Der|der|dem|des|Live-)\s?Strom\b|\bStream\b/,
  },
  { en: 'token', de: 'Token (auch im Plural)', not: /\bTokens\b/ },
  { en: 'identifier', de: 'Kennung', not: /\b(?:Id|Identifier)\b/ },
  { en: 'quota', de: 'Menge', not: /\b(?:Kontingent|Quota)\b/ },
  { en: 'settings', de: 'Einstellungen', not: /\bSettings\b/ },
]

const files = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((one) =>
    one.isDirectory()
      ? files(join(folder, one.name))
      : one.name.endsWith('.ts')
        ? [join(folder, one.name)]
        : [],
  )

/** What stands behind `de:` or a name that ends with De, and what stands second in `text(en, de)`. */
const literal = (group: number): string => `(['"\`])((?:\\\\.|(?!\\${group})[\\s\\S])*)\\${group}`
const MEMBERS = new RegExp(`\\b(?:de|\\w+De):\\s*${literal(1)}`, 'g')
const PAIRS = new RegExp(`\\btext\\(\\s*${literal(1)},\\s*${literal(3)}`, 'g')

function germanOf(file: string): readonly string[] {
  const source = readFileSync(file, 'utf8')
  return [
    ...[...source.matchAll(MEMBERS)].map(([, , german = '']) => german),
    ...[...source.matchAll(PAIRS)].map(([, , , , german = '']) => german),
  ]
}

const SENTENCES = files('connector').flatMap((file) =>
  // What stands in braces is code, what stands in quotation marks is to be typed or was written by somebody.
  germanOf(file).map((text) => ({
    file,
    text,
    words: text.replaceAll(/\$\{[^}]*\}/g, '').replaceAll(/„[^“]*“/g, ''),
  })),
)

it('finds the German of the program', () => {
  expect(SENTENCES.length).toBeGreaterThan(1000)
})

it.each(GLOSSARY)('$en is called $de and nothing else', ({ not }) => {
  expect(
    SENTENCES.filter(({ words }) => not.test(words)).map(({ file, text }) => `${file}: ${text}`),
  ).toEqual([])
})

it('German quotes as German does, and addresses the reader as Sie', () => {
  const wrong = SENTENCES.filter(({ words }) =>
    /(?<![=\w(\\[{:,])"\w[^"]*"|(?<!-)\b(?:[Dd]u|[Dd]ein\w*|[Dd]ir)\b/.test(words),
  )
  expect(wrong.map(({ file, text }) => `${file}: ${text}`)).toEqual([])
})
