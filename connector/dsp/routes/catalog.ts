/** Catalog protocol, provider side. DSP 2025-1, Catalog HTTPS Binding. */
import { gzipSync } from 'node:zlib'
import type { Request, Response, Router } from 'express'
import { ok } from '../../core/result.js'
import type { Json, JsonObject, ParticipantId } from '../../core/types.js'
import { ownIdFor, type Partner, reachedBy } from '../../domain/partner.js'
import { FORMATS } from '../../domain/transfer.js'
import { type CatalogDeps, catalogEntry, catalogPage, type Entry } from '../../services/catalog.js'
import { readFilter } from '../../services/catalog-filter.js'
import { asOne, catalog, dataset, type OfferedDataset } from '../build-catalog.js'
import { CONTENT, PROVIDER_PATH as P, SIGNAL } from '../messages.js'
import { withShapes } from '../shape-texts.js'
import { type ExchangeDeps, type Mount, onMessage, onRead, param } from './exchange.js'

export type CatalogRouteDeps = {
  readonly services: CatalogDeps
  readonly ownDid: ParticipantId
  /** Our DSP base address. */
  readonly baseUrl: string
}

/** Datasets on one page. */
const PAGE = 100
/** Below this size compression costs more than it saves, bytes. */
const WORTH_COMPRESSING = 1400

export function catalogRoutes(deps: ExchangeDeps, own: CatalogRouteDeps): Mount {
  /** Who and where we are for one partner. */
  const seenBy = (partner: Partner) => ({
    participantId: ownIdFor(partner, own.ownDid),
    service: { id: `${own.ownDid}#dsp`, baseUrl: reachedBy(partner, own.baseUrl) },
  })
  const offered = (
    { dataset: d, offers, shapes }: Entry,
    partner: Partner,
    assigner: string,
  ): OfferedDataset => ({
    id: d.id,
    title: d.title,
    ...(d.description === undefined ? {} : { description: d.description }),
    keywords: d.keywords,
    offers: offers.map((offer) => ({ id: offer.id, policy: termsFor(partner, offer.policy), assigner })),
    formats: FORMATS,
    extensions: { ...descriptionOf(d), ...withShapes(shapes) },
  })

  // DSP 2025-1, Catalog HTTPS Binding, "Pagination": both relations, by the Link header.
  const link = (
    base: string,
    where: 'after' | 'before',
    id: string | undefined,
    rel: string,
  ): readonly string[] =>
    id === undefined ? [] : [`<${base}${P.catalogRequest}?${where}=${encodeURIComponent(id)}>; rel="${rel}"`]

  return (router: Router) => {
    router.post(
      P.catalogRequest,
      onMessage(deps, 'catalog', 'CatalogRequestMessage', async (m, { partner }, req, res) => {
        const filter = readFilter(m.filter)
        if (!filter.ok) return filter
        const page = catalogPage(own.services, partner, {
          limit: Math.min(PAGE, filter.value.limit ?? PAGE),
          filter: filter.value,
          ...asked('after', req),
          ...asked('before', req),
        })
        const { participantId, service } = seenBy(partner)
        const base = service.baseUrl
        const links = [
          link(base, 'after', page.next, 'next'),
          link(base, 'before', page.previous, 'previous'),
        ].flat()
        if (links.length > 0) res.setHeader('Link', links.join(', '))
        const body = catalog({
          id: `${base}/catalog`,
          participantId,
          service,
          datasets: page.entries.map((entry) => offered(entry, partner, participantId)),
        })
        send(res, req.acceptsEncodings('gzip') === 'gzip', JSON.stringify(body))
        return ok(undefined)
      }),
    )

    router.get(
      P.dataset,
      onRead(deps, 'catalog', async ({ partner }, req, res) => {
        const entry = catalogEntry(own.services, partner, param(req, 'id'))
        if (!entry.ok) return entry
        const { participantId, service } = seenBy(partner)
        send(
          res,
          req.acceptsEncodings('gzip') === 'gzip',
          JSON.stringify(dataset(offered(entry.value, partner, participantId), service)),
        )
        return ok(undefined)
      }),
    )
  }
}

/**
 * EDC keeps the profile of an offer, does not send it in its request, and then misses it in the agreement. Our terms are
 * absolute names and mean the same without it.
 */
function termsFor({ dialect }: Partner, policy: JsonObject): JsonObject {
  if (dialect !== 'edc') return policy
  const { profile: _, ...terms } = policy
  return terms
}

/** A place in the catalog, from a link of ours. */
const asked = <Key extends 'after' | 'before'>(key: Key, req: Request): { readonly [K in Key]?: string } => {
  const value = req.query[key]
  return (typeof value === 'string' ? { [key]: value } : {}) as { readonly [K in Key]?: string }
}

function send(res: Response, gzip: boolean, body: string): void {
  res.status(200).type('application/json').vary('Accept-Encoding')
  if (gzip && body.length > WORTH_COMPRESSING) res.setHeader('Content-Encoding', 'gzip').end(gzipSync(body))
  else res.end(body)
}

/** Machine and signals under absolute names, for partners that want to know what they buy. */
function descriptionOf(d: Entry['dataset']): { readonly [iri: `https://${string}`]: Json } {
  return {
    ...(d.machineId === undefined ? {} : { [CONTENT.machineId]: d.machineId }),
    ...(d.signals.length === 0
      ? {}
      : {
          [CONTENT.signals]: asOne(
            d.signals.map((s) => ({
              [SIGNAL.name]: s.name,
              [SIGNAL.type]: s.type,
              ...(s.unit === undefined ? {} : { [SIGNAL.unit]: s.unit }),
              ...(s.description === undefined ? {} : { [SIGNAL.description]: s.description }),
            })),
          ),
        }),
  }
}
