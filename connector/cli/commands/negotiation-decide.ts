/** What a person decides in negotiations: offer, counter, accept, approve, refuse. */
import { ok, problem, type Result } from '../../core/result.js'
import type { Text } from '../../core/types.js'
import { type Call, type Command, complain, EXIT, say, usageError } from '../command.js'
import { ACCEPT_NOT_UNDERSTOOD, acceptNotUnderstoodOf } from './accept-not-understood.js'
import { answer, connected, fail, type Here, inLang, next, path, quoted } from './connected.js'
import { CONTRACT_ONLY, contractOnlyOf } from './contract-only.js'
import type { FollowDeps } from './deps.js'
import { WAIT_OPTION, waitOf } from './follow-process.js'
import { failPartner, findPartner, shortId } from './ids.js'
import { watchNegotiation } from './negotiate.js'
import { decisionsOn, showTerms, termsId } from './negotiation-words.js'
import { onNegotiation, REASON, withReason } from './on-negotiation.js'
import { namesTerms, TERMS_FLAGS, termsMistake, termsOf } from './terms-flags.js'
import { type View, viewOf } from './view.js'

const WAIT = 60_000

const OFFER_FLAG = {
  offer: {
    type: 'string',
    value: 'ID',
    about: {
      en: 'a published offer as it is, instead of terms',
      de: 'ein veröffentlichtes Angebot, statt der Bedingungen',
    },
  },
} as const

/** What is wrong with the flags of a proposal. */
const proposalMistake = (call: Call): Command['summary'] | undefined => {
  const offer = call.value('offer') !== undefined
  return offer !== namesTerms(call)
    ? termsMistake(call)
    : {
        en: 'Name the terms: --offer with the id of a published offer, --policy, or flags such as --for-days.',
        de: 'Nennen Sie die Bedingungen: --offer mit der Kennung eines veröffentlichten Angebots, --policy oder Angaben wie --for-days.',
      }
}

async function proposalOf(here: Here): Promise<Result<Record<string, unknown>>> {
  const offer = here.value('offer')
  const written = offer === undefined ? await termsOf(here) : ok({ offer })
  return written.ok ? ok({ ...written.value, ...contractOnlyOf(here) }) : written
}

const offer: Command = {
  name: 'negotiation offer',
  summary: {
    en: 'as provider: offer a contract to a partner that has not asked for one',
    de: 'als Anbieter: einem Partner einen Vertrag anbieten, um den er nicht gebeten hat',
  },
  usage: 'PARTNER DATASET [options]',
  operands: [2, 2],
  options: { ...OFFER_FLAG, ...TERMS_FLAGS, 'contract-only': CONTRACT_ONLY },
  json: true,
  examples: ['handschlag negotiation offer Example pump-7 --for-days 30 --every 10s'],
  run: async (call) => {
    const wrong = proposalMistake(call)
    if (wrong !== undefined) return usageError(call, wrong, 'negotiation offer')
    return connected(call, async (here) => {
      const [given = '', dataset = ''] = here.operands
      const partner = await findPartner(here, given)
      if (!partner.ok) return failPartner(here, partner.error)
      const proposal = await proposalOf(here)
      if (!proposal.ok) return fail(here, proposal.error, 'help negotiation offer')
      const body = { partner: partner.value.text('did'), dataset, ...proposal.value }
      const offered = await here.client.post('/api/v1/negotiations/offers', body)
      if (!offered.ok) return fail(here, offered.error, `offer list ${quoted(dataset)}`)
      return answer(here, offered, (value) => {
        const pid = viewOf(value).text('pid')
        say(
          here,
          inLang(
            here,
            `Negotiation ${pid}: the offer is on its way; the partner decides about it.`,
            `Verhandlung ${pid}: Das Angebot ist unterwegs; der Partner entscheidet darüber.`,
          ),
        )
        next(here, `negotiation show ${shortId(pid)}`)
      })
    })
  },
}

const counterNow = onNegotiation(
  'counter',
  { en: 'propose other terms than the partner', de: 'andere Bedingungen vorschlagen als der Partner' },
  async (here, pid) => {
    const proposal = await proposalOf(here)
    if (!proposal.ok) return fail(here, proposal.error, 'help negotiation counter')
    const countered = await here.client.post(path`/negotiations/${pid}/counter`, proposal.value)
    if (!countered.ok) return fail(here, countered.error, `negotiation show ${shortId(pid)}`)
    return answer(here, countered, () => {
      say(
        here,
        inLang(
          here,
          'Your terms are on their way; the partner decides about them.',
          'Ihre Bedingungen sind unterwegs; der Partner entscheidet darüber.',
        ),
      )
      next(here, `negotiation show ${shortId(pid)}`)
    })
  },
  { ...OFFER_FLAG, ...TERMS_FLAGS, 'contract-only': CONTRACT_ONLY },
)

const counter: Command = {
  ...counterNow,
  examples: ['handschlag negotiation counter 3f2a91c4 --for-days 14'],
  run: async (call) => {
    const wrong = proposalMistake(call)
    return wrong === undefined ? counterNow.run(call) : usageError(call, wrong, 'negotiation counter')
  },
}

const TERMS_OPERAND = { usage: 'ID [TERMS] [options]', operands: [1, 2] } as const

/** The negotiation as it is now, when its terms are the ones that were named; otherwise why not. */
async function readTerms(here: Here, pid: string, given: string | undefined): Promise<Result<View>> {
  const found = await here.client.get(path`/negotiations/${pid}`)
  if (!found.ok) return found
  const negotiation = viewOf(found.value)
  if (given === undefined || (given.length >= 6 && negotiation.text('offerHash').startsWith(given))) {
    return ok(negotiation)
  }
  return problem(
    'Conflict',
    inLang(
      here,
      `The terms on the table are ${termsId(negotiation)}, not ${given}. Read them again before you decide.`,
      `Auf dem Tisch liegen die Bedingungen ${termsId(negotiation)}, nicht ${given}. Lesen Sie sie noch einmal, bevor Sie entscheiden.`,
    ),
  )
}

/** The two ways to agree to terms that a person has read. */
const AGREEING = {
  accept: {
    about: {
      en: "as consumer: accept the partner's terms that you have read, and watch until the contract is made",
      de: 'als Empfänger: die gelesenen Bedingungen des Partners annehmen und zusehen, bis der Vertrag geschlossen ist',
    },
    unread: {
      en: 'Nothing is accepted yet. Read the terms, then name them, so that nothing else is accepted.',
      de: 'Noch ist nichts angenommen. Lesen Sie die Bedingungen und nennen Sie sie dann, damit nichts anderes angenommen wird.',
    },
    nothing: { en: 'nothing to accept', de: 'nichts anzunehmen' },
  },
  approve: {
    about: {
      en: 'as provider: agree to the terms that you have read, and watch until the contract is made',
      de: 'als Anbieter: den gelesenen Bedingungen zustimmen und zusehen, bis der Vertrag geschlossen ist',
    },
    unread: {
      en: 'Nothing is approved yet. Read the terms, then name them, so that nothing else is approved.',
      de: 'Noch ist nichts freigegeben. Lesen Sie die Bedingungen und nennen Sie sie dann, damit nichts anderes freigegeben wird.',
    },
    nothing: { en: 'nothing to approve', de: 'nichts freizugeben' },
  },
} as const satisfies Record<string, { readonly about: Text; readonly unread: Text; readonly nothing: Text }>

type Agreeing = keyof typeof AGREEING

/** Why nothing was agreed to when no terms were named. */
function unread(here: Here, decision: Agreeing, negotiation: View): string {
  const { unread: words, nothing } = AGREEING[decision]
  const isForUs = decisionsOn(negotiation).some((one) => one.startsWith(`negotiation ${decision} `))
  if (isForUs) return words[here.lang]
  const state = negotiation.text('state')
  return inLang(
    here,
    `There is ${nothing.en} in the state ${state}.`,
    `Im Zustand ${state} gibt es ${nothing.de}.`,
  )
}

/** Without the name of the terms it shows them and decides nothing: nobody agrees to what was not read. */
const agreeing = (
  decision: Agreeing,
  deps: FollowDeps,
  flags: Command['options'] = {},
  more: (here: Here) => object = () => ({}),
): Command =>
  onNegotiation(
    decision,
    AGREEING[decision].about,
    async (here, pid) => {
      const waitMs = waitOf(here.value('wait'), WAIT)
      if (typeof waitMs !== 'number') return usageError(here, waitMs, `negotiation ${decision}`)
      const given = here.operands[1]
      const read = await readTerms(here, pid, given)
      if (!read.ok) return fail(here, read.error, `negotiation show ${shortId(pid)}`)
      if (given === undefined) {
        showTerms(here, read.value)
        complain(here, `\n${unread(here, decision, read.value)}`)
        next(here, ...decisionsOn(read.value))
        return EXIT.failed
      }
      const body = { offerHash: read.value.text('offerHash'), ...more(here) }
      const agreed = await here.client.post(`${path`/negotiations/${pid}`}/${decision}`, body)
      if (!agreed.ok) return fail(here, agreed.error, `negotiation show ${shortId(pid)}`)
      return watchNegotiation(here, deps, viewOf(agreed.value), waitMs)
    },
    { ...flags, wait: WAIT_OPTION },
    TERMS_OPERAND,
  )

const refuse = withReason(
  onNegotiation(
    'refuse',
    {
      en: 'no contract on these terms; the partner is told why',
      de: 'kein Vertrag zu diesen Bedingungen; der Partner erfährt den Grund',
    },
    async (here, pid) => {
      const refused = await here.client.post(path`/negotiations/${pid}/refuse`, {
        reason: here.value('reason'),
      })
      if (!refused.ok) return fail(here, refused.error, `negotiation show ${shortId(pid)}`)
      return answer(here, refused, () =>
        say(
          here,
          inLang(here, 'Refused; the partner is told why.', 'Abgelehnt; der Partner erfährt den Grund.'),
        ),
      )
    },
    REASON,
  ),
)

export const decisionCommands = (deps: FollowDeps): readonly Command[] => [
  offer,
  counter,
  agreeing('accept', deps, { 'accept-not-understood': ACCEPT_NOT_UNDERSTOOD }, acceptNotUnderstoodOf),
  agreeing('approve', deps),
  refuse,
]
