/** `status`: who this connector is, and what waits. */
import { type Command, say } from '../command.js'
import { renderPairs } from '../table.js'
import { answer, connected, type Here, inLang, next } from './connected.js'
import { warnOfLab } from './partner-words.js'
import { type View, viewOf } from './view.js'
import { whenWords } from './when.js'

/** "2 open, 1 overdue; 1 of partners overdue" */
function dutyWords(here: Here, duties: View): string {
  const number = (key: string): number => duties.number(key) ?? 0
  const parts = [
    inLang(here, `${number('open')} open`, `${number('open')} offen`),
    ...(number('dueSoon') > 0
      ? [inLang(here, `${number('dueSoon')} DUE SOON`, `${number('dueSoon')} BALD FÄLLIG`)]
      : []),
    ...(number('overdue') > 0
      ? [inLang(here, `${number('overdue')} OVERDUE`, `${number('overdue')} ÜBERFÄLLIG`)]
      : []),
  ]
  const theirs = number('theirsOverdue')
  const also = inLang(here, `; of partners ${theirs} OVERDUE`, `; bei Partnern ${theirs} ÜBERFÄLLIG`)
  return parts.join(', ') + (theirs > 0 ? also : '')
}

export const statusCommand: Command = {
  name: 'status',
  summary: {
    en: 'show the running connector: identity, contents, what is owed',
    de: 'den laufenden Connector zeigen: Identität, Bestand, Ausstehendes',
  },
  usage: '[options]',
  options: {},
  json: true,
  run: (call) =>
    connected(call, async (here) => {
      const { lang } = here
      return answer(here, await here.client.get('/api/v1/status'), (value) => {
        const status = viewOf(value)
        const owed = status.view('owed')
        const count = owed.number('count') ?? 0
        const failing = status.view('failingDeliveries')
        const failures = failing.number('count') ?? 0
        const waiting = status.number('waitingForPerson') ?? 0
        const since = (counted: View): string => {
          const oldest = counted.maybe('oldest')
          if (oldest === undefined || counted.number('count') === 0) return ''
          return inLang(
            here,
            `, the oldest since ${whenWords(oldest, lang)}`,
            `, die älteste seit ${whenWords(oldest, lang)}`,
          )
        }
        say(
          here,
          renderPairs([
            [inLang(here, 'Name', 'Name'), status.text('name')],
            [inLang(here, 'Identity', 'Identität'), status.text('did')],
            [
              inLang(here, 'Fingerprint', 'Fingerabdruck'),
              `${status.text('fingerprint')} (${inLang(here, 'key', 'Schlüssel')} ${status.text('keyName')})`,
            ],
            [inLang(here, 'Partners reach us at', 'Für Partner'), status.text('publicUrl')],
            [inLang(here, 'Data', 'Daten'), status.text('dataDir')],
            [
              inLang(here, 'Version', 'Version'),
              inLang(
                here,
                `${status.text('version')}, schema ${status.text('schema')}`,
                `${status.text('version')}, Schema ${status.text('schema')}`,
              ),
            ],
            [inLang(here, 'Running since', 'Läuft seit'), whenWords(status.text('startedAt'), lang)],
            [inLang(here, 'Partners', 'Partner'), status.text('partners')],
            [inLang(here, 'Datasets', 'Datensätze'), status.text('datasets')],
            [inLang(here, 'Contracts', 'Verträge'), status.text('contracts')],
            [inLang(here, 'Waiting for you', 'Wartet auf Sie'), String(waiting)],
            [inLang(here, 'Duties', 'Pflichten'), dutyWords(here, status.view('duties'))],
            [inLang(here, 'Messages owed', 'Zuzustellen'), `${count}${since(owed)}`],
            [
              inLang(here, 'Failing deliveries', 'Fehlschlagende Zustellungen'),
              `${failures}${since(failing)}`,
            ],
          ]),
        )
        for (const name of status.texts('laboratories')) warnOfLab(here, name)
        const late = ['overdue', 'dueSoon', 'theirsOverdue'].some(
          (key) => (status.view('duties').number(key) ?? 0) > 0,
        )
        if (waiting > 0) next(here, 'negotiation list --waiting')
        else if (late) next(here, 'duty list')
        else if (count > 0 || failures > 0) next(here, 'doctor')
        else if (status.number('partners') === 0) next(here, 'partner add DID ADDRESS')
        else if (status.number('datasets') === 0) next(here, 'source add ID ...', 'catalog PARTNER')
      })
    }),
}
