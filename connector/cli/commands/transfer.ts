/** `transfer ...`: the processes under which data flows. */
import { reasonIn } from '../../core/operator-reasons.js'
import type { Text } from '../../core/types.js'
import { type Command, complain, EXIT, say, sayJson, usageError } from '../command.js'
import { renderPairs, renderTable } from '../table.js'
import { answer, connected, fail, type Here, inLang, next, nextText, path, quoted } from './connected.js'
import { type FollowDeps, untilInterrupted } from './deps.js'
import { followProcess, stateLines, stillOpen, WAIT_OPTION, waitOf } from './follow-process.js'
import { gaveUp } from './give-up.js'
import { findOne, idOf, shortId } from './ids.js'
import { REASON, withReason } from './on-negotiation.js'
import { entriesOf, type View, viewOf } from './view.js'
import { waitingWords } from './waiting-words.js'
import { whenWords } from './when.js'
import { endWords, owedWords, roleWords, sideWords, timelineWords } from './words.js'

const WAIT = 60_000

const STATES: Readonly<Record<string, Text>> = {
  REQUESTED: { en: 'the data is asked for', de: 'die Daten sind angefragt' },
  STARTED: { en: 'data can flow', de: 'Daten können fließen' },
  SUSPENDED: { en: 'paused', de: 'angehalten' },
  COMPLETED: { en: 'complete', de: 'abgeschlossen' },
  TERMINATED: { en: 'ended', de: 'beendet' },
}

const isOver = (transfer: View): boolean => ['COMPLETED', 'TERMINATED'].includes(transfer.text('state'))

const isPush = (transfer: View): boolean => transfer.text('format') === 'HttpData-PUSH'

const start = (deps: FollowDeps): Command => ({
  name: 'transfer start',
  summary: {
    en: 'ask for the data of a contract and watch until it can flow',
    de: 'die Daten zu einem Vertrag anfragen und zusehen, bis sie fließen können',
  },
  usage: 'CONTRACT [options]',
  operands: [1, 1],
  options: {
    format: {
      type: 'string',
      value: 'FORMAT',
      about: {
        en: 'transfer format (default HttpData-PULL)',
        de: 'Format der Übertragung (sonst HttpData-PULL)',
      },
    },
    wait: WAIT_OPTION,
  },
  json: true,
  run: async (call) => {
    const waitMs = waitOf(call.value('wait'), WAIT)
    if (typeof waitMs !== 'number') return usageError(call, waitMs, 'transfer start')
    const format = call.value('format')
    return connected(call, (here) =>
      beginTransfer(here, deps, format === undefined ? {} : { format }, waitMs),
    )
  },
})

/** Asks for a transfer and watches until data can flow. `wish` is what the API is told beside the contract. */
export async function beginTransfer(
  here: Here,
  deps: FollowDeps,
  wish: { readonly [name: string]: unknown },
  waitMs: number,
): Promise<number> {
  const found = await findOne(here, ['contract'], here.operands[0] ?? '')
  if (!found.ok) return fail(here, found.error, 'contract list')
  const begun = await here.client.post('/api/v1/transfers', { contract: found.value.id, ...wish })
  if (!begun.ok) return fail(here, begun.error, `contract show ${quoted(shortId(found.value.id))}`)
  const transfer = viewOf(begun.value)
  const pid = transfer.text('pid')
  if (!here.json) say(here, inLang(here, `Transfer ${pid}`, `Übertragung ${pid}`))
  const followed = await untilInterrupted(deps, (signal) =>
    followProcess(here, {
      path: path`/transfers/${pid}`,
      begun: transfer,
      isThere: (process) => process.text('state') === 'STARTED' || isOver(process),
      onLook: stateLines(here, STATES),
      waitMs,
      clock: deps.clock,
      signal,
    }),
  )
  if (followed.is === 'failed') return fail(here, followed.error, `transfer show ${shortId(pid)}`)
  const { process } = followed
  // A short push may be over before anybody looked.
  const isStarted = ['STARTED', 'COMPLETED'].includes(process.text('state'))
  if (here.json) {
    sayJson(here, process.json)
    return isStarted ? EXIT.ok : EXIT.failed
  }
  if (isStarted && isPush(process)) {
    const shown = await here.client.get(path`/transfers/${pid}`)
    const to = shown.ok ? viewOf(shown.value).view('push').text('to') : ''
    say(here, inLang(here, `The data is delivered to ${to}`, `Die Daten werden zugestellt nach ${to}`))
    next(here, `transfer show ${shortId(pid)}`, `transfer suspend ${shortId(pid)}`)
    return EXIT.ok
  }
  if (isStarted) {
    next(here, `pull ${shortId(pid)} --out data.ndjson`, `stream ${shortId(pid)}`)
    return EXIT.ok
  }
  if (isOver(process)) {
    return fail(
      here,
      inLang(
        here,
        `No data: the transfer ended${endWords(process, 'en')}`,
        `Keine Daten: Die Übertragung endete${endWords(process, 'de')}`,
      ),
      `contract show ${quoted(shortId(found.value.id))}`,
    )
  }
  const owed = process.views('owed')
  complain(here, stillOpen(here, followed.is))
  if (owed.length > 0) complain(here, owedWords(owed, here.lang))
  complain(here, nextText(here, `transfer show ${shortId(pid)}`, ...(owed.length > 0 ? ['doctor'] : [])))
  return EXIT.failed
}

const list: Command = {
  name: 'transfer list',
  summary: { en: 'list transfers', de: 'Übertragungen auflisten' },
  usage: '[options]',
  options: {},
  json: true,
  run: (call) =>
    connected(call, async (here) =>
      answer(here, await here.client.get('/api/v1/transfers'), (value) => {
        const transfers = entriesOf(value, 'transfers')
        if (transfers.length === 0) {
          say(here, inLang(here, 'There is no transfer.', 'Es gibt keine Übertragung.'))
          return next(here, 'contract list', 'transfer start CONTRACT')
        }
        const ids = transfers.map((transfer) => idOf(transfer, 'transfer'))
        say(
          here,
          renderTable(
            here.lang === 'de'
              ? ['ID', 'Zustand', 'Rolle', 'Partner', 'Datensatz', 'Vertrag', 'Zuletzt']
              : ['ID', 'State', 'Role', 'Partner', 'Dataset', 'Contract', 'Last change'],
            transfers.map((transfer) => [
              shortId(idOf(transfer, 'transfer'), ids),
              listedState(here, transfer),
              roleWords(transfer.text('role'), here.lang),
              transfer.text('partner'),
              transfer.text('dataset'),
              shortId(transfer.text('contract')),
              whenWords(transfer.text('updatedAt'), here.lang),
            ]),
          ),
        )
      }),
    ),
}

/** A push that runs and brings nothing must not look like one that does. */
function listedState(here: Here, transfer: View): string {
  const isFailing = transfer.view('failing').maybe('since') !== undefined
  const mark = isFailing ? inLang(here, ', deliveries fail', ', Zustellungen schlagen fehl') : ''
  return `${transfer.text('state')}${mark}`
}

function stateLine(here: Here, transfer: View): string {
  const side =
    transfer.text('state') === 'SUSPENDED' ? transfer.maybe('suspendedBy') : transfer.maybe('endedBy')
  const reason = transfer.maybe('reason')
  const by = side === undefined ? '' : ` ${sideWords(side, here.lang)}`
  return `${transfer.text('state')}${by}${reason === undefined ? '' : `: ${reasonIn(reason, here.lang)}`}`
}

/** How far the delivery of a push has come; nothing for a transfer that is fetched. */
function pushPairs(here: Here, transfer: View): readonly (readonly [string, string])[] {
  const push = transfer.view('push')
  const to = push.maybe('to')
  if (to === undefined) return []
  const number = (key: string): string => new Intl.NumberFormat(here.lang).format(push.number(key) ?? 0)
  const lastAt = push.maybe('lastAt')
  return [
    [inLang(here, 'Delivered to', 'Zugestellt nach'), to],
    [
      inLang(here, 'Delivered', 'Zugestellt'),
      inLang(
        here,
        `${number('records')} records, ${number('bytes')} bytes in ${number('batches')} deliveries`,
        `${number('records')} Einträge, ${number('bytes')} Byte in ${number('batches')} Zustellungen`,
      ),
    ],
    [
      inLang(here, 'Last delivery', 'Letzte Zustellung'),
      lastAt === undefined ? '' : whenWords(lastAt, here.lang),
    ],
    [inLang(here, 'Last failure', 'Letzter Fehler'), push.maybe('lastError') ?? ''],
    [
      inLang(here, 'Failing since', 'Fehlschläge seit'),
      whenWords(transfer.view('failing').text('since'), here.lang),
    ],
  ]
}

function showTransfer(here: Here, transfer: View): void {
  const { lang } = here
  const pairs: readonly (readonly [string, string])[] = [
    ['ID', transfer.text('pid')],
    [inLang(here, 'State', 'Zustand'), stateLine(here, transfer)],
    [inLang(here, 'Waits for', 'Wartet auf'), waitingWords(transfer, lang)],
    [inLang(here, 'Role', 'Rolle'), roleWords(transfer.text('role'), lang)],
    ['Partner', transfer.text('partner')],
    [inLang(here, 'Contract', 'Vertrag'), transfer.text('contract')],
    [inLang(here, 'Dataset', 'Datensatz'), transfer.text('dataset')],
    ['Format', transfer.text('format')],
    [inLang(here, 'Begun', 'Begonnen'), whenWords(transfer.text('createdAt'), lang)],
    [inLang(here, 'Last change', 'Zuletzt'), whenWords(transfer.text('updatedAt'), lang)],
  ]
  say(here, renderPairs([...pairs, ...pushPairs(here, transfer)].filter(([, value]) => value !== '')))
  const timeline = transfer.views('timeline')
  if (timeline.length > 0)
    say(here, `\n${inLang(here, 'What happened', 'Verlauf')}:\n${timelineWords(timeline, lang)}`)
  const owed = transfer.views('owed')
  if (owed.length > 0) say(here, `\n${owedWords(owed, lang)}`)
}

function onTransfer(
  name: string,
  summary: Text,
  work: (here: Here, pid: string) => Promise<number>,
  options: Command['options'] = {},
): Command {
  return {
    name: `transfer ${name}`,
    summary,
    usage: 'ID [options]',
    operands: [1, 1],
    options,
    json: true,
    run: (call) =>
      connected(call, async (here) => {
        const found = await findOne(here, ['transfer'], call.operands[0] ?? '')
        return found.ok ? work(here, found.value.id) : fail(here, found.error, 'transfer list')
      }),
  }
}

const show = onTransfer(
  'show',
  {
    en: 'show a transfer: what happened and what is owed',
    de: 'eine Übertragung zeigen: Verlauf und Ausstehendes',
  },
  async (here, pid) =>
    answer(here, await here.client.get(path`/transfers/${pid}`), (value) => {
      const transfer = viewOf(value)
      showTransfer(here, transfer)
      const id = shortId(pid)
      if (transfer.views('owed').length > 0) {
        next(here, `transfer retry ${id}`, `transfer give-up ${id} --reason "..."`, 'doctor')
      } else if (
        transfer.text('state') === 'STARTED' &&
        transfer.text('role') === 'consumer' &&
        !isPush(transfer)
      ) {
        next(here, `pull ${id} --out data.ndjson`, `stream ${id}`)
      } else if (transfer.text('state') === 'SUSPENDED' && transfer.text('suspendedBy') === 'us') {
        next(here, `transfer resume ${id}`)
      }
    }),
)

type Change = { readonly name: string; readonly summary: Text; readonly done: Text; readonly reason: boolean }

const CHANGES: readonly Change[] = [
  {
    name: 'suspend',
    summary: { en: 'pause a transfer', de: 'eine Übertragung anhalten' },
    done: {
      en: 'The transfer is being paused; the partner is told.',
      de: 'Die Übertragung wird angehalten; der Partner erfährt es.',
    },
    reason: true,
  },
  {
    name: 'resume',
    summary: { en: 'let a paused transfer go on', de: 'eine angehaltene Übertragung fortsetzen' },
    done: { en: 'The transfer is being resumed.', de: 'Die Übertragung wird fortgesetzt.' },
    reason: false,
  },
  {
    name: 'complete',
    summary: {
      en: 'end a transfer that has served its purpose',
      de: 'eine Übertragung abschließen, die ihren Zweck erfüllt hat',
    },
    done: { en: 'The transfer is being completed.', de: 'Die Übertragung wird abgeschlossen.' },
    reason: false,
  },
  {
    name: 'terminate',
    summary: { en: 'end a transfer before its time', de: 'eine Übertragung vorzeitig beenden' },
    done: {
      en: 'The transfer is being ended; the partner is told why.',
      de: 'Die Übertragung wird beendet; der Partner erfährt den Grund.',
    },
    reason: true,
  },
  {
    name: 'retry',
    summary: {
      en: 'deliver what is owed now, without waiting',
      de: 'Ausstehendes jetzt zustellen, ohne zu warten',
    },
    done: { en: 'The connector is trying again now.', de: 'Der Connector versucht es jetzt noch einmal.' },
    reason: false,
  },
]

const change = ({ name, summary, done, reason }: Change): Command =>
  onTransfer(
    name,
    summary,
    async (here, pid) => {
      const why = here.value('reason')
      const body = why === undefined ? {} : { reason: why }
      const changed = await here.client.post(`${path`/transfers/${pid}`}/${name}`, body)
      if (!changed.ok) return fail(here, changed.error, `transfer show ${shortId(pid)}`)
      return answer(here, changed, () => {
        say(here, done[here.lang])
        next(here, `transfer show ${shortId(pid)}`)
      })
    },
    reason ? REASON : {},
  )

const giveUp = withReason(
  onTransfer(
    'give-up',
    {
      en: 'deliver what is owed no longer; ends the transfer with a reason',
      de: 'Ausstehendes nicht mehr zustellen; beendet die Übertragung mit Begründung',
    },
    async (here, pid) => {
      const reason = here.value('reason')
      return gaveUp(here, await here.client.post(path`/transfers/${pid}/give-up`, { reason }))
    },
    REASON,
  ),
)

export const transferCommands = (deps: FollowDeps): readonly Command[] => [
  start(deps),
  list,
  show,
  ...CHANGES.map(change),
  giveUp,
]
