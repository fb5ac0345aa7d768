/** `negotiation ...`: what is being negotiated, and the decisions a person takes in it. */
import { type Command, EXIT, say, sayJson, usageError } from '../command.js'
import { renderPairs, renderTable } from '../table.js'
import { answer, connected, fail, type Here, inLang, next, path, quoted } from './connected.js'
import type { FollowDeps } from './deps.js'
import { WAIT_OPTION, waitOf } from './follow-process.js'
import { findOne, idOf, shortId } from './ids.js'
import { watchNegotiation } from './negotiate.js'
import { entriesOf, type View, viewOf } from './view.js'
import { whenWords } from './when.js'
import { clauseWords, endWords, owedWords, roleWords, timelineWords } from './words.js'

const WAIT = 60_000

const list: Command = {
  name: 'negotiation list',
  summary: { en: 'list negotiations', de: 'Verhandlungen auflisten' },
  usage: '[options]',
  options: {
    state: {
      type: 'string',
      value: 'STATE',
      about: {
        en: 'only those in this state, such as REQUESTED',
        de: 'nur die in diesem Zustand, etwa REQUESTED',
      },
    },
  },
  json: true,
  run: (call) =>
    connected(call, async (here) => {
      const state = here.value('state')
      const query = state === undefined ? '' : `?state=${encodeURIComponent(state.toUpperCase())}`
      return answer(here, await here.client.get(`/api/v1/negotiations${query}`), (value) => {
        const negotiations = entriesOf(value, 'negotiations')
        if (negotiations.length === 0) {
          say(here, inLang(here, 'There is no negotiation.', 'Es gibt keine Verhandlung.'))
          return next(here, 'negotiate PARTNER DATASET')
        }
        const ids = negotiations.map((negotiation) => idOf(negotiation, 'negotiation'))
        say(
          here,
          renderTable(
            here.lang === 'de'
              ? ['ID', 'Zustand', 'Rolle', 'Partner', 'Datensatz', 'Zuletzt']
              : ['ID', 'State', 'Role', 'Partner', 'Dataset', 'Last change'],
            negotiations.map((negotiation) => [
              shortId(idOf(negotiation, 'negotiation'), ids),
              negotiation.text('state'),
              roleWords(negotiation.text('role'), here.lang),
              negotiation.text('partner'),
              negotiation.text('dataset'),
              whenWords(negotiation.text('updatedAt'), here.lang),
            ]),
          ),
        )
      })
    }),
}

function showNegotiation(here: Here, negotiation: View): void {
  const { lang } = here
  const pairs: readonly (readonly [string, string])[] = [
    ['ID', negotiation.text('pid')],
    [
      inLang(here, 'State', 'Zustand'),
      negotiation.text('state') + (negotiation.has('reason') ? endWords(negotiation, lang) : ''),
    ],
    [inLang(here, 'Role', 'Rolle'), roleWords(negotiation.text('role'), lang)],
    ['Partner', negotiation.text('partner')],
    [inLang(here, 'Dataset', 'Datensatz'), negotiation.text('dataset')],
    [inLang(here, 'Offer', 'Angebot'), negotiation.text('offer')],
    [inLang(here, 'Contract', 'Vertrag'), negotiation.text('contract')],
    [inLang(here, 'Begun', 'Begonnen'), whenWords(negotiation.text('createdAt'), lang)],
    [inLang(here, 'Last change', 'Zuletzt'), whenWords(negotiation.text('updatedAt'), lang)],
  ]
  say(here, renderPairs(pairs.filter(([, value]) => value !== '')))
  const clauses = negotiation.views('clauses')
  if (clauses.length > 0) say(here, `\n${clauseWords(clauses, lang)}`)
  const timeline = negotiation.views('timeline')
  if (timeline.length > 0)
    say(here, `\n${inLang(here, 'What happened', 'Verlauf')}:\n${timelineWords(timeline, lang)}`)
  const owed = negotiation.views('owed')
  if (owed.length > 0) say(here, `\n${owedWords(owed, lang)}`)
}

const isOpen = (negotiation: View): boolean =>
  !['FINALIZED', 'TERMINATED'].includes(negotiation.text('state'))

function hintAfter(here: Here, negotiation: View): void {
  const id = shortId(negotiation.text('pid'))
  const isOurTurn = negotiation.text('state') === 'OFFERED' && negotiation.text('role') === 'consumer'
  if (negotiation.text('state') === 'FINALIZED') {
    next(here, `contract show ${quoted(shortId(negotiation.text('contract')))}`)
  } else if (isOpen(negotiation) && negotiation.views('owed').length > 0) {
    next(here, `negotiation retry ${id}`, 'doctor')
  } else if (isOurTurn) {
    next(here, `negotiation accept ${id}`, `negotiation terminate ${id} --reason "..."`)
  }
}

function onNegotiation(
  name: string,
  summary: Command['summary'],
  work: (here: Here, pid: string) => Promise<number>,
  options: Command['options'] = {},
): Command {
  return {
    name: `negotiation ${name}`,
    summary,
    usage: 'ID [options]',
    operands: [1, 1],
    options,
    json: true,
    run: (call) =>
      connected(call, async (here) => {
        const found = await findOne(here, ['negotiation'], call.operands[0] ?? '')
        return found.ok ? work(here, found.value.id) : fail(here, found.error, 'negotiation list')
      }),
  }
}

const show = onNegotiation(
  'show',
  {
    en: 'show a negotiation: what happened and what is owed',
    de: 'eine Verhandlung zeigen: Verlauf und Ausstehendes',
  },
  async (here, pid) =>
    answer(here, await here.client.get(path`/negotiations/${pid}`), (value) => {
      showNegotiation(here, viewOf(value))
      hintAfter(here, viewOf(value))
    }),
)

const accept = (deps: FollowDeps): Command => {
  const command = onNegotiation(
    'accept',
    {
      en: "accept the partner's offer and watch until the contract is made",
      de: 'das Angebot des Partners annehmen und zusehen, bis der Vertrag geschlossen ist',
    },
    async (here, pid) => {
      const waitMs = waitOf(here.value('wait'), WAIT)
      if (typeof waitMs !== 'number') return usageError(here, waitMs, 'negotiation accept')
      const accepted = await here.client.post(path`/negotiations/${pid}/accept`)
      if (!accepted.ok) return fail(here, accepted.error, `negotiation show ${shortId(pid)}`)
      return watchNegotiation(here, deps, viewOf(accepted.value), waitMs)
    },
    { wait: WAIT_OPTION },
  )
  return command
}

const REASON = {
  reason: {
    type: 'string',
    value: 'TEXT',
    about: { en: 'why; the partner is told', de: 'warum; der Partner erfährt es' },
  },
} as const

const terminateNow = onNegotiation(
  'terminate',
  { en: 'end a negotiation with a reason', de: 'eine Verhandlung mit Begründung beenden' },
  async (here, pid) => {
    const ended = await here.client.post(path`/negotiations/${pid}/terminate`, {
      reason: here.value('reason'),
    })
    if (!ended.ok) return fail(here, ended.error, `negotiation show ${shortId(pid)}`)
    return answer(here, ended, () =>
      say(
        here,
        inLang(
          here,
          'The negotiation is ended; the partner is told why.',
          'Die Verhandlung ist beendet; der Partner erfährt den Grund.',
        ),
      ),
    )
  },
  REASON,
)

const terminate: Command = {
  ...terminateNow,
  usage: 'ID --reason TEXT',
  run: async (call) =>
    (call.value('reason') ?? '').trim() === ''
      ? usageError(
          call,
          {
            en: '--reason is missing: the partner is told why.',
            de: '--reason fehlt: Der Partner erfährt den Grund.',
          },
          'negotiation terminate',
        )
      : terminateNow.run(call),
}

const retry = onNegotiation(
  'retry',
  { en: 'deliver what is owed now, without waiting', de: 'Ausstehendes jetzt zustellen, ohne zu warten' },
  async (here, pid) => {
    const tried = await here.client.post(path`/negotiations/${pid}/retry`)
    if (!tried.ok) return fail(here, tried.error, `negotiation show ${shortId(pid)}`)
    if (here.json) {
      sayJson(here, tried.value)
      return EXIT.ok
    }
    say(
      here,
      inLang(here, 'The connector is trying again now.', 'Der Connector versucht es jetzt noch einmal.'),
    )
    next(here, `negotiation show ${shortId(pid)}`)
    return EXIT.ok
  },
)

export const negotiationCommands = (deps: FollowDeps): readonly Command[] => [
  list,
  show,
  accept(deps),
  terminate,
  retry,
]
