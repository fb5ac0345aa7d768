/** The check of pushes: a transfer that runs while its deliveries fail looks well from everywhere else. */
import { whenWords } from '../cli/commands/when.js'
import type { Check } from '../cli/doctor.js'
import type { Text } from '../core/types.js'

export type TransfersAnswer = {
  readonly transfers: readonly {
    readonly pid: string
    readonly role: 'provider' | 'consumer'
    readonly partner: string
    readonly failing?: { readonly since: string; readonly lastError: string }
  }[]
}

type Failing = { readonly pid: string; readonly sent: boolean; readonly words: Text }

export function deliveriesCheck(transfers: TransfersAnswer['transfers']): Check {
  const failing = transfers.flatMap(({ pid, role, partner, failing: now }): Failing[] => {
    if (now === undefined) return []
    const sent = role === 'provider'
    const { since, lastError } = now
    return [
      {
        pid,
        sent,
        words: {
          en: `${sent ? `to ${partner}` : `from ${partner}`} since ${whenWords(since, 'en')}: ${lastError}`,
          de: `${sent ? `an ${partner}` : `von ${partner}`} seit ${whenWords(since, 'de')}: ${lastError}`,
        },
      },
    ]
  })
  const show = failing.map(({ pid }) => `handschlag transfer show ${pid}`).join('; ')
  const isReceived = failing.some(({ sent }) => !sent)
  const isSent = failing.some(({ sent }) => sent)
  return {
    name: 'deliveries',
    run: async () =>
      failing.length === 0
        ? { status: 'ok', what: { en: 'none fails', de: 'keine schlägt fehl' } }
        : {
            status: 'warning',
            what: {
              en: `${failing.length} failing, ${failing.map(({ words }) => words.en).join('; ')}`,
              de: `${failing.length} ${failing.length === 1 ? 'schlägt' : 'schlagen'} fehl, ${failing.map(({ words }) => words.de).join('; ')}`,
            },
            impact: {
              en: 'No data of these transfers arrives; it is sent again until the receiver takes it.',
              de: 'Aus diesen Übertragungen kommt nichts an; es wird wieder gesendet, bis der Empfänger es annimmt.',
            },
            fix: {
              en: [
                ...(isReceived ? ['Check the broker or folder the data is stored in here.'] : []),
                ...(isSent ? ['Ask the partner whether its receiver runs and can store.'] : []),
                show,
              ].join(' '),
              de: [
                ...(isReceived ? ['Prüfen Sie hier den Broker oder Ordner, der die Daten aufnimmt.'] : []),
                ...(isSent ? ['Fragen Sie den Partner, ob sein Empfänger läuft und speichern kann.'] : []),
                show,
              ].join(' '),
            },
          },
  }
}
