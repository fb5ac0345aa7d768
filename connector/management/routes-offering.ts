/** Rows of the route table for partners and for what we offer. */
import { ok } from '../core/result.js'
import { type Route, reads, writes } from './route.js'

const PARTNER = '/api/v1/partners/{did}'
const SOURCE = '/api/v1/sources/{id}'
const DATASET = '/api/v1/datasets/{id}'

/** Of what is looked for in a catalog. */
const SOUGHT = { type: 'string', minLength: 1, maxLength: 200 } as const
const partners = { tag: 'Partners' } as const
const sources = { tag: 'Sources' } as const
const datasets = { tag: 'Datasets' } as const

export const OFFERING_ROUTES: readonly Route[] = [
  reads('/api/v1/partners', {
    ...partners,
    id: 'listPartners',
    summary: 'All partners.',
    answer: 'Partners',
    run: ({ ops }) => ok(ops.partners.list()),
  }),
  writes('post', '/api/v1/partners', {
    ...partners,
    id: 'addPartner',
    summary:
      'Add a partner after looking at its DID document and version document. It is not trusted by that.',
    request: 'NewPartner',
    answer: 'Partner',
    created: true,
    run: ({ ops, body, by }) => ops.partners.add(body, by),
  }),
  reads(PARTNER, {
    ...partners,
    id: 'showPartner',
    summary: 'One partner.',
    answer: 'Partner',
    run: ({ ops, param }) => ops.partners.show(param('did')),
  }),
  writes('patch', PARTNER, {
    ...partners,
    id: 'changePartner',
    summary: 'Change name, address or the way contracts are signed.',
    request: 'PartnerChange',
    answer: 'Partner',
    run: ({ ops, param, body, by }) => ops.partners.change(param('did'), body, by),
  }),
  writes('delete', PARTNER, {
    ...partners,
    id: 'removePartner',
    summary: 'Remove a partner with whom nothing runs and no contract is in force.',
    run: ({ ops, param, by }) => ops.partners.remove(param('did'), by),
  }),
  writes('post', `${PARTNER}/trust`, {
    ...partners,
    id: 'trustPartner',
    summary: 'Trust the partner with the keys that it shows now.',
    answer: 'Partner',
    run: ({ ops, param, by }) => ops.partners.trust(param('did'), by),
  }),
  writes('post', `${PARTNER}/block`, {
    ...partners,
    id: 'blockPartner',
    summary: 'Block the partner and end what runs with it.',
    answer: 'Partner',
    run: ({ ops, param, by }) => ops.partners.block(param('did'), by),
  }),
  reads(`${PARTNER}/catalog`, {
    ...partners,
    id: 'readCatalog',
    summary: 'What the partner offers us, asked now. With a query only what fits all of it.',
    query: {
      text: {
        ...SOUGHT,
        description: 'Words that all stand in the id, title, description or keywords of a dataset.',
      },
      keyword: { ...SOUGHT, description: 'A keyword of the dataset.' },
      format: { ...SOUGHT, description: 'A format in which the dataset is distributed: HttpData-PULL.' },
    },
    answer: 'RemoteCatalog',
    run: ({ ops, param, query }) => ops.partners.catalog(param('did'), query),
  }),
  reads(`${PARTNER}/catalog/{datasetId}`, {
    ...partners,
    id: 'readCatalogDataset',
    summary: 'One dataset of the partner, asked now.',
    answer: 'RemoteDataset',
    run: ({ ops, param }) => ops.partners.catalogDataset(param('did'), param('datasetId')),
  }),

  reads('/api/v1/sources', {
    ...sources,
    id: 'listSources',
    summary: 'All sources, with how they fare.',
    answer: 'Sources',
    run: ({ ops }) => ok(ops.datasets.sources()),
  }),
  writes('put', SOURCE, {
    ...sources,
    id: 'putSource',
    summary: 'Create or replace a source. Secrets have to be given again each time.',
    request: 'SourceInput',
    answer: 'Source',
    run: ({ ops, param, body, by }) => ops.datasets.putSource(param('id'), body, by),
  }),
  reads(SOURCE, {
    ...sources,
    id: 'showSource',
    summary: 'One source.',
    answer: 'Source',
    run: ({ ops, param }) => ops.datasets.source(param('id')),
  }),
  writes('delete', SOURCE, {
    ...sources,
    id: 'removeSource',
    summary: 'Remove a source that feeds no dataset.',
    run: ({ ops, param, by }) => ops.datasets.removeSource(param('id'), by),
  }),
  writes('post', `${SOURCE}/check`, {
    ...sources,
    id: 'checkSource',
    summary: 'Try the source now.',
    answer: 'CheckResult',
    run: ({ ops, param }) => ops.datasets.checkSource(param('id')),
  }),

  reads('/api/v1/datasets', {
    ...datasets,
    id: 'listDatasets',
    summary: 'All datasets with their offers.',
    answer: 'Datasets',
    run: ({ ops }) => ok(ops.datasets.list()),
  }),
  writes('put', DATASET, {
    ...datasets,
    id: 'putDataset',
    summary: 'Create or replace the description of a dataset.',
    request: 'DatasetInput',
    answer: 'Dataset',
    run: ({ ops, param, body, by }) => ops.datasets.put(param('id'), body, by),
  }),
  reads(DATASET, {
    ...datasets,
    id: 'showDataset',
    summary: 'One dataset.',
    answer: 'Dataset',
    run: ({ ops, param }) => ops.datasets.show(param('id')),
  }),
  writes('delete', DATASET, {
    ...datasets,
    id: 'removeDataset',
    summary: 'Remove a dataset that no active contract covers.',
    run: ({ ops, param, by }) => ops.datasets.remove(param('id'), by),
  }),
  writes('post', `${DATASET}/publish`, {
    ...datasets,
    id: 'publishDataset',
    summary: 'Show the dataset to the partners its offers are for.',
    answer: 'Dataset',
    run: ({ ops, param, by }) => ops.datasets.publish(param('id'), by),
  }),
  writes('post', `${DATASET}/unpublish`, {
    ...datasets,
    id: 'unpublishDataset',
    summary: 'Take the dataset out of the catalog. Contracts stay in force.',
    answer: 'Dataset',
    run: ({ ops, param, by }) => ops.datasets.unpublish(param('id'), by),
  }),
  reads(`${DATASET}/offers`, {
    ...datasets,
    id: 'listOffers',
    summary: 'The offers of a dataset.',
    answer: 'Offers',
    run: ({ ops, param }) => ops.datasets.offers(param('id')),
  }),
  writes('post', `${DATASET}/offers`, {
    ...datasets,
    id: 'addOffer',
    summary: 'Add an offer, as terms or as an ODRL policy. What cannot be enforced is refused.',
    request: 'NewOffer',
    answer: 'Offer',
    created: true,
    run: ({ ops, param, body, by }) => ops.datasets.addOffer(param('id'), body, by),
  }),
  writes('patch', '/api/v1/offers/{id}', {
    ...datasets,
    id: 'changeOffer',
    summary: 'Let requests for the offer be agreed by themselves, or by a person. Its terms never change.',
    request: 'OfferChange',
    answer: 'Offer',
    run: ({ ops, param, body, by }) => ops.datasets.setApproval(param('id'), body.approval, by),
  }),
  writes('delete', '/api/v1/offers/{id}', {
    ...datasets,
    id: 'removeOffer',
    summary: 'Remove an offer. Contracts made from it stay in force.',
    run: ({ ops, param, by }) => ops.datasets.removeOffer(param('id'), by),
  }),
]
