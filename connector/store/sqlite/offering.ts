/**
 * Datasets and offers, and beside them who can possibly see each offer of a published dataset: what a catalog reads
 * depends on what its reader may see, not on how much there is. Every change keeps both in one transaction.
 */
import type Database from 'better-sqlite3'
import type { Dataset, Offer } from '../../domain/dataset.js'
import type { AudienceRule, Offered, Reader } from '../store.js'
import { documents, keptInMemory, parseRows } from './documents.js'

/** In the place of a participant: anybody. No DID looks like it. */
const ANYBODY = '*'
/** Offers that are read at once while the audiences are written anew. */
const BATCH = 1000

/** Without a rule every offer stored is for anybody to ask about. */
export function offeringTables(db: Database.Database, rule?: AudienceRule) {
  const audienceOf = (offer: Offer): string | null => {
    const audience = rule?.of(offer)
    return audience === undefined ? null : JSON.stringify(audience)
  }
  const datasets = keptInMemory(
    documents<Dataset>(db, 'dataset', 'id', (d) => ({
      source_id: d.sourceId ?? null,
      published: d.published ? 1 : 0,
    })),
  )
  const offers = keptInMemory(
    documents<Offer>(db, 'offer', 'id', (o) => ({ dataset_id: o.datasetId, audience: audienceOf(o) })),
  )

  const isPublished = db.prepare('SELECT published FROM dataset WHERE id = ?').pluck()
  const forgetOffer = db.prepare('DELETE FROM offer_audience WHERE offer_id = ?')
  const forgetDataset = db.prepare('DELETE FROM offer_audience WHERE dataset_id = ?')
  const noteWhere = (condition: string) =>
    db.prepare(`
      INSERT OR IGNORE INTO offer_audience (recipient, dataset_id, offer_id)
      SELECT who.value, offer.dataset_id, offer.id
      FROM offer JOIN dataset ON dataset.id = offer.dataset_id,
        json_each(coalesce(offer.audience, '["${ANYBODY}"]')) AS who
      WHERE dataset.published = 1 AND ${condition}`)
  const noteOffer = noteWhere('offer.id = ?')
  const noteDataset = noteWhere('offer.dataset_id = ?')

  const offersOf = db.prepare('SELECT data FROM offer WHERE dataset_id = @datasetId ORDER BY id')
  // Ordered walks through the primary key, merged: nothing behind the limit is looked at.
  const walk = (comparison: '>' | '<', order: 'ASC' | 'DESC') =>
    db
      .prepare(`
        SELECT dataset_id FROM offer_audience WHERE recipient = @recipient AND dataset_id ${comparison} @from
        UNION
        SELECT dataset_id FROM offer_audience WHERE recipient = @group AND dataset_id ${comparison} @from
        UNION
        SELECT dataset_id FROM offer_audience WHERE recipient = '${ANYBODY}' AND dataset_id ${comparison} @from
        ORDER BY dataset_id ${order} LIMIT @limit + 0`)
      .pluck()
  const forwards = walk('>', 'ASC')
  const backwards = walk('<', 'DESC')
  const offeredOf = db.prepare(`
    SELECT data FROM offer WHERE id IN (
      SELECT offer_id FROM offer_audience
      WHERE recipient IN (@recipient, @group, '${ANYBODY}') AND dataset_id = @datasetId
    ) ORDER BY id`)

  const offered = (reader: Reader, datasetId: string): Offered | undefined => {
    const { recipient, group = recipient } = reader
    const found = offeredOf.all({ recipient, group, datasetId })
    const dataset = found.length === 0 ? undefined : datasets.get(datasetId)
    return dataset === undefined ? undefined : { dataset, offers: parseRows<Offer>(found) }
  }
  const all = (reader: Reader, datasetIds: readonly unknown[]): readonly Offered[] =>
    datasetIds.flatMap((datasetId) => offered(reader, String(datasetId)) ?? [])

  if (rule !== undefined) renewAudiences(db, rule, audienceOf, noteWhere('true'))

  return {
    datasets: {
      ...datasets,
      put(dataset: Dataset): void {
        const before = isPublished.get(dataset.id) === 1
        datasets.put(dataset)
        if (before && !dataset.published) forgetDataset.run(dataset.id)
        if (!before && dataset.published) noteDataset.run(dataset.id)
      },
    },
    offers: {
      ...offers,
      put(offer: Offer): void {
        forgetOffer.run(offer.id)
        offers.put(offer)
        noteOffer.run(offer.id)
      },
      of: (datasetId: string) => parseRows<Offer>(offersOf.all({ datasetId })),
    },
    forget(): void {
      datasets.forget()
      offers.forget()
    },
    offered,
    offeredAfter: (reader: Reader, from: string, limit: number) => {
      const { recipient, group = recipient } = reader
      return all(reader, forwards.all({ recipient, group, from, limit }))
    },
    offeredBefore: (reader: Reader, from: string, limit: number) => {
      const { recipient, group = recipient } = reader
      return all(reader, backwards.all({ recipient, group, from, limit }))
    },
  }
}

/** Audiences that another version of the rule has found are found again: it may have understood less, or otherwise. */
function renewAudiences(
  db: Database.Database,
  { version }: AudienceRule,
  audienceOf: (offer: Offer) => string | null,
  noteAll: Database.Statement,
): void {
  const known = db.prepare('SELECT version FROM audience_rule').pluck().get()
  if (known === version) return
  const after = db.prepare('SELECT data FROM offer WHERE id > @afterId ORDER BY id LIMIT @limit + 0')
  const set = db.prepare('UPDATE offer SET audience = @audience WHERE id = @id')
  db.transaction(() => {
    for (let afterId: string | undefined = ''; afterId !== undefined; ) {
      const batch: readonly Offer[] = parseRows<Offer>(after.all({ afterId, limit: BATCH }))
      for (const offer of batch) set.run({ id: offer.id, audience: audienceOf(offer) })
      afterId = batch.at(-1)?.id
    }
    db.exec('DELETE FROM offer_audience; DELETE FROM audience_rule')
    noteAll.run()
    db.prepare('INSERT INTO audience_rule (version) VALUES (?)').run(version)
  })()
}
