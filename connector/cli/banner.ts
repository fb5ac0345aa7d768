/** What `serve` says once it is ready: a small tree on a terminal, one JSON line elsewhere. */
import type { Lang, Text } from '../core/types.js'

export type BannerFacts = {
  readonly version: string
  readonly readyMs: number
  /** Public address of the DSP endpoints, such as `https://connector.example.com/dsp`. */
  readonly dspUrl: string
  /** Local socket, such as `0.0.0.0:8484`. */
  readonly listening: string
  readonly managementUrl: string
  readonly participantId: string
  readonly keyId: string
  readonly dataDir: string
  readonly schema: number
  readonly datasets: number
  readonly agreements: number
  readonly owed: number
  /** One-time link of the first visit; absent once somebody has signed in. */
  readonly setup?: { readonly url: string; readonly validMinutes: number }
}

const LABEL = {
  partners: { en: 'Partners (DSP)', de: 'Partner (DSP)' },
  management: { en: 'Management', de: 'Verwaltung' },
  identity: { en: 'Identity', de: 'Identität' },
  data: { en: 'Data', de: 'Daten' },
  setup: { en: 'First visit', de: 'Erster Besuch' },
} as const satisfies Record<string, Text>

const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`

function inventory(facts: BannerFacts): Text {
  const { schema, datasets, agreements, owed } = facts
  return {
    en: `schema ${schema}, ${count(datasets, 'dataset', 'datasets')}, ${count(agreements, 'agreement', 'agreements')}, ${count(owed, 'message', 'messages')} owed`,
    de: `Schema ${schema}, ${count(datasets, 'Datensatz', 'Datensätze')}, ${count(agreements, 'Vertrag', 'Verträge')}, ${count(owed, 'Nachricht', 'Nachrichten')} zuzustellen`,
  }
}

type Row = readonly [label: Text, value: string, note: Text]

function rows(facts: BannerFacts): readonly Row[] {
  const { setup } = facts
  return [
    [
      LABEL.partners,
      facts.dspUrl,
      { en: `listening on ${facts.listening}`, de: `lauscht auf ${facts.listening}` },
    ],
    [LABEL.management, facts.managementUrl, { en: 'API', de: 'API' }],
    [LABEL.identity, facts.participantId, { en: `key ${facts.keyId}`, de: `Schlüssel ${facts.keyId}` }],
    [LABEL.data, facts.dataDir, inventory(facts)],
    ...(setup === undefined
      ? []
      : [
          [
            LABEL.setup,
            setup.url,
            {
              en: `valid ${setup.validMinutes} minutes, works once`,
              de: `${setup.validMinutes} Minuten gültig, geht einmal`,
            },
          ] satisfies Row,
        ]),
  ]
}

const seconds = (ms: number, lang: Lang): string =>
  new Intl.NumberFormat(lang, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(ms / 1000)

function tree(facts: BannerFacts, lang: Lang): string {
  const lines = rows(facts)
  const labelWidth = Math.max(...lines.map(([label]) => label[lang].length))
  const valueWidth = Math.max(...lines.map(([, value]) => value.length))
  const ready: Text = {
    en: `ready in ${seconds(facts.readyMs, 'en')} s`,
    de: `bereit in ${seconds(facts.readyMs, 'de')} s`,
  }
  return [
    `handschlag ${facts.version} ${ready[lang]}`,
    ...lines.map(([label, value, note], i) => {
      const branch = i === lines.length - 1 ? '└─' : '├─'
      return `${branch} ${label[lang].padEnd(labelWidth)}  ${value.padEnd(valueWidth)}  ${note[lang]}`
    }),
  ].join('\n')
}

/**
 * The text for stdout, without the closing line break.
 *
 * The JSON line leaves the setup link out: it is a secret, and what is not a terminal is usually kept.
 */
export function banner(
  facts: BannerFacts,
  options: { readonly isTTY: boolean; readonly lang: Lang },
): string {
  if (options.isTTY) return tree(facts, options.lang)
  const { setup, ...rest } = facts
  return JSON.stringify({ event: 'ready', ...rest, setupOpen: setup !== undefined })
}
