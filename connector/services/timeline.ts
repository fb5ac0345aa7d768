/**
 * The history of a process or a contract for people: each message in and out with its result, each failed attempt, each
 * decision, in words of both languages. Message bodies and tokens never pass through here.
 */
import { reasonIn } from '../core/operator-reasons.js'
import { iso, type JsonObject, type Lang, type Text } from '../core/types.js'
import type { AuditEntry } from '../domain/step.js'
import type { Store } from '../store/store.js'
import { compact } from './operator-view.js'

export type TimelineResult =
  /** Ours is on its way, or the partner's has been applied. */
  | 'sent'
  | 'received'
  | 'acknowledged'
  /** It did not arrive and is tried again. */
  | 'attempt failed'
  /** The partner refused ours, or it could not be delivered at all. */
  | 'failed'
  /** We refused the partner's. */
  | 'refused'
  | 'given up'

export type TimelineEntry = {
  readonly seq: number
  readonly at: string
  readonly direction: AuditEntry['direction']
  readonly event: string
  /** The message that it is about, and how that fared; absent for decisions. */
  readonly message?: string
  readonly result?: TimelineResult
  /** The same as a sentence. */
  readonly words: Text
  readonly detail?: JsonObject
}

export const timelineOf = (store: Pick<Store, 'audit'>, subject: string): readonly TimelineEntry[] =>
  store.audit(subject).map(({ seq, at, direction, event, detail }) => {
    const { series: _, ...rest } = detail ?? {}
    const told = tell(direction, event, rest)
    return compact({
      seq,
      at: iso(at),
      direction,
      event,
      message: told.message,
      result: told.result,
      words: told.words,
      detail: detail === undefined ? undefined : rest,
    })
  })

type Told = { readonly message?: string; readonly result?: TimelineResult; readonly words: Text }

const MESSAGES: { readonly [event: string]: Text } = {
  request: { en: 'request', de: 'Anfrage' },
  offer: { en: 'offer', de: 'Angebot' },
  accept: { en: 'acceptance', de: 'Annahme' },
  agree: { en: 'contract', de: 'Vertrag' },
  verify: { en: 'confirmation of the contract', de: 'Bestätigung des Vertrags' },
  finalize: { en: 'conclusion of the contract', de: 'Abschluss des Vertrags' },
  start: { en: 'start', de: 'Start' },
  suspend: { en: 'suspension', de: 'Anhalten' },
  complete: { en: 'completion', de: 'Abschluss' },
  terminate: { en: 'termination', de: 'Beendigung' },
  'duty deletion': { en: 'receipt of deletion', de: 'Quittung über die Löschung' },
  'duty log': { en: 'report of use', de: 'Nutzungsbericht' },
  'duty incident': { en: 'notice of an event', de: 'Meldung eines Ereignisses' },
  'duty done': { en: 'confirmation of a duty', de: 'Bestätigung einer Pflicht' },
  'duty reminder': { en: 'reminder of a duty', de: 'Erinnerung an eine Pflicht' },
  'duty waiver': { en: 'waiver of a duty', de: 'Verzicht auf eine Pflicht' },
}

const RESULTS: readonly TimelineResult[] = ['acknowledged', 'attempt failed', 'failed', 'given up', 'refused']

const DECISIONS: { readonly [event: string]: Text } = {
  'waits for a person': { en: 'waits for a person', de: 'wartet auf einen Menschen' },
  terminated: { en: 'ended here', de: 'hier beendet' },
  'terminate wanted': {
    en: 'is to be ended as soon as the partner has answered',
    de: 'soll enden, sobald der Partner geantwortet hat',
  },
  'negotiation started': { en: 'negotiation started', de: 'Verhandlung begonnen' },
  'contract offered': { en: 'contract offered', de: 'Vertrag angeboten' },
  countered: { en: 'other terms proposed', de: 'andere Bedingungen vorgeschlagen' },
  'offer accepted': { en: 'offer accepted', de: 'Angebot angenommen' },
  'request approved': { en: 'request approved', de: 'Anfrage freigegeben' },
  refused: { en: 'refused', de: 'abgelehnt' },
  'negotiation ended': { en: 'negotiation ended', de: 'Verhandlung beendet' },
  'rules asked again': { en: 'tried again', de: 'noch einmal versucht' },
  'delivery hurried': { en: 'delivery hurried', de: 'Zustellung sofort verlangt' },
  'delivery given up': { en: 'delivery given up', de: 'Zustellung aufgegeben' },
  'transfer started': { en: 'transfer asked for', de: 'Übertragung angefragt' },
  'transfer suspended': { en: 'transfer suspended', de: 'Übertragung angehalten' },
  'transfer resumed': { en: 'transfer resumed', de: 'Übertragung fortgesetzt' },
  'transfer completed': { en: 'transfer completed', de: 'Übertragung abgeschlossen' },
  'transfer ended': { en: 'transfer ended', de: 'Übertragung beendet' },
  revoked: { en: 'contract revoked', de: 'Vertrag widerrufen' },
  'duty due soon': { en: 'a duty is due soon', de: 'eine Pflicht wird bald fällig' },
  'duty overdue': { en: 'a duty is overdue', de: 'eine Pflicht ist überfällig' },
  'duty deletion': {
    en: 'confirmation of deletion written down',
    de: 'Bestätigung der Löschung festgehalten',
  },
  'duty done': { en: 'confirmation written down', de: 'Bestätigung festgehalten' },
  'duty waiver': { en: 'duty waived', de: 'auf die Pflicht verzichtet' },
  'contract revoked': { en: 'contract revoked', de: 'Vertrag widerrufen' },
}

/** The token of the commands has this name; others are called as they were created. */
const COMMAND_LINE: Text = { en: 'command line', de: 'Befehlszeile' }

function tell(direction: AuditEntry['direction'], event: string, detail: JsonObject): Told {
  const reason = typeof detail.reason === 'string' ? detail.reason : undefined
  const german = typeof detail.reasonDe === 'string' ? detail.reasonDe : undefined
  const because = (words: Text): Text =>
    reason === undefined
      ? words
      : { en: `${words.en}: ${reason}`, de: `${words.de}: ${german ?? reasonIn(reason, 'de')}` }
  if (direction === 'own') {
    const words = Object.hasOwn(DECISIONS, event) ? (DECISIONS[event] ?? same(event)) : same(event)
    const by = typeof detail.by === 'string' ? detail.by : undefined
    const who = by === COMMAND_LINE.en ? COMMAND_LINE : same(by ?? '')
    const shown = (lang: Lang): string => (by === undefined ? '' : ` (${who[lang]})`)
    return { words: because({ en: words.en + shown('en'), de: words.de + shown('de') }) }
  }
  const result = RESULTS.find((end) => event.endsWith(` ${end}`))
  const message = result === undefined ? event : event.slice(0, -result.length - 1)
  const name = Object.hasOwn(MESSAGES, message) ? (MESSAGES[message] ?? same(message)) : same(message)
  if (result === undefined && !Object.hasOwn(MESSAGES, message)) return { words: because(name) }
  const kept = result ?? (direction === 'in' ? 'received' : 'sent')
  return { message, result: kept, words: sentence(kept, name, detail, because) }
}

const same = (text: string): Text => ({ en: text, de: text })

function sentence(
  result: TimelineResult,
  { en, de }: Text,
  detail: JsonObject,
  because: (words: Text) => Text,
): Text {
  const times = typeof detail.times === 'number' ? detail.times : 1
  switch (result) {
    case 'sent':
      return because({ en: `${en} sent`, de: `${de} gesendet` })
    case 'received':
      return because({ en: `${en} received`, de: `${de} empfangen` })
    case 'acknowledged': {
      const attempts = typeof detail.attempts === 'number' ? detail.attempts : 1
      const status = typeof detail.status === 'number' ? `, ${detail.status}` : ''
      const [many, viele] =
        attempts > 1 ? [` at attempt ${attempts}`, ` beim ${attempts}. Versuch`] : ['', '']
      return { en: `${en} acknowledged${many}${status}`, de: `${de} bestätigt${viele}${status}` }
    }
    case 'attempt failed':
      return because({
        en: `${en} not delivered, attempt ${times}`,
        de: `${de} nicht zugestellt, ${times}. Versuch`,
      })
    case 'failed':
      return because({ en: `${en} refused or undeliverable`, de: `${de} abgelehnt oder unzustellbar` })
    case 'given up':
      return because({ en: `${en} given up`, de: `${de} aufgegeben` })
    case 'refused': {
      const [often, oft] = times > 1 ? [`, ${times} times`, `, ${times}-mal`] : ['', '']
      return because({
        en: `refused the partner's message (${en})${often}`,
        de: `Nachricht des Partners abgelehnt (${de})${oft}`,
      })
    }
  }
}
