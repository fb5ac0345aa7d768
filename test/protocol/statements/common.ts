/** Statements 1 to 8: what all parts of the protocol share, and how connectors find each other. */
import type { Chapter } from './table.js'

export const COMMON: Chapter = {
  title: 'Common functions',
  statements: [
    {
      number: 1,
      level: 'should',
      says: 'Requests carry an Authorization header, for whose content the protocol leaves room.',
      here: 'Every request carries a fresh token of ours for that partner, and whoever shows none gets nothing.',
      tests: {
        'protocol/discovery.test.ts': [
          'goes with every request of ours to a partner, and with none for what everybody may read',
        ],
        'protocol/access.test.ts': [
          'gives whoever shows no token, a damaged one or one with a foreign signature the same empty 404',
          'identifies itself towards partners with a token for them, signed by the key of its DID document',
        ],
        'identity/token.test.ts': ['proves who sent it', 'is made for one partner and lives two minutes'],
      },
    },
    {
      number: 2,
      level: 'must',
      says: 'Messages conform to the JSON Schemas, whether they are read as plain JSON or as JSON-LD.',
      here: 'What leaves is plain JSON in exactly the shape of the schemas. What comes may be spelled in any way that JSON-LD allows.',
      tests: {
        'protocol/json-ld.test.ts': [
          'loses nothing of any message of ours: expanded and compacted again it is the same',
          'understands a partner whose processor expands every message that it sends',
        ],
        'protocol/endpoints.test.ts': [
          'is answered 400 with an error body: …',
          'is answered 200, or 201 where a process begins, to a consumer',
          'is answered 200, or 201 where a process begins, to a provider',
        ],
        'protocol/access.test.ts': ['sends nothing that does not match the schemas'],
        'dsp/messages.test.ts': ['is valid as an outgoing message'],
        'dsp/normalise.test.ts': [
          'comes back as the very same object, with everything that is not of the protocol in it',
          'with prefixes',
          'expanded, without any context',
          'with lists of one where there is one, and one where there is a list',
        ],
        'dsp/messages-recorded.test.ts': [
          'every message that is right is accepted',
          'every message that is wrong is refused for its own reason',
        ],
        'protocol/negotiation-provider.test.ts': [
          'accepts unknown properties, further contexts, the context as one text, and trailing slashes',
        ],
      },
    },
    {
      number: 3,
      level: 'must',
      says: 'There is a version endpoint, whose path ends in /.well-known/dspace-version.',
      tests: {
        'protocol/access.test.ts': [
          'MET:01-01 serves the version document at the root, without authentication, and it leads to every endpoint',
        ],
        'protocol/discovery.test.ts': ['has no version in its own path, and the protocol is nowhere else'],
      },
    },
    {
      number: 4,
      level: 'must',
      says: 'Its answer names at least one version with path and binding, in the shape of the schema.',
      tests: {
        'protocol/discovery.test.ts': [
          'conforms to the schema, and root and path lead to the base that catalogs name as the data service',
        ],
        'dsp/messages.test.ts': ['the version document names one version and has no context'],
      },
    },
    {
      number: 5,
      level: 'must',
      says: 'The version endpoint itself has no version and asks nobody who they are.',
      tests: {
        'protocol/discovery.test.ts': [
          'is the same for everybody, whoever they are and whatever they show',
          'has no version in its own path, and the protocol is nowhere else',
        ],
      },
    },
    {
      number: 6,
      level: 'must',
      says: 'A client that finds no version it speaks ends the communication.',
      here: 'Such a partner is not added: no message goes out, and the operator reads which versions it speaks.',
      tests: {
        'protocol/discovery.test.ts': [
          'without a version that both know is left alone: %s',
          'is spoken to in the version that both know: %s',
        ],
      },
    },
    {
      number: 7,
      level: 'must',
      says: 'The root address and the absolute path of a version make the base of all its endpoints.',
      tests: {
        'protocol/discovery.test.ts': [
          'conforms to the schema, and root and path lead to the base that catalogs name as the data service',
          'is spoken to in the version that both know: %s',
        ],
        'protocol/access.test.ts': [
          'MET:01-01 serves the version document at the root, without authentication, and it leads to every endpoint',
        ],
      },
    },
    {
      number: 8,
      level: 'must',
      says: 'A DID document that tells of the connector has a service entry in the shape of the schema.',
      here: 'There are two entries, because the schema wants the address of the catalog and the text that of the version document.',
      tests: {
        'protocol/access.test.ts': [
          'serves its DID document without authentication, with both DSP services and both keys',
        ],
        'dsp/messages.test.ts': ['the DID document leads to the catalog and to the version document'],
      },
    },
  ],
}
