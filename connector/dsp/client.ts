/**
 * The way to a partner: sends owed messages and reads catalogs and version documents. Every request carries a fresh
 * identity token for that partner. No process state is touched here.
 */
import { parseJson } from '../core/json.js'
import { type Because, ok, problem, type Result, textOf } from '../core/result.js'
import type { Json, JsonObject, Text } from '../core/types.js'
import type { Partner } from '../domain/partner.js'
import type { CatalogClient, RemoteDataset, RemoteSignal } from '../services/catalog.js'
import { catalogRequest } from './build-catalog.js'
import { linkTo, NEXT, PREVIOUS } from './links.js'
import {
  BINDING,
  CONTENT,
  type DatasetEntry,
  DESCRIPTION,
  DSP_VERSION,
  PROVIDER_PATH,
  SIGNAL,
  urlOf,
  VERSION_PATH,
} from './messages.js'
import { readMessage } from './normalise.js'
import { shapesIn } from './shape-texts.js'
import type { Validate } from './validate.js'

export type Fetch = (request: {
  readonly url: string
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal?: AbortSignal
  readonly plainHttp?: boolean
  readonly maxBytes?: number
  readonly truncate?: boolean
}) => Promise<
  Result<{
    readonly status: number
    readonly headers: Readonly<Record<string, string | string[] | undefined>>
    readonly body: Buffer
  }>
>

/** What a request to a partner needs so that the partner knows us. `baseUrl` is the DSP base address that is called. */
export type Authorize = (
  partner: string,
  baseUrl: string,
) => Result<{ readonly authorization: string; readonly plainHttp: boolean }>

export type DspClientDeps = {
  readonly fetch: Fetch
  readonly authorize: Authorize
  readonly validate: Validate
  readonly readError: (body: Uint8Array) => { readonly code?: string } & Partial<Because>
}

/** Of a catalog: pages that are read, bytes after which no further page is, and bytes of one page. */
const MAX_PAGES = 200
const ENOUGH_BYTES = 32 * 1024 * 1024
const MAX_CATALOG_BYTES = 16 * 1024 * 1024
/** Of the answer to a message of ours, as far as it is read. */
const MAX_ACKNOWLEDGEMENT_BYTES = 256 * 1024

/** Catalogs are long texts. Messages are short, and nobody packs an answer that was not asked for so. */
const PACKED = { 'accept-encoding': 'gzip' } as const

/** One page of a catalog, and the addresses of its neighbours. */
type CatalogPage = {
  readonly datasets: readonly RemoteDataset[]
  readonly next: string | undefined
  readonly previous: string | undefined
  readonly bytes: number
}

/** What has been read of a catalog so far: the addresses of its pages, none of which is read twice. */
type Reading = { readonly urls: Set<string>; bytes: number; complete: boolean }

export type DspClient = CatalogClient & {
  post(
    m: { readonly url: string; readonly partner: string; readonly body: string },
    signal: AbortSignal,
  ): Promise<Result<{ readonly status: number; readonly body: Buffer }>>
  /** DSP base address behind a public address. */
  discover(address: string): Promise<Result<string>>
}

export function createDspClient(deps: DspClientDeps): DspClient {
  const send = async (partner: string, m: Omit<Parameters<Fetch>[0], 'plainHttp'>): ReturnType<Fetch> => {
    const access = deps.authorize(partner, baseOf(m.url))
    if (!access.ok) return access
    const { authorization, plainHttp } = access.value
    const headers = {
      authorization,
      'content-type': 'application/json',
      accept: 'application/json',
      ...m.headers,
    }
    return deps.fetch({ ...m, headers, plainHttp })
  }

  const refused = (status: number, body: Buffer, partner: Partner): Result<never> => {
    const { reason, reasonDe } = deps.readError(body)
    if (reason !== undefined)
      return problem('PartnerRefused', {
        en: `${partner.name} answered ${status}: ${reason}`,
        de: `${partner.name} antwortete mit ${status}: ${reasonDe ?? `„${reason}“`}`,
      })
    return status === 404
      ? problem('PartnerRefused', {
          en: `${partner.name} answered 404. Probably it does not trust you yet, or the address is wrong.`,
          de: `${partner.name} antwortete mit 404. Wahrscheinlich vertraut man Ihnen dort noch nicht, oder die Adresse ist falsch.`,
        })
      : problem('PartnerRefused', {
          en: `${partner.name} answered ${status}.`,
          de: `${partner.name} antwortete mit ${status}.`,
        })
  }

  const versionAt = async (root: string): Promise<Result<string>> => {
    const answer = await deps.fetch({ url: root + VERSION_PATH, headers: { accept: 'application/json' } })
    if (!answer.ok) return answer
    const json = parseJson(answer.value.body)
    const versions =
      answer.value.status === 200 && json.ok
        ? readMessage(deps.validate, 'VersionResponse', json.value)
        : undefined
    if (versions === undefined || !versions.ok) {
      return problem('VersionUnsupported', {
        en: `${root} answered without a DSP version document. Give the public address of the partner's connector, such as https://connector.example.com`,
        de: `${root} antwortete ohne ein DSP-Versionsdokument. Geben Sie die öffentliche Adresse des Connectors Ihres Partners an, etwa https://connector.example.com`,
      })
    }
    // DSP 2025-1, 4.3: a client that finds no version it speaks ends the communication.
    const match = versions.value.protocolVersions.find(
      (v) => v.version === DSP_VERSION && v.binding.toUpperCase() === BINDING,
    )
    const spoken = versions.value.protocolVersions
      .map(({ version, binding }) =>
        version === DSP_VERSION ? `${version} over ${binding.slice(0, 50)}` : version,
      )
      .join(', ')
    return match === undefined
      ? problem('VersionUnsupported', {
          en: `${root} speaks ${spoken.slice(0, 300)}, not ${DSP_VERSION}${spoken.includes(DSP_VERSION) ? ' over HTTPS' : ''}.`,
          de: `${root} spricht ${spoken.slice(0, 300)}, nicht ${DSP_VERSION}${spoken.includes(DSP_VERSION) ? ' über HTTPS' : ''}.`,
        })
      : ok(root + (match.path === '/' ? '' : match.path.replace(/\/+$/, '')))
  }

  const page = async (partner: Partner, url: string): Promise<Result<CatalogPage>> => {
    const answer = await send(partner.did, {
      url,
      method: 'POST',
      headers: PACKED,
      body: JSON.stringify(catalogRequest()),
      maxBytes: MAX_CATALOG_BYTES,
    })
    if (!answer.ok) return answer
    if (answer.value.status !== 200) return refused(answer.value.status, answer.value.body, partner)
    const json = parseJson(answer.value.body, { maxBytes: MAX_CATALOG_BYTES, maxDepth: 32 })
    const catalog = json.ok ? readMessage(deps.validate, 'Catalog', json.value) : json
    if (!catalog.ok) return unusable(textOf(catalog.error))
    if (catalog.value.participantId !== partner.did) {
      const named = catalog.value.participantId.slice(0, 100)
      return unusable({
        en: `It names ${named} as its participant.`,
        de: `Sie nennt ${named} als ihren Teilnehmer.`,
      })
    }
    const { link } = answer.value.headers
    return ok({
      datasets: (catalog.value.dataset ?? []).map(remote),
      next: linkTo(NEXT, link, url),
      previous: linkTo(PREVIOUS, link, url),
      bytes: answer.value.body.byteLength,
    })
  }

  /** The pages from one on, itself excluded. */
  const follow = async (
    partner: Partner,
    from: CatalogPage,
    by: 'next' | 'previous',
    reading: Reading,
  ): Promise<Result<readonly CatalogPage[]>> => {
    const pages: CatalogPage[] = []
    for (let url = from[by]; url !== undefined && !reading.urls.has(url); ) {
      if (reading.urls.size >= MAX_PAGES || reading.bytes >= ENOUGH_BYTES) {
        reading.complete = false
        break
      }
      reading.urls.add(url)
      const one = await page(partner, url)
      if (!one.ok) return one
      reading.bytes += one.value.bytes
      pages.push(one.value)
      url = one.value[by]
    }
    return ok(pages)
  }

  return {
    async post(m, signal) {
      return send(m.partner, {
        url: m.url,
        method: 'POST',
        body: m.body,
        signal,
        // The status acknowledges. Most bodies are never looked at, and none that is may be longer than a message.
        maxBytes: MAX_ACKNOWLEDGEMENT_BYTES,
        truncate: true,
      })
    },

    async catalog(partner) {
      const start = urlOf(partner.address, PROVIDER_PATH.catalogRequest)
      const first = await page(partner, start)
      if (!first.ok) return first
      const reading: Reading = { urls: new Set([start]), bytes: first.value.bytes, complete: true }
      // A provider may answer with a page from the middle: what stands before it belongs to the catalog as well.
      const before = await follow(partner, first.value, 'previous', reading)
      if (!before.ok) return before
      const after = await follow(partner, first.value, 'next', reading)
      if (!after.ok) return after
      const pages = [...before.value.toReversed(), first.value, ...after.value]
      return ok({ datasets: pages.flatMap((one) => one.datasets), complete: reading.complete })
    },

    async dataset(partner, id) {
      const answer = await send(partner.did, {
        url: urlOf(partner.address, PROVIDER_PATH.dataset, id),
        headers: PACKED,
      })
      if (!answer.ok) return answer
      if (answer.value.status === 404) {
        return problem('NotFound', {
          en: `${partner.name} offers you no dataset ${id}. See what it offers: handschlag catalog ${partner.did}`,
          de: `${partner.name} bietet Ihnen keinen Datensatz ${id} an. Was angeboten wird, zeigt: handschlag catalog ${partner.did}`,
        })
      }
      if (answer.value.status !== 200) return refused(answer.value.status, answer.value.body, partner)
      const json = parseJson(answer.value.body)
      const dataset = json.ok ? readMessage(deps.validate, 'Dataset', json.value) : json
      if (!dataset.ok) return unusable(textOf(dataset.error))
      return dataset.value['@id'] === id
        ? ok(remote(dataset.value))
        : unusable({ en: 'It is about another dataset.', de: 'Sie handelt von einem anderen Datensatz.' })
    },

    async discover(address) {
      const given = address.replace(/\/+$/, '')
      const origin = URL.canParse(given) ? new URL(given).origin : given
      // Some connectors have it below their protocol path (EDC), the others at the root of the host (RFC 8615).
      const below = await versionAt(given)
      return below.ok || below.error.code !== 'VersionUnsupported' || origin === given
        ? below
        : versionAt(origin)
    },
  }
}

/** What stands before the path of a message. */
const baseOf = (url: string): string =>
  url.replace(/^(.*)\/(?:(?:catalog|negotiations|transfers)\/.*|duty-statements)$/, '$1')

const unusable = ({ en, de }: Text): Result<never> =>
  problem('PartnerAnswerInvalid', {
    en: `The partner's answer cannot be used. ${en}`,
    de: `Die Antwort des Partners ist nicht verwendbar. ${de}`,
  })

const text = (value: Json | undefined): string | undefined => (typeof value === 'string' ? value : undefined)

/** What a partner says of one signal; only a name makes it one. */
function remoteSignal(value: Json | undefined): readonly RemoteSignal[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  const said = value as JsonObject
  const name = text(said[SIGNAL.name])
  if (name === undefined) return []
  const more = { type: SIGNAL.type, unit: SIGNAL.unit, description: SIGNAL.description }
  const given = Object.entries(more).flatMap(([key, iri]) => {
    const word = text(said[iri])
    return word === undefined ? [] : [[key, word] as const]
  })
  return [{ name, ...Object.fromEntries(given) }]
}

function remote(entry: DatasetEntry): RemoteDataset {
  const raw = entry as unknown as JsonObject
  const title = text(raw[DESCRIPTION.title])
  const description = text(raw[DESCRIPTION.description])
  const keywords = raw[DESCRIPTION.keyword]
  const machineId = text(raw[CONTENT.machineId])
  return {
    id: entry['@id'],
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    keywords: [keywords].flat().filter((k): k is string => typeof k === 'string'),
    ...(machineId === undefined ? {} : { machineId }),
    signals: [raw[CONTENT.signals]].flat().flatMap(remoteSignal),
    formats: [...new Set(entry.distribution.map((d) => d.format))],
    offers: entry.hasPolicy as unknown as readonly JsonObject[],
    shapes: shapesIn(raw),
    raw,
  }
}
