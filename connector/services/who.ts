/**
 * Who may have what, at any chosen time: decided by the very functions that answer catalogs, negotiate and start transfers,
 * run with another clock. Nothing is changed. Trust, publication and what is counted are those of today.
 */
import { message, ok, type Problem, problem, type Result, textOf } from '../core/result.js'
import { type EpochMs, iso, type JsonObject, type Text } from '../core/types.js'
import { type Agreement, readableForm } from '../domain/agreement.js'
import type { Dataset, Offer } from '../domain/dataset.js'
import type { Partner } from '../domain/partner.js'
import { evaluate, type Verdict } from '../policy/evaluate.js'
import { parseTimestamp } from '../policy/instant.js'
import type { Facts, Phase } from '../policy/model.js'
import { parsePolicy } from '../policy/parse.js'
import type { Plan } from '../policy/plan.js'
import { refusalText } from '../policy/refusal-words.js'
import { accepting, type Tier } from '../policy/tier.js'
import { nowWords } from '../policy/words.js'
import { catalogEntry } from './catalog.js'
import { edgesOf, factsFor } from './confirmed.js'
import { acceptedFrom, planOf, tierWith } from './contract.js'
import { mayRun, transferFacts } from './flow.js'
import { missingFacts } from './missing-facts.js'
import type { NegotiationDeps } from './negotiation.js'
import { offerable } from './negotiation-agreement.js'
import { compact } from './operator-view.js'
import { trustedPartner } from './partners.js'
import { unmetCondition } from './standing.js'
import type { TransferDeps } from './transfer.js'

/** Where it ends, in the order in which a partner comes by. */
export type Step =
  | 'trust'
  | 'published'
  | 'proof'
  | 'catalog'
  | 'negotiation'
  | 'contract'
  | 'transfer'
  | 'delivery'

export type TraceEntry = {
  readonly clause?: number
  readonly term: string
  readonly verdict: Verdict
  readonly text: Text
}

export type WhoEntry = {
  readonly partner: string
  readonly partnerName: string
  readonly dataset: string
  /** An offer: whether the partner sees it and could get a contract on it. */
  readonly offer?: string
  /** A contract: whether data may flow under it. */
  readonly contract?: string
  readonly allowed: boolean
  readonly step?: Step
  readonly because?: Text
  /** The nearest thing that would have to change. */
  readonly change?: Text
  readonly trace: readonly TraceEntry[]
}

export type WhoView = {
  readonly at: string
  readonly entries: readonly WhoEntry[]
  /** False when there are more than are shown: ask for one partner or dataset. */
  readonly complete: boolean
}

export type WhoDeps = TransferDeps &
  NegotiationDeps & {
    /** The gate of the data plane: hours, days and the end of delivery. */
    readonly gate: (plan: Plan, recipient: string) => (now: EpochMs) => Problem | undefined
  }

export type WhoAsked = { readonly partner?: string; readonly dataset?: string; readonly at?: string }

const MAX_ENTRIES = 1000

export function whoMay(deps: WhoDeps, asked: WhoAsked): Result<WhoView> {
  const at = asked.at === undefined ? deps.clock() : parseTimestamp(asked.at)
  if (at === undefined) {
    return problem('InvalidInput', {
      en: '"at" is a date and time with offset, such as 2027-01-31T08:00:00Z.',
      de: '„at“ ist ein Datum mit Uhrzeit und Zeitversatz, etwa 2027-01-31T08:00:00Z.',
    })
  }
  const { store } = deps
  const partners = chosen(store.partners(), ({ did }) => did, asked.partner)
  const datasets = chosen(store.datasets(), ({ id }) => id, asked.dataset)
  if (asked.partner !== undefined && partners.length === 0) {
    return problem('NotFound', {
      en: `There is no partner ${asked.partner}. See: handschlag partner list`,
      de: `Es gibt keinen Partner ${asked.partner}. Siehe: handschlag partner list`,
    })
  }
  if (asked.dataset !== undefined && datasets.length === 0) {
    return problem('NotFound', {
      en: `There is no dataset ${asked.dataset}. See: handschlag dataset list`,
      de: `Es gibt keinen Datensatz ${asked.dataset}. Siehe: handschlag dataset list`,
    })
  }
  const contracts = store.agreements().filter(({ role }) => role === 'provider')
  const entries: WhoEntry[] = []
  for (const partner of partners) {
    for (const dataset of datasets) {
      for (const offer of store.offersOf(dataset.id)) entries.push(ofOffer(deps, at, partner, dataset, offer))
      for (const agreement of contracts) {
        if (agreement.partner !== partner.did || agreement.datasetId !== dataset.id) continue
        entries.push(ofContract(deps, at, partner, agreement))
      }
      if (entries.length > MAX_ENTRIES) {
        return ok({ at: iso(at), entries: entries.slice(0, MAX_ENTRIES), complete: false })
      }
    }
  }
  return ok({ at: iso(at), entries, complete: true })
}

const chosen = <T>(all: readonly T[], idOf: (one: T) => string, wanted: string | undefined): readonly T[] =>
  wanted === undefined ? all : all.filter((one) => idOf(one) === wanted)

type Found = { readonly step: Step; readonly error: Problem } | undefined

type About = {
  readonly policy: JsonObject
  /** Up to which tier promises are accepted. */
  readonly upTo: Tier
  readonly phaseOf: Phase
  readonly facts: (at: EpochMs) => Facts
  /** Instants at which something that was confirmed begins or runs out. */
  readonly edges: readonly EpochMs[]
  readonly decide: (at: EpochMs) => Found
}

function ofOffer(deps: WhoDeps, at: EpochMs, partner: Partner, dataset: Dataset, offer: Offer): WhoEntry {
  const terms = { '@id': offer.id, '@type': 'Offer', target: dataset.id, ...offer.policy }
  const decide = (when: EpochMs): Found => {
    const then = { ...deps, clock: () => when }
    const trusted = trustedPartner(deps.store, partner.did)
    if (!trusted.ok) return { step: 'trust', error: trusted.error }
    if (!dataset.published) return { step: 'published', error: UNPUBLISHED }
    const unproven = unprovenFor(partner, offer)
    if (unproven !== undefined) return { step: 'proof', error: unproven }
    const entry = catalogEntry(then, partner, dataset.id)
    const isShown = entry.ok && entry.value.offers.some(({ id }) => id === offer.id)
    if (!isShown) return { step: 'catalog', error: HIDDEN }
    const fit = offerable(then, partner, dataset.id, terms, acceptedFrom(partner, offer))
    return fit.ok ? undefined : { step: 'negotiation', error: fit.error }
  }
  const facts = (when: EpochMs): Facts =>
    factsFor(deps, { partner: partner.did, datasetId: dataset.id }, when)
  const found = decide(at)
  const phaseOf = found?.step === 'catalog' ? 'catalog' : 'negotiation'
  const upTo = acceptedFrom(partner, offer)
  const edges = edgesOf(deps.store, partner.did)
  const about: About = { policy: offer.policy, upTo, phaseOf, facts, edges, decide }
  return told({ ...headOf(partner, dataset.id), offer: offer.id }, partner, at, about, found)
}

/** Duties are offered to connectors that have proved that they carry them out, unless the operator wants mere promises. */
function unprovenFor(partner: Partner, offer: Offer): Problem | undefined {
  const upTo = acceptedFrom(partner, offer)
  if (upTo > 1 || tierWith('proven', offer.policy) !== 2) return undefined
  return {
    code: 'OfferUnknown',
    ...message({
      en: `The offer contains duties, and the connector of ${partner.name} has not proved that it carries them out.`,
      de: `Das Angebot enthält Pflichten, und der Connector von ${partner.name} hat nicht nachgewiesen, dass er sie erfüllt.`,
    }),
  }
}

function ofContract(deps: WhoDeps, at: EpochMs, partner: Partner, agreement: Agreement): WhoEntry {
  const decide = (when: EpochMs): Found => {
    const trusted = trustedPartner(deps.store, partner.did)
    if (!trusted.ok) return { step: 'trust', error: trusted.error }
    const may = mayRun({ ...deps, clock: () => when }, agreement)
    if (!may.ok) return { step: agreement.status === 'active' ? 'transfer' : 'contract', error: may.error }
    const plan = planOf(agreement)
    const closed = plan.ok ? closedBy(deps, plan.value, agreement, when) : plan.error
    return closed === undefined ? undefined : { step: 'delivery', error: closed }
  }
  const policy = readableForm(agreement)
  const facts = (when: EpochMs) => transferFacts({ ...deps, clock: () => when }, agreement)
  const edges = edgesOf(deps.store, partner.did)
  const about: About = { policy, upTo: agreement.tier ?? 1, phaseOf: 'transfer', facts, edges, decide }
  return told(
    { ...headOf(partner, agreement.datasetId), contract: agreement.id },
    partner,
    at,
    about,
    decide(at),
  )
}

/** Events are looked at here, because the gate alone does not know them; then hours and days. */
function closedBy(deps: WhoDeps, plan: Plan, agreement: Agreement, when: EpochMs): Problem | undefined {
  const { conditions: _, ...rest } = plan
  const unmet = unmetCondition(plan, transferFacts({ ...deps, clock: () => when }, agreement))
  return unmet?.problem ?? deps.gate(rest, agreement.partner)(when)
}

const headOf = ({ did, name }: Partner, dataset: string) => ({ partner: did, partnerName: name, dataset })

const UNPUBLISHED: Problem = {
  code: 'NotFound',
  ...message({ en: 'The dataset is not published.', de: 'Der Datensatz ist nicht veröffentlicht.' }),
}
const HIDDEN: Problem = {
  code: 'OfferUnknown',
  ...message({
    en: 'The offer is not shown to this partner.',
    de: 'Das Angebot ist für diesen Partner nicht sichtbar.',
  }),
}

type Head = Pick<WhoEntry, 'partner' | 'partnerName' | 'dataset' | 'offer' | 'contract'>

function told(head: Head, partner: Partner, at: EpochMs, about: About, found: Found): WhoEntry {
  const parsed = parsePolicy(about.policy)
  const policy = parsed.ok ? accepting(parsed.value, about.upTo) : undefined
  const decision = policy === undefined ? undefined : evaluate(policy, about.phaseOf, about.facts(at))
  const trace = (decision?.reasons ?? []).map(({ clause, operand, verdict, text }) =>
    compact({ clause, term: operand, verdict, text: text() }),
  )
  if (found === undefined) return { ...head, allowed: true, trace }
  const { step, error } = found
  const refused = decision?.allowed === false && isPolicys(step) ? decision : undefined
  const because: Text = refused === undefined ? reasonOf(step, error, partner) : refusalText(refused)
  const missing =
    policy === undefined || !(isPolicys(step) || step === 'delivery')
      ? undefined
      : missingFacts(policy, about.facts(at), { partner, dataset: head.dataset })
  const opens = opensAt(at, about, step)
  const change =
    opens === undefined && missing !== undefined
      ? missing
      : changeOf(head, step, refused?.because.operand, opens)
  return { ...head, allowed: false, step, because, ...(change === undefined ? {} : { change }), trace }
}

const isPolicys = (step: Step): boolean => ['catalog', 'negotiation', 'transfer'].includes(step)

/** What the program says of itself stands in both languages; a sentence of another part as it is. */
function reasonOf(step: Step, error: Problem, { name, trust }: Partner): Text {
  if (step === 'trust') {
    return trust === 'blocked'
      ? { en: `${name} is blocked.`, de: `${name} ist gesperrt.` }
      : { en: `${name} is not trusted yet.`, de: `${name} gilt noch nicht als vertrauenswürdig.` }
  }
  return textOf(error)
}

/** What a later time may change; trust, publication and the end of a contract it does not. */
function opensAt(at: EpochMs, about: About, step: Step): EpochMs | undefined {
  if (!isPolicys(step) && step !== 'delivery') return undefined
  const named = [...JSON.stringify(about.policy).matchAll(/"(\d{4}-\d\d-\d\dT[^"]{1,40})"/g)]
    .flatMap(([, written = '']) => parseTimestamp(written) ?? [])
    .flatMap((moment) => [moment, moment + 1])
    .concat(about.edges)
    .filter((moment) => moment > at)
    .sort((a, b) => a - b)
    .slice(0, MAX_MOMENTS)
  const found = named.find((moment) => about.decide(moment as EpochMs) === undefined)
  return step === 'delivery' ? nextOpening(at, about, found) : (found as EpochMs | undefined)
}

const MAX_MOMENTS = 100
const QUARTER_MS = 900_000
const QUARTERS = 8 * 24 * 4
const SECOND_MS = 1000

/** Hours and days: the first open quarter of an hour within eight days, and in it the second at which it opens. */
function nextOpening(at: EpochMs, about: About, found: number | undefined): EpochMs | undefined {
  const isOpen = (when: number): boolean => about.decide(when as EpochMs) === undefined
  const start = Math.floor(at / SECOND_MS) * SECOND_MS
  for (let quarter = 1; quarter <= QUARTERS; quarter++) {
    let late = start + quarter * QUARTER_MS
    if (found !== undefined && late > found) break
    if (!isOpen(late)) continue
    let early = late - QUARTER_MS
    while (late - early > SECOND_MS) {
      const middle = early + Math.floor((late - early) / 2 / SECOND_MS) * SECOND_MS
      if (isOpen(middle)) late = middle
      else early = middle
    }
    return late as EpochMs
  }
  return found as EpochMs | undefined
}

function changeOf(
  { partner, dataset, contract }: Head,
  step: Step,
  operand: string | undefined,
  opens: EpochMs | undefined,
): Text | undefined {
  if (step === 'trust') {
    const command = `handschlag partner trust ${partner}`
    return {
      en: `You would have to trust the partner: ${command}`,
      de: `Sie müssten dem Partner vertrauen: ${command}`,
    }
  }
  if (step === 'published') {
    const command = `handschlag dataset publish ${dataset}`
    return {
      en: `You would have to publish the dataset: ${command}`,
      de: `Sie müssten den Datensatz veröffentlichen: ${command}`,
    }
  }
  if (step === 'proof') {
    return {
      en: 'A connector that carries out such duties would have to read your catalog: one of this make proves it with each request. Or you add an offer with --contract-only.',
      de: 'Ein Connector, der solche Pflichten erfüllt, müsste Ihren Katalog abrufen: Einer dieser Bauart weist es mit jeder Anfrage nach. Oder Sie fügen ein Angebot mit --contract-only hinzu.',
    }
  }
  if (opens !== undefined) {
    const when = nowWords(opens)
    return { en: `Nothing: it is allowed from ${when.en}.`, de: `Nichts: erlaubt ist es ab ${when.de}.` }
  }
  if (step === 'contract') {
    return { en: 'A contract that is in force would be needed.', de: 'Nötig wäre ein Vertrag, der gilt.' }
  }
  const [en, de] =
    contract === undefined ? ['an offer', 'ein Angebot'] : ['a new contract', 'ein neuer Vertrag']
  const other = operand === undefined ? undefined : OTHER[operand]
  return other === undefined || !Object.hasOwn(OTHER, operand ?? '')
    ? { en: `It would take ${en} with other terms.`, de: `Nötig wäre ${de} mit anderen Bedingungen.` }
    : { en: `It would take ${en} ${other.en}.`, de: `Nötig wäre ${de}, ${other.de}.` }
}

/** What the terms would have to say instead, by the condition that fails. */
const OTHER: Readonly<Record<string, Text>> = {
  recipient: { en: 'that names this partner as recipient', de: 'in dem dieser Partner als Empfänger steht' },
  dateTime: { en: 'with another period of use', de: 'in dem ein anderer Zeitraum steht' },
  agreementAge: { en: 'with a longer term', de: 'in dem eine längere Laufzeit steht' },
  count: { en: 'with more deliveries', de: 'in dem mehr Lieferungen stehen' },
}
