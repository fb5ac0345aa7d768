/** What we offer: sources, datasets, offers, and the checks that stand before anything is published. */
import { err, ok, type Problem, problem, type Result, textOf } from '../core/result.js'
import type { Clock, EpochMs, JsonObject, Text } from '../core/types.js'
import type { Approval, Dataset, Offer, SignalDeclaration, SourceConfig } from '../domain/dataset.js'
import { beforePublishing } from '../policy/analysis/publishing.js'
import { compilePlan } from '../policy/compile.js'
import { instantText } from '../policy/instant.js'
import { PROFILE } from '../policy/model.js'
import type { Plan } from '../policy/plan.js'
import { wireForm } from '../policy/wire-form.js'
import { momentWords, nowWords } from '../policy/words.js'
import { policyFromTerms, type Terms } from '../policy/write.js'
import type { Store } from '../store/store.js'
import { understood, wantedByContract } from './contract.js'
import { policyFromTemplate, type TemplateChoice } from './operator-templates.js'
import type { DataPlanePort, NewPid } from './ports.js'
import { lookupIn } from './shapes.js'

/** What the data plane knows about kinds of sources. */
export interface SourcePort {
  /** Checks a configuration with all its secrets; names every mistake. Answers which keys are secrets. */
  validate(kind: string, config: JsonObject): Result<{ readonly secretKeys: readonly string[] }>
  /** Brings the running sources in line with what is stored: starts, restarts and stops as needed. */
  refresh(): Promise<void>
  /** Tries the source now and says what is wrong in words. */
  check(source: SourceConfig): Promise<Result<string>>
  /** Why the source of a dataset does not fit it, if it does not. */
  fault(datasetId: string): Problem | undefined
}

export type DatasetDeps = {
  readonly store: Store
  readonly clock: Clock
  readonly newPid: NewPid
  readonly sources: SourcePort
  readonly dataPlane: Pick<DataPlanePort, 'canServe'>
  readonly sealSecret: (plaintext: string, context: string) => string
}

/** Ids are part of addresses and contracts: they stay short and plain. */
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const SIGNAL_TYPES = ['number', 'integer', 'string', 'boolean']
const RESERVED = ['id', 'ts', 'series']

function validId(id: string): Result<string> {
  return ID.test(id)
    ? ok(id)
    : problem('InvalidInput', {
        en: `"${id.slice(0, 80)}" cannot be an id: use up to 64 letters, digits, dots, dashes and underscores.`,
        de: `„${id.slice(0, 80)}“ kann keine Kennung sein: erlaubt sind bis zu 64 Buchstaben, Ziffern, Punkte, Binde- und Unterstriche.`,
      })
}

export async function putSource(
  deps: DatasetDeps,
  m: { readonly id: string; readonly kind: string; readonly config: JsonObject },
): Promise<Result<SourceConfig>> {
  const id = validId(m.id)
  if (!id.ok) return id
  const valid = deps.sources.validate(m.kind, m.config)
  if (!valid.ok) return valid
  const { secretKeys } = valid.value
  const plain = Object.entries(m.config).filter(([key]) => !secretKeys.includes(key))
  const secret = Object.entries(m.config).filter(([key]) => secretKeys.includes(key))
  const source: SourceConfig = {
    id: m.id,
    kind: m.kind,
    config: Object.fromEntries(plain),
    sealedSecrets: Object.fromEntries(
      secret.map(([key, value]) => [key, deps.sealSecret(String(value), `source:${m.id}:${key}`)]),
    ),
    createdAt: deps.store.source(m.id)?.createdAt ?? deps.clock(),
  }
  await deps.store.putSource(source)
  await deps.sources.refresh()
  return ok(source)
}

export async function removeSource(deps: DatasetDeps, id: string): Promise<Result<void>> {
  const user = deps.store.datasets().find((d) => d.sourceId === id)
  if (user !== undefined)
    return problem('Conflict', {
      en: `The source ${id} feeds the dataset ${user.id}. Change or remove that first.`,
      de: `Die Quelle ${id} speist den Datensatz ${user.id}. Ändern oder entfernen Sie zuerst diesen.`,
    })
  if (!(await deps.store.removeSource(id)))
    return problem('NotFound', { en: `There is no source ${id}.`, de: `Es gibt keine Quelle ${id}.` })
  await deps.sources.refresh()
  return ok(undefined)
}

export type DatasetInput = {
  readonly id: string
  readonly title: string
  readonly description?: string
  readonly keywords?: readonly string[]
  readonly machineId?: string
  readonly signals?: readonly SignalDeclaration[]
  readonly sourceId?: string
}

/** Creates or replaces the description. A published dataset stays published only if it still can be. */
export async function putDataset(deps: DatasetDeps, m: DatasetInput): Promise<Result<Dataset>> {
  const id = validId(m.id)
  if (!id.ok) return id
  if (m.title.trim() === '')
    return problem('InvalidInput', {
      en: 'A dataset needs a title.',
      de: 'Ein Datensatz braucht einen Titel.',
    })
  const names = new Set<string>()
  for (const signal of m.signals ?? []) {
    if (signal.name === '' || signal.name.length > 128)
      return problem('InvalidInput', {
        en: 'A signal needs a name of at most 128 characters.',
        de: 'Ein Signal braucht einen Namen von höchstens 128 Zeichen.',
      })
    if (RESERVED.includes(signal.name)) {
      return problem('InvalidInput', {
        en: `A signal cannot be called "${signal.name}": that name belongs to every record.`,
        de: `Ein Signal kann nicht „${signal.name}“ heißen: Dieser Name gehört zu jedem Eintrag.`,
      })
    }
    if (names.has(signal.name))
      return problem('InvalidInput', {
        en: `The signal "${signal.name}" is declared twice.`,
        de: `Das Signal „${signal.name}“ ist zweimal angegeben.`,
      })
    if (!SIGNAL_TYPES.includes(signal.type)) {
      return problem('InvalidInput', {
        en: `The signal "${signal.name}" has the type "${signal.type}"; known are ${SIGNAL_TYPES.join(', ')}.`,
        de: `Das Signal „${signal.name}“ hat den Typ „${signal.type}“; bekannt sind ${SIGNAL_TYPES.join(', ')}.`,
      })
    }
    names.add(signal.name)
  }
  if (m.sourceId !== undefined && deps.store.source(m.sourceId) === undefined) {
    const known = deps.store
      .sources()
      .map(({ id }) => id)
      .join(', ')
    return problem('InvalidInput', {
      en: `There is no source "${m.sourceId}". Known: ${known || 'none'}.`,
      de: `Es gibt keine Quelle „${m.sourceId}“. Bekannt: ${known || 'keine'}.`,
    })
  }
  const before = deps.store.dataset(m.id)
  const now = deps.clock()
  const next: Dataset = {
    id: m.id,
    title: m.title,
    ...(m.description === undefined ? {} : { description: m.description }),
    keywords: m.keywords ?? [],
    ...(m.machineId === undefined ? {} : { machineId: m.machineId }),
    signals: m.signals ?? [],
    ...(m.sourceId === undefined ? {} : { sourceId: m.sourceId }),
    published: before?.published ?? false,
    createdAt: before?.createdAt ?? now,
    updatedAt: now,
  }
  await deps.store.putDataset(next)
  await deps.sources.refresh()
  if (!next.published) return ok(next)
  const publishable = checkPublishable(deps, next)
  if (publishable.ok) return ok(next)
  await deps.store.putDataset({ ...next, published: false })
  return problem(publishable.error.code, {
    en: `The description was saved, but ${next.id} is no longer published: ${publishable.error.message}`,
    de: `Die Beschreibung wurde gespeichert, aber ${next.id} ist nicht mehr veröffentlicht: ${textOf(publishable.error).de}`,
  })
}

export async function removeDataset(deps: DatasetDeps, id: string): Promise<Result<void>> {
  const dataset = deps.store.dataset(id)
  if (dataset === undefined)
    return problem('NotFound', { en: `There is no dataset ${id}.`, de: `Es gibt keinen Datensatz ${id}.` })
  const live = deps.store
    .agreements()
    .find((a) => a.role === 'provider' && a.datasetId === id && a.status === 'active')
  if (live !== undefined)
    return problem('Conflict', {
      en: `The contract ${live.id} covers the dataset ${id}. Revoke it first, or unpublish the dataset.`,
      de: `Unter dem Vertrag ${live.id} wird der Datensatz ${id} geliefert. Widerrufen Sie ihn zuerst, oder nehmen Sie den Datensatz aus dem Katalog.`,
    })
  for (const offer of deps.store.offersOf(id)) await deps.store.removeOffer(offer.id)
  await deps.store.removeDataset(id)
  await deps.sources.refresh()
  return ok(undefined)
}

/** Attaches an offer. The policy is written in terms, given as ODRL, or made of a template. Checked completely before it is stored. */
export async function addOffer(
  deps: DatasetDeps,
  m: {
    readonly datasetId: string
    readonly id?: string
    readonly terms?: Terms
    readonly policy?: JsonObject
    readonly template?: TemplateChoice
    readonly approval?: Approval
    readonly contractOnly?: boolean
  },
): Promise<Result<Offer>> {
  const dataset = deps.store.dataset(m.datasetId)
  if (dataset === undefined)
    return problem('NotFound', {
      en: `There is no dataset ${m.datasetId}.`,
      de: `Es gibt keinen Datensatz ${m.datasetId}.`,
    })
  if ([m.terms, m.policy, m.template].filter((one) => one !== undefined).length !== 1) {
    return problem('InvalidInput', {
      en: 'Give either terms, or a policy, or a template.',
      de: 'Geben Sie entweder Bedingungen oder eine Policy oder eine Vorlage an.',
    })
  }
  const policy =
    m.template !== undefined
      ? policyFromTemplate(m.template)
      : m.terms === undefined
        ? published(m.policy ?? {}, m.datasetId)
        : policyFromTerms(m.terms)
  if (!policy.ok) return policy
  const id = m.id ?? deps.newPid()
  if (deps.store.offer(id) !== undefined)
    return problem('Conflict', {
      en: `There is already an offer ${id}; offers do not change, add a new one.`,
      de: `Ein Angebot ${id} gibt es schon. Angebote ändern sich nicht; legen Sie ein neues an.`,
    })
  const offer: Offer = {
    id,
    datasetId: m.datasetId,
    policy: policy.value,
    ...(m.approval === undefined ? {} : { approval: m.approval }),
    ...(m.contractOnly === true && { contractOnly: true }),
    createdAt: deps.clock(),
  }
  const enforceable = checkTerms(deps, dataset, offer)
  if (!enforceable.ok) return enforceable
  const usable = checkNotOver(enforceable.value, offer.createdAt)
  if (!usable.ok) return usable
  await deps.store.putOffer(offer)
  return ok(offer)
}

/** Who does not know the profile must not read the terms as something else, so it is always named. */
function published(policy: JsonObject, datasetId: string): Result<JsonObject> {
  const plain = wireForm(policy, datasetId)
  return plain.ok ? ok({ profile: PROFILE, ...plain.value }) : plain
}

/** Whether there is any time left in which a contract made now could be used. */
function checkNotOver({ notAfter }: Plan, now: EpochMs): Result<void> {
  // An end that is itself included, such as an age of zero, excludes the millisecond after it.
  if (notAfter === undefined || notAfter > now + 1) return ok(undefined)
  if (notAfter > now) {
    return problem('InvalidInput', {
      en: 'Nobody could ever use this offer: a contract on these terms ends in the moment in which it is made. Give it some time.',
      de: 'Dieses Angebot könnte nie jemand nutzen: Ein Vertrag zu diesen Bedingungen endet in dem Augenblick, in dem er geschlossen wird. Geben Sie ihm etwas Zeit.',
    })
  }
  const [end, today] = [momentWords(notAfter), nowWords(now)]
  return problem('InvalidInput', {
    en: `Nobody could ever use this offer: its terms end at ${instantText(notAfter)}, and it is ${instantText(now)} now. Give an end that lies ahead.`,
    de: `Dieses Angebot könnte nie jemand nutzen: Seine Bedingungen enden am ${end.de}, und jetzt ist der ${today.de}. Geben Sie ein Ende an, das noch bevorsteht.`,
  })
}

/** The terms of an offer never change; whether a person approves requests for it may. */
export async function setApproval(
  deps: Pick<DatasetDeps, 'store'>,
  id: string,
  approval: Approval,
): Promise<Result<Offer>> {
  const offer = deps.store.offer(id)
  if (offer === undefined)
    return problem('NotFound', { en: `There is no offer ${id}.`, de: `Es gibt kein Angebot ${id}.` })
  const next: Offer = { ...offer, approval }
  await deps.store.putOffer(next)
  return ok(next)
}

/** Whether every term can be kept here for this dataset, or is a promise that may be offered. */
export function checkTerms(
  deps: Pick<DatasetDeps, 'clock' | 'store'>,
  dataset: Dataset,
  { policy: terms, contractOnly }: Pick<Offer, 'policy' | 'contractOnly'>,
): Result<Plan> {
  const wanted = wantedByContract(terms, contractOnly)
  if (!wanted.ok) return wanted
  const policy = understood(terms, 3)
  if (!policy.ok) return policy
  const plan = compilePlan(policy.value, { agreedAt: deps.clock(), shapes: lookupIn(deps.store) })
  if (!plan.ok) return plan
  const declared = new Set(['ts', 'id', 'series', ...dataset.signals.map((s) => s.name)])
  // A signal to be left out that nobody knows is a slip of the pen: the one that was meant would be delivered.
  const named = [...(plan.value.fields ?? []), ...(plan.value.withheld ?? [])]
  const missing = named.filter((field) => !declared.has(field))
  if (missing.length > 0) {
    return problem('InvalidInput', {
      en: `The offer names the field "${missing[0]}", which is not a signal of ${dataset.id}. Signals: ${dataset.signals.map((s) => s.name).join(', ') || 'none'}.`,
      de: `Das Angebot nennt das Signal „${missing[0]}“, das ${dataset.id} nicht hat. Signale: ${dataset.signals.map((s) => s.name).join(', ') || 'keine'}.`,
    })
  }
  const misfit = shapeMisfit(plan.value, dataset)
  if (misfit !== undefined) return problem('InvalidInput', misfit)
  const consistent = beforePublishing(terms)
  return consistent.ok ? plan : consistent
}

/** What a shape document asks of signals that do not exist or have no numbers: it was written for another dataset. */
function shapeMisfit(
  { valueSteps = {}, identifying = [] }: Plan,
  { id, signals }: Dataset,
): Text | undefined {
  const types = new Map(signals.map(({ name, type }) => [name, type]))
  const unknown = [...Object.keys(valueSteps), ...identifying].find((name) => !types.has(name))
  const known = [...types.keys()].join(', ')
  if (unknown !== undefined) {
    return {
      en: `The shape document names "${unknown}", which is not a signal of ${id}. Signals: ${known || 'none'}.`,
      de: `Das Aufbereitungsdokument nennt „${unknown}“; das ist kein Signal von ${id}. Signale: ${known || 'keine'}.`,
    }
  }
  const wrong = Object.keys(valueSteps).find((name) => !NUMERIC.has(types.get(name) ?? ''))
  return wrong === undefined
    ? undefined
    : {
        en: `The shape document rounds "${wrong}", which is declared as ${types.get(wrong)} and not as a number.`,
        de: `Das Aufbereitungsdokument rundet „${wrong}“; angegeben ist das Signal als ${types.get(wrong)} und nicht als Zahl.`,
      }
}

const NUMERIC: ReadonlySet<string> = new Set(['number', 'integer'])

function checkPublishable(deps: DatasetDeps, dataset: Dataset): Result<void> {
  if (dataset.sourceId === undefined)
    return problem('InvalidInput', {
      en: `The dataset ${dataset.id} has no source. Connect one first.`,
      de: `Der Datensatz ${dataset.id} hat keine Quelle. Schließen Sie zuerst eine an.`,
    })
  const offers = deps.store.offersOf(dataset.id)
  if (offers.length === 0)
    return problem('InvalidInput', {
      en: `The dataset ${dataset.id} has no offer. Without an offer nobody can get a contract.`,
      de: `Der Datensatz ${dataset.id} hat kein Angebot. Ohne Angebot kann niemand einen Vertrag schließen.`,
    })
  const fault = deps.sources.fault(dataset.id)
  if (fault !== undefined) return err(fault)
  for (const offer of offers) {
    const plan = checkTerms(deps, dataset, offer)
    if (!plan.ok) return plan
    const servable = deps.dataPlane.canServe(dataset.id, plan.value)
    if (!servable.ok) return servable
  }
  return ok(undefined)
}

export async function publish(deps: DatasetDeps, id: string, published: boolean): Promise<Result<Dataset>> {
  const dataset = deps.store.dataset(id)
  if (dataset === undefined)
    return problem('NotFound', { en: `There is no dataset ${id}.`, de: `Es gibt keinen Datensatz ${id}.` })
  if (published) {
    const publishable = checkPublishable(deps, dataset)
    if (!publishable.ok) return publishable
  }
  const next: Dataset = { ...dataset, published, updatedAt: deps.clock() }
  await deps.store.putDataset(next)
  return ok(next)
}
