/** `policy who`: for each partner, offer and contract of the running connector, allowed or not, and why. */
import { type Command, say, usageError } from '../command.js'
import { answer, connected, fail, inLang, next } from './connected.js'
import { failPartner, findPartner } from './ids.js'
import { entriesOf, type View, viewOf } from './view.js'
import { instantOf, whenWords } from './when.js'

export const whoCommand: Command = {
  name: 'policy who',
  summary: {
    en: 'who may have which data, now or at any time: allowed or not, why, and what would have to change',
    de: 'wer welche Daten bekommen darf, jetzt oder zu jeder Zeit: erlaubt oder nicht, warum, und was sich ändern müsste',
  },
  usage: '[options]',
  options: {
    partner: {
      type: 'string',
      value: 'PARTNER',
      about: { en: 'only this partner: name or DID', de: 'nur dieser Partner: Name oder DID' },
    },
    dataset: {
      type: 'string',
      value: 'ID',
      about: { en: 'only this dataset', de: 'nur dieser Datensatz' },
    },
    at: {
      type: 'string',
      value: 'TIME',
      about: {
        en: 'at this time instead of now: 2027-01-31, 2027-01-31T08:00 (local) or with offset',
        de: 'zu dieser Zeit statt jetzt: 2027-01-31, 2027-01-31T08:00 (Ortszeit) oder mit Abstand zu UTC',
      },
    },
    trace: {
      type: 'boolean',
      about: { en: 'with every clause that was looked at', de: 'mit jeder Klausel, die geprüft wurde' },
    },
  },
  json: true,
  examples: ['handschlag policy who --dataset press-7 --at 2027-01-31T08:00'],
  run: (call) =>
    connected(call, async (here) => {
      const written = here.value('at')
      const at = written === undefined ? undefined : instantOf(written)
      if (written !== undefined && at === undefined) {
        return usageError(here, {
          en: '--at takes a day or a time, such as 2027-01-31 or 2027-01-31T08:00.',
          de: '--at nimmt einen Tag oder eine Zeit, etwa 2027-01-31 oder 2027-01-31T08:00.',
        })
      }
      const named = here.value('partner')
      const partner = named === undefined ? undefined : await findPartner(here, named)
      if (partner?.ok === false) return failPartner(here, partner.error)
      const query = new URLSearchParams()
      if (partner !== undefined) query.set('partner', partner.value.text('did'))
      const dataset = here.value('dataset')
      if (dataset !== undefined) query.set('dataset', dataset)
      if (at !== undefined) query.set('at', at)
      const result = await here.client.get(`/api/v1/policy-decisions?${query}`)
      if (!result.ok) return fail(here, result.error)
      return answer(here, result, (value) => {
        const entries = entriesOf(value, 'entries')
        if (entries.length === 0) {
          say(
            here,
            inLang(
              here,
              'There is no offer and no contract to decide about.',
              'Es gibt kein Angebot und keinen Vertrag, über die zu entscheiden wäre.',
            ),
          )
          return next(here, 'offer add DATASET --for-days 30', 'partner add DID ADDRESS')
        }
        const when = whenWords(viewOf(value).text('at'), here.lang)
        say(here, `${inLang(here, 'As of', 'Stand')} ${when}`)
        for (const entry of entries) say(here, entryWords(entry, here))
        if (!viewOf(value).flag('complete')) {
          say(
            here,
            inLang(
              here,
              '\nThere are more. Ask for one partner or dataset.',
              '\nEs gibt noch mehr. Fragen Sie nach einem Partner oder Datensatz.',
            ),
          )
        }
      })
    }),
}

type Reader = Parameters<typeof inLang>[0] & Parameters<Command['run']>[0]

function entryWords(entry: View, here: Reader): string {
  const { lang } = here
  const subject = entry.has('offer')
    ? `${inLang(here, 'offer', 'Angebot')} ${entry.text('offer')}`
    : `${inLang(here, 'contract', 'Vertrag')} ${entry.text('contract')}`
  const verdict = entry.flag('allowed')
    ? inLang(here, 'ALLOWED', 'ERLAUBT')
    : inLang(here, 'NOT ALLOWED', 'NICHT ERLAUBT')
  const trace = here.flag('trace') ? entry.views('trace') : []
  return [
    `\n${entry.text('partnerName')}, ${entry.text('dataset')}, ${subject}: ${verdict}`,
    ...(entry.has('because') ? [`  ${entry.said('because', lang)}`] : []),
    ...(entry.has('change')
      ? [`  ${inLang(here, 'To change it', 'Was sich ändern müsste')}: ${entry.said('change', lang)}`]
      : []),
    ...trace.map(
      (one) =>
        `    ${one.text('clause')} ${verdictWords(one.text('verdict'), here)}: ${one.said('text', lang)}`,
    ),
  ].join('\n')
}

const verdictWords = (verdict: string, here: Reader): string =>
  ({
    true: inLang(here, 'met', 'erfüllt'),
    false: inLang(here, 'not met', 'nicht erfüllt'),
    unknown: inLang(here, 'unknown', 'unbekannt'),
    deferred: inLang(here, 'looked at later', 'wird später geprüft'),
  })[verdict] ?? verdict
