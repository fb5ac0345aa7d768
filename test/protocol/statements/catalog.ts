/** Statements 9 to 24: the catalog protocol and its HTTPS binding. */
import type { Chapter } from './table.js'

export const CATALOG: Chapter = {
  title: 'Catalog',
  statements: [
    {
      number: 9,
      level: 'must',
      says: 'A catalog request is answered with a Catalog in the shape of the schema.',
      tests: {
        'protocol/catalog.test.ts': [
          'CAT:01-01 lists its datasets with offers, distributions and the service that leads to them',
          'shows each partner only what it may have',
        ],
      },
    },
    {
      number: 10,
      level: 'must',
      says: 'A request that names a dataset is answered with that Dataset.',
      tests: { 'protocol/catalog.test.ts': ['CAT:01-02 shows one dataset'] },
    },
    {
      number: 11,
      level: 'must',
      says: 'A catalog has any number of datasets and at least one data service. Without datasets the list is left out.',
      tests: {
        'protocol/catalog.test.ts': ['answers without a list of datasets while there is nothing to offer'],
        'protocol/catalog-content.test.ts': [
          'names the data service, and each dataset a distribution of it for every format',
        ],
      },
    },
    {
      number: 12,
      level: 'must',
      says: 'A dataset has at least one offer.',
      here: 'A dataset without an offer for the partner is not shown to it, and one without any cannot be published.',
      tests: {
        'protocol/catalog-content.test.ts': [
          'has at least one offer for each dataset, each with an id of its own and without a target, in whole and in part',
        ],
        'protocol/catalog.test.ts': ['shows each partner only what it may have'],
      },
    },
    {
      number: 13,
      level: 'must',
      says: 'A dataset has at least one distribution.',
      tests: {
        'protocol/catalog-content.test.ts': [
          'names the data service, and each dataset a distribution of it for every format',
        ],
      },
    },
    {
      number: 14,
      level: 'must',
      says: 'A distribution has a data service, whose address is the base of the endpoints of the version in use.',
      tests: {
        'protocol/discovery.test.ts': [
          'conforms to the schema, and root and path lead to the base that catalogs name as the data service',
        ],
        'protocol/catalog-content.test.ts': [
          'names the data service, and each dataset a distribution of it for every format',
        ],
      },
    },
    {
      number: 15,
      level: 'must',
      says: 'Each offer has an id of its own and belongs to one dataset, which in a catalog it does not name as its target.',
      tests: {
        'protocol/counter-offers.test.ts': [
          'refuses a request for another dataset than the negotiation is about, and stays where it was',
          'refuses an offer of another dataset than the negotiation is about, and stays where it was',
        ],
        'protocol/catalog-content.test.ts': [
          'has at least one offer for each dataset, each with an id of its own and without a target, in whole and in part',
          'can have no two offers of one id, in whatever datasets',
        ],
        'protocol/negotiation-provider.test.ts': [
          'refuses an offer that does not exist, that is for others, or that was changed',
        ],
      },
    },
    {
      number: 16,
      level: 'must',
      says: 'A consumer can query the catalogs that it gets, on its own side.',
      here: '`handschlag catalog PARTNER --search WORDS --keyword WORD --format FORMAT`, and the same in the management API.',
      tests: {
        'protocol/catalog-content.test.ts': [
          'can be searched by words, keyword and format, over all of its pages',
        ],
        'management/offering.test.ts': ['show of their catalog what is looked for'],
        'cli-commands/offering.test.ts': [
          'searches: passes on what is looked for, and says when nothing fits',
        ],
      },
    },
    {
      number: 17,
      level: 'should',
      says: 'A catalog is shown to each participant as far as it has access.',
      here: 'Strangers get nothing. Each partner sees the datasets that have an offer for it, and of those only its offers.',
      tests: {
        'protocol/catalog.test.ts': [
          'shows each partner only what it may have',
          'CAT:01-03 answers a CatalogError for a dataset that does not exist, is hidden, or is not published',
        ],
        'protocol/access.test.ts': [
          'gives strangers, and partners that are not trusted, an empty 404 for everything, as for paths that do not exist',
        ],
      },
    },
    {
      number: 18,
      level: 'should',
      says: 'A broker that passes on the catalogs of others respects their access rules.',
      here: 'Handschlag is no broker: it shows its own datasets only, never anything of a partner, and reads of a partner only what is its own.',
      tests: {
        'protocol/catalog-content.test.ts': [
          'holds nothing of others: we are no broker, whatever a partner offers to us',
        ],
      },
    },
    {
      number: 19,
      level: 'must',
      says: 'Requests and answers about catalogs are application/json.',
      tests: {
        'protocol/endpoints.test.ts': [
          'is left to the partner, and every answer is application/json',
          'is told by every message of ours as application/json',
        ],
      },
    },
    {
      number: 20,
      level: 'must',
      says: 'What fails is answered with a fitting status and a CatalogError.',
      tests: {
        'protocol/endpoints.test.ts': [
          'is answered 400 with an error body: …',
          'is answered 404 with an error body on every path that names a process or a dataset',
        ],
        'protocol/catalog.test.ts': [
          'CAT:01-03 answers a CatalogError for a dataset that does not exist, is hidden, or is not published',
        ],
      },
    },
    {
      number: 21,
      level: 'must',
      says: 'A filter that is not supported is answered 400.',
      here: 'Pages and simple criteria, as EDC writes them, are kept. What cannot be kept exactly is refused.',
      tests: {
        'protocol/catalog.test.ts': [
          'takes the filter that EDC always sends, keeps simple criteria, and refuses what it cannot keep',
        ],
      },
    },
    {
      number: 22,
      level: 'must',
      says: 'A catalog and a dataset are answered with 200.',
      tests: {
        'protocol/endpoints.test.ts': ['is answered 200, or 201 where a process begins, to a consumer'],
      },
    },
    {
      number: 23,
      level: 'must',
      says: 'A catalog in pages is linked by the Link header, with the relations next and previous.',
      here: 'Both are sent and both are followed; "prev", as EDC writes it, is followed too. Links to other hosts are not.',
      tests: {
        'protocol/catalog.test.ts': [
          'with Link headers that lead through every dataset once, forwards and back again',
          'with an answer for places that lead nowhere',
          'reads all pages, whether their links are absolute or relative',
          'reads what stands before a page from the middle, by either name of the relation',
          'does not follow a page to another host, where its token has no business',
          'ends with pages that never end, and with pages that lead in a circle',
          'ends with pages that are long, before they fill the memory',
        ],
      },
    },
    {
      number: 24,
      level: 'may',
      says: 'Answers may be packed with gzip.',
      here: 'They are when the partner accepts it. Packed answers of partners are read, and never unpacked without end.',
      tests: {
        'protocol/catalog-content.test.ts': [
          'is done as Accept-Encoding says: %s',
          'is not worth it for a short answer, and is never done to an error',
        ],
        'protocol/catalog.test.ts': [
          'asks for gzip, and reads what comes packed',
          'does not unpack without end',
        ],
        'dataspace/bad-input-message.test.ts': ['is too large, whether it says so or not, packed or not'],
        'identity/outgoing.test.ts': [
          'unpacks an answer that comes as gzip, whoever spells it how',
          'limits what a packed answer grows to, and what comes in for nothing',
          'says that an answer cannot be unpacked, unless nobody depends on its body',
        ],
      },
    },
  ],
}
