/** What a duty means for the reader: what happens by itself, what a person has to do, and what nobody here can know. */
import type { Text } from '../core/types.js'
import { nowWords, quoted, text } from '../policy/words.js'
import { type Duty, type DutyAccount, signsAsWeDo } from './duties.js'

export function dutyNote(duty: Duty, account: DutyAccount): Text {
  if (account.state === 'waived')
    return text('The provider has waived it.', 'Der Anbieter hat darauf verzichtet.')
  const note = duty.agreement.role === 'consumer' ? ourNote(duty, account) : theirNote(duty, account)
  const said = lastWord(account)
  return said === undefined ? note : text(`${said.en} ${note.en}`, `${said.de} ${note.de}`)
}

/** What the partner said last, if nothing was said to it since. */
function lastWord({ latest }: DutyAccount): Text | undefined {
  const last = latest.at(-1)
  if (last?.direction !== 'in') return undefined
  const words = quoted(String(last.content.text ?? ''))
  const when = nowWords(last.at)
  if (last.kind === 'reminder') {
    return text(`Reminder of ${when.en}: ${words.en}.`, `Erinnerung vom ${when.de}: ${words.de}.`)
  }
  return last.kind === 'incident'
    ? text(
        `The partner reported on ${when.en}: ${words.en}.`,
        `Meldung des Partners vom ${when.de}: ${words.de}.`,
      )
    : undefined
}

function ourNote({ agreement, demand }: Duty, { outstanding }: DutyAccount): Text {
  const told = signsAsWeDo(agreement)
    ? text(
        "The partner's connector is told with a signed receipt.",
        'Der Connector des Partners erfährt es mit einer signierten Quittung.',
      )
    : text(
        "The partner's connector takes no receipts: send the partner a confirmation by letter or mail if it wants one.",
        'Der Connector des Partners nimmt keine Quittungen an: Bestätigen Sie es dem Partner schriftlich, wenn er es verlangt.',
      )
  const also = (first: Text): Text => text(`${first.en} ${told.en}`, `${first.de} ${told.de}`)
  switch (demand.kind) {
    case 'delete': {
      const elsewhere = outstanding.some(({ own }) => !own)
      if (elsewhere) {
        return also(
          text(
            'Some of the data was handed on to a place that this connector does not own, or its file was taken away: delete it there, then confirm it in words. What lies in its own folder for received data, the connector deletes by itself.',
            'Ein Teil der Daten liegt an einem Ort, der nicht diesem Connector gehört, oder die Datei wurde weggenommen: Löschen Sie ihn dort und bestätigen Sie es in Worten. Was in seinem Ordner für empfangene Daten liegt, löscht der Connector selbst.',
          ),
        )
      }
      return also(
        text(
          'The connector deletes by itself what lies in its folder for received data. Copies and backups are yours to delete.',
          'Der Connector löscht selbst, was in seinem Ordner für empfangene Daten liegt. Kopien und Sicherungen löschen Sie selbst.',
        ),
      )
    }
    case 'log':
      return also(
        text(
          'The connector keeps a log of what it receives. What is done with the data behind it, log yourself.',
          'Der Connector protokolliert, was er empfängt. Was danach mit den Daten geschieht, protokollieren Sie selbst.',
        ),
      )
    case 'inform':
      return also(text('When it happens, report it in words.', 'Wenn es eintritt, melden Sie es in Worten.'))
    case 'other':
      return also(
        text(
          'Only people can do this. Confirm it in words when it is done.',
          'Das können nur Menschen tun. Bestätigen Sie es in Worten, wenn es getan ist.',
        ),
      )
  }
}

function theirNote({ agreement, demand }: Duty, { state, dueAt }: DutyAccount): Text {
  if (signsAsWeDo(agreement)) {
    if (state === 'overdue') {
      return text(
        'No signed receipt has come in time. Remind the partner.',
        'Die signierte Quittung ist nicht rechtzeitig gekommen. Erinnern Sie den Partner.',
      )
    }
    return demand.kind === 'other'
      ? text(
          'The partner can confirm it with a signed receipt; nothing enforces it technically.',
          'Der Partner kann es mit einer signierten Quittung bestätigen; technisch erzwingt es nichts.',
        )
      : text(
          "The partner's connector sees to it and tells with signed receipts.",
          'Der Connector des Partners kümmert sich darum und meldet es mit signierten Quittungen.',
        )
  }
  const deadline =
    dueAt === undefined
      ? text('', '')
      : text(` Deadline: ${nowWords(dueAt).en}.`, ` Frist: ${nowWords(dueAt).de}.`)
  return text(
    `Agreed by contract only: the partner's connector does not tell us.${deadline.en} Ask for a signed confirmation, and write it down here when it comes.`,
    `Nur vertraglich vereinbart: Der Connector des Partners meldet uns nichts.${deadline.de} Verlangen Sie eine unterschriebene Bestätigung und halten Sie sie hier fest, wenn sie kommt.`,
  )
}
