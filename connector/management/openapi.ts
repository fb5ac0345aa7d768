/** Renders the route table as an OpenAPI 3.1 document. Nothing is described here that the table does not have. */
import { parametersOf, type Route } from './route.js'
import type { Schema } from './schema.js'
import { SCHEMAS } from './schemas.js'
import { EXAMPLES } from './schemas-requests.js'

const PARAMETERS: Readonly<Record<string, string>> = {
  did: 'DID of the partner, percent-encoded.',
  id: 'Id, percent-encoded.',
  pid: 'Our own pid of the process, percent-encoded.',
  datasetId: "Id of the dataset in the partner's catalog, percent-encoded.",
  name: 'Name of the token, percent-encoded.',
}

const TAGS = {
  Operation: 'How the connector is doing.',
  Partners: 'Who we know, whom we trust, and what they offer.',
  Sources: 'Where data comes from.',
  Datasets: 'What we offer, and under which terms.',
  Shapes: 'Documents that say for single signals how values are rounded, changed and hidden.',
  Templates: 'Policies to start from, with parameters.',
  Policies: 'Who may have what, when, and why.',
  Facts: 'What you confirm about partners and events, for contracts that demand it.',
  Negotiations: 'Contracts in the making.',
  Contracts: 'Contracts, in words and exactly.',
  Duties: 'What is owed after the delivery, and how it stands.',
  Transfers: 'Data under way.',
  Access: 'Access tokens of this API.',
}

const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` })
const json = (schema: Schema, example?: unknown): Schema => ({
  'application/json': { schema, ...(example === undefined ? {} : { example }) },
})

export function openApiDocument(routes: readonly Route[], version: string): Schema {
  const paths: Record<string, Record<string, Schema>> = {}
  for (const route of routes) {
    const item = paths[route.path] ?? {}
    item[route.method] = operation(route)
    paths[route.path] = item
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Handschlag management API',
      version,
      description:
        'Everything the operator of a connector can do. Times are ISO 8601 in UTC; ids, pids and DIDs in addresses are percent-encoded. Sent to localhost or a configured host name only.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'An access token of this connector. POST /api/v1/setup makes the first one.',
        },
      },
      responses: {
        Problem: { description: 'It was not done; the body says why.', content: json(ref('Error')) },
      },
      schemas: SCHEMAS,
    },
  }
}

function operation(route: Route): Schema {
  const body = route.kind === 'json' ? route.request : undefined
  const required = body !== undefined && SCHEMAS[body]?.required !== undefined
  return {
    operationId: route.id,
    summary: route.summary,
    tags: [route.tag],
    ...(route.access === undefined ? {} : { security: route.access === 'open' ? [] : [{}, { token: [] }] }),
    parameters: [
      ...parametersOf(route.path).map((name) => ({
        name,
        in: 'path',
        required: true,
        description: PARAMETERS[name] ?? name,
        schema: { type: 'string' },
      })),
      ...Object.entries(route.query ?? {}).map(([name, { description, ...schema }]) => ({
        name,
        in: 'query',
        required: false,
        ...(description === undefined ? {} : { description }),
        schema,
      })),
      ...(route.kind === 'data' ? headersOf(route.as) : []),
    ],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required,
            content: json(ref(body), body === 'Nothing' ? undefined : EXAMPLES[body]),
          },
        }),
    responses: { ...success(route), default: { $ref: '#/components/responses/Problem' } },
  }
}

const header = (name: string, description: string): Schema => ({
  name,
  in: 'header',
  required: false,
  description,
  schema: { type: 'string' },
})

// OpenAPI 3.1, Parameter Object: a header parameter named Accept would be ignored; the answers say what there is.
const headersOf = (as: 'pull' | 'stream'): readonly Schema[] =>
  as === 'pull'
    ? [header('Range', 'Part of a file.'), header('If-None-Match', 'ETag of a file that you have.')]
    : [header('Last-Event-ID', 'Id of the last record received.')]

const bytes: Schema = { schema: { type: 'string' } }

function success(route: Route): Schema {
  if (route.kind === 'data') {
    if (route.as === 'stream') {
      return { 200: { description: 'One event per record.', content: { 'text/event-stream': bytes } } }
    }
    return {
      200: {
        description: 'Records in the format that Accept asks for, or a file.',
        headers: {
          Link: { description: 'Where the next records are, rel="next".', schema: { type: 'string' } },
        },
        content: {
          'application/x-ndjson': bytes,
          'application/json': { schema: {} },
          'text/csv': bytes,
          'application/octet-stream': {},
        },
      },
      206: {
        description: 'The part of a file that was asked for.',
        content: { 'application/octet-stream': {} },
      },
      304: { description: 'The file is the one that you have.' },
    }
  }
  if (route.kind === 'own') {
    if (route.answer === undefined) return { 200: { description: 'Done.', content: { 'text/plain': bytes } } }
    const said = { description: 'Done.', content: json(ref(route.answer)) }
    return route.says === 'openapi' ? { 200: said } : { 200: said, 503: { ...said, description: 'No.' } }
  }
  const { status, answer } = route
  return {
    [status]:
      answer === undefined ? { description: 'Done.' } : { description: 'Done.', content: json(ref(answer)) },
  }
}
