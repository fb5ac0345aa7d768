/** `negotiate`: asks for a contract and watches until it is in force, or ended with a reason. */
import { ok, problem, type Result, textOf } from '../../core/result.js'
import type { Text } from '../../core/types.js'
import { type Command, complain, EXIT, say, sayJson, usageError } from '../command.js'
import { ACCEPT_NOT_UNDERSTOOD, acceptNotUnderstoodOf } from './accept-not-understood.js'
import { connected, fail, type Here, inLang, next, nextText, path, quoted } from './connected.js'
import { type FollowDeps, untilInterrupted } from './deps.js'
import { followProcess, stateLines, stillOpen, WAIT_OPTION, waitOf } from './follow-process.js'
import { failPartner, findPartner, shortId } from './ids.js'
import { type View, viewOf } from './view.js'
import { clauseWords, endWords, owedWords, signatureWords } from './words.js'

const WAIT = 60_000

const STATES: Readonly<Record<string, Text>> = {
  REQUESTED: { en: 'the contract is asked for', de: 'der Vertrag ist angefragt' },
  OFFERED: { en: 'the partner made an offer', de: 'der Partner hat ein Angebot gemacht' },
  ACCEPTED: { en: 'the offer is accepted', de: 'das Angebot ist angenommen' },
  AGREED: {
    en: 'the provider agrees and has sent the contract',
    de: 'der Anbieter stimmt zu und hat den Vertrag geschickt',
  },
  VERIFIED: { en: 'the contract is checked and confirmed', de: 'der Vertrag ist geprüft und bestätigt' },
  FINALIZED: { en: 'the contract is in force', de: 'der Vertrag gilt' },
  TERMINATED: { en: 'ended without a contract', de: 'ohne Vertrag beendet' },
}

export const negotiateCommand = (deps: FollowDeps): Command => ({
  name: 'negotiate',
  summary: {
    en: 'ask a partner for a contract and watch until it is made',
    de: 'einen Partner um einen Vertrag bitten und zusehen, bis er geschlossen ist',
  },
  usage: 'PARTNER DATASET [TERMS] [options]',
  operands: [2, 3],
  options: {
    offer: {
      type: 'string',
      value: 'ID',
      about: {
        en: 'which offer; needed when there are several',
        de: 'welches Angebot; nötig, wenn es mehrere gibt',
      },
    },
    'accept-not-understood': ACCEPT_NOT_UNDERSTOOD,
    wait: WAIT_OPTION,
  },
  json: true,
  examples: [
    'handschlag negotiate did:web:connector.example.com pump-7',
    'handschlag negotiate Example pump-7 --offer 3f2a91c4 --wait 5m',
    'handschlag negotiate Example pump-7 9c1f02ab77de --accept-not-understood',
  ],
  run: async (call) => {
    const waitMs = waitOf(call.value('wait'), WAIT)
    if (typeof waitMs !== 'number') return usageError(call, waitMs, 'negotiate')
    return connected(call, (here) => negotiate(here, deps, waitMs))
  },
})

async function negotiate(here: Here, deps: FollowDeps, waitMs: number): Promise<number> {
  const [given = '', dataset = '', offerHash] = here.operands
  const partner = await findPartner(here, given)
  if (!partner.ok) return failPartner(here, partner.error)
  const did = partner.value.text('did')
  const offer = await chosenOffer(here, did, dataset)
  if (!offer.ok) return fail(here, offer.error, `catalog ${quoted(did)} ${quoted(dataset)}`)
  const begun = await here.client.post('/api/v1/negotiations', {
    partner: did,
    dataset,
    ...(offer.value === undefined ? {} : { offer: offer.value }),
    ...(offerHash === undefined ? {} : { offerHash }),
    ...acceptNotUnderstoodOf(here),
  })
  if (!begun.ok) {
    const known = begun.error.code === 'NotFound' ? '' : ` ${quoted(dataset)}`
    return fail(here, begun.error, `catalog ${quoted(did)}${known}`)
  }
  const negotiation = viewOf(begun.value)
  const pid = negotiation.text('pid')
  if (!here.json) {
    say(here, inLang(here, `Negotiation ${pid} with ${did}`, `Verhandlung ${pid} mit ${did}`))
    await sayTaken(here, pid)
  }
  return watchNegotiation(here, deps, negotiation, waitMs)
}

/** What we take on with these terms: duties that our connector carries out, and what we promise ourselves. */
async function sayTaken(here: Here, pid: string): Promise<void> {
  const found = await here.client.get(path`/negotiations/${pid}`)
  if (!found.ok) return
  const ours = viewOf(found.value)
    .view('terms')
    .views('clauses')
    .filter((clause) => ['consumer', 'contract'].includes(clause.text('enforcedBy')))
  if (ours.length === 0) return
  say(here, inLang(here, 'With this contract you take on:', 'Mit diesem Vertrag übernehmen Sie:'))
  say(here, clauseWords(ours, here.lang))
}

/** The whole id of the offer that is meant; a part of it is looked up in the catalog. */
async function chosenOffer(here: Here, did: string, dataset: string): Promise<Result<string | undefined>> {
  const given = here.value('offer')
  if (given === undefined || given.startsWith('urn:uuid:')) return ok(given)
  const found = await here.client.get(path`/partners/${did}/catalog/${dataset}`)
  if (!found.ok) return found
  const ids = viewOf(found.value)
    .views('offers')
    .map((offer) => offer.text('id'))
  const bare = (id: string): string => id.replace(/^urn:uuid:/, '')
  const fitting = ids.filter(
    (id) => id === given || (given.length >= 6 && (bare(id).startsWith(given) || id.endsWith(given))),
  )
  const [only] = ids.includes(given) ? [given] : fitting
  if (only !== undefined && (fitting.length === 1 || only === given)) return ok(only)
  return problem(
    'OfferUnknown',
    inLang(
      here,
      `"${given}" ${fitting.length === 0 ? 'is no offer' : 'fits several offers'} of ${dataset}.`,
      `„${given}“ ${fitting.length === 0 ? 'ist kein Angebot' : 'passt auf mehrere Angebote'} für ${dataset}.`,
    ),
  )
}

/** Also used after `negotiation accept`. Exit code 0 only when the contract is in force. */
export async function watchNegotiation(
  here: Here,
  deps: FollowDeps,
  begun: View,
  waitMs: number,
): Promise<number> {
  const pid = begun.text('pid')
  const followed = await untilInterrupted(deps, (signal) =>
    followProcess(here, {
      path: path`/negotiations/${pid}`,
      begun,
      isThere: (process) => needsNothing(process) || isOurTurn(process),
      onLook: stateLines(here, STATES),
      waitMs,
      clock: deps.clock,
      signal,
    }),
  )
  if (followed.is === 'failed') return fail(here, followed.error, `negotiation show ${shortId(pid)}`)
  const { process } = followed
  const state = process.text('state')
  if (state === 'FINALIZED') return finalized(here, process)
  if (here.json) {
    sayJson(here, { negotiation: process.json })
    return EXIT.failed
  }
  if (state === 'TERMINATED') {
    return fail(
      here,
      inLang(
        here,
        `No contract: ended${endWords(process, 'en')}`,
        `Kein Vertrag: beendet${endWords(process, 'de')}`,
      ),
      `catalog ${quoted(process.text('partner'))} ${quoted(process.text('dataset'))}`,
    )
  }
  if (isOurTurn(process)) {
    say(
      here,
      inLang(
        here,
        'The partner offers other terms than you asked for. Read them, then accept or end the negotiation.',
        'Der Partner bietet andere Bedingungen an, als Sie angefragt haben. Lesen Sie sie; dann nehmen Sie an oder beenden die Verhandlung.',
      ),
    )
    next(here, `negotiation show ${shortId(pid)}`)
    return EXIT.failed
  }
  const owed = process.views('owed')
  complain(here, stillOpen(here, followed.is))
  if (owed.length > 0) complain(here, owedWords(owed, here.lang))
  complain(here, nextText(here, `negotiation show ${shortId(pid)}`, ...(owed.length > 0 ? ['doctor'] : [])))
  return EXIT.failed
}

const needsNothing = (process: View): boolean => ['FINALIZED', 'TERMINATED'].includes(process.text('state'))

/** A counter-offer waits for a person. */
const isOurTurn = (process: View): boolean =>
  process.text('role') === 'consumer' && process.text('state') === 'OFFERED' && !process.has('pending')

async function finalized(here: Here, process: View): Promise<number> {
  const contract = process.text('contract')
  const verified = await here.client.get(path`/contracts/${contract}/verify`)
  const signatures = verified.ok ? viewOf(verified.value) : viewOf(null)
  if (here.json) {
    sayJson(here, {
      negotiation: process.json,
      contract,
      ...(verified.ok ? { verification: verified.value } : {}),
    })
    return EXIT.ok
  }
  say(here, `${inLang(here, 'Contract', 'Vertrag')} ${contract}`)
  if (verified.ok) say(here, signatureWords(signatures.views('signatures'), here.lang))
  else complain(here, textOf(verified.error)[here.lang])
  const id = quoted(shortId(contract))
  if (process.text('role') === 'consumer')
    next(here, `contract show ${id}`, `pull ${id} --out data.ndjson`, `stream ${id}`)
  else next(here, `contract show ${id}`)
  return EXIT.ok
}
