/** `negotiation ...`: what is being negotiated, and the decisions a person takes in it. */
import { type Command, EXIT, say, sayJson } from '../command.js'
import { renderTable } from '../table.js'
import { answer, connected, fail, inLang, next, path } from './connected.js'
import type { FollowDeps } from './deps.js'
import { gaveUp } from './give-up.js'
import { idOf, shortId } from './ids.js'
import { decisionCommands } from './negotiation-decide.js'
import { hintAfter, showNegotiation } from './negotiation-words.js'
import { onNegotiation, REASON, withReason } from './on-negotiation.js'
import { entriesOf, viewOf } from './view.js'
import { waitingShort } from './waiting-words.js'
import { whenWords } from './when.js'
import { roleWords } from './words.js'

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
    waiting: {
      type: 'boolean',
      about: { en: 'only those that wait for you', de: 'nur die, die auf Sie warten' },
    },
  },
  json: true,
  run: (call) =>
    connected(call, async (here) => {
      const state = here.value('state')
      const query = state === undefined ? '' : `?state=${encodeURIComponent(state.toUpperCase())}`
      return answer(here, await here.client.get(`/api/v1/negotiations${query}`), (value) => {
        const all = entriesOf(value, 'negotiations')
        const waiting = here.flag('waiting')
        const negotiations = waiting ? all.filter((one) => one.text('waitingFor') === 'person') : all
        if (negotiations.length === 0 && waiting) {
          return say(here, inLang(here, 'No negotiation waits for you.', 'Keine Verhandlung wartet auf Sie.'))
        }
        if (negotiations.length === 0) {
          say(here, inLang(here, 'There is no negotiation.', 'Es gibt keine Verhandlung.'))
          return next(here, 'negotiate PARTNER DATASET')
        }
        const ids = negotiations.map((negotiation) => idOf(negotiation, 'negotiation'))
        say(
          here,
          renderTable(
            here.lang === 'de'
              ? ['ID', 'Zustand', 'Wartet auf', 'Rolle', 'Partner', 'Datensatz', 'Zuletzt']
              : ['ID', 'State', 'Waits for', 'Role', 'Partner', 'Dataset', 'Last change'],
            negotiations.map((negotiation) => [
              shortId(idOf(negotiation, 'negotiation'), ids),
              negotiation.text('state'),
              waitingShort(negotiation, here.lang),
              roleWords(negotiation.text('role'), here.lang),
              negotiation.text('partner'),
              negotiation.text('dataset'),
              whenWords(negotiation.text('updatedAt'), here.lang),
            ]),
          ),
        )
        const first = negotiations.find((one) => one.text('waitingFor') === 'person')
        if (first !== undefined) next(here, `negotiation show ${shortId(idOf(first, 'negotiation'), ids)}`)
      })
    }),
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

const terminate = withReason(
  onNegotiation(
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
  ),
)

const giveUp = withReason(
  onNegotiation(
    'give-up',
    {
      en: 'deliver what is owed no longer; ends the negotiation with a reason',
      de: 'Ausstehendes nicht mehr zustellen; beendet die Verhandlung mit Begründung',
    },
    async (here, pid) =>
      gaveUp(
        here,
        await here.client.post(path`/negotiations/${pid}/give-up`, { reason: here.value('reason') }),
      ),
    REASON,
  ),
)

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
  ...decisionCommands(deps),
  terminate,
  retry,
  giveUp,
]
