import { describe, expect, it } from 'vitest'
import { PROBLEMS } from '../../connector/core/result.js'
import { openApiDocument } from '../../connector/management/openapi.js'
import { ROUTES } from '../../connector/management/routes.js'
import { EXAMPLES } from '../../connector/management/schemas-requests.js'
import { openApi, validatorOf } from './support.js'

// Read back from its text, as a client gets it.
const document = JSON.parse(JSON.stringify(openApiDocument(ROUTES, '1.2.3')))
const operations = Object.entries<Record<string, Operation>>(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, ...operation })),
)

type Operation = {
  readonly operationId: string
  readonly summary: string
  readonly tags: readonly string[]
  readonly security?: readonly object[]
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[]
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly example?: unknown } } }
  readonly responses: Readonly<Record<string, { readonly description?: string; readonly $ref?: string }>>
}

function refsIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => (key === '$ref' ? [inner as string] : refsIn(inner)))
}

const resolved = (ref: string): unknown =>
  ref
    .replace(/^#\//, '')
    .split('/')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document)

describe('the OpenAPI document', () => {
  it('is served without a token, as OpenAPI 3.1 of this version', async () => {
    await using api = await openApi()
    const answer = await api.bare().get('/api/v1/openapi.json')
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({ openapi: '3.1.0', info: { version: '0.1.0' } })
    expect(answer.body.paths).toEqual(document.paths)
  })

  it('describes exactly the routes that are served', () => {
    const described = operations.map(({ method, path }) => `${method} ${path}`)
    expect(new Set(described)).toEqual(new Set(ROUTES.map(({ method, path }) => `${method} ${path}`)))
    expect(described).toHaveLength(ROUTES.length)
  })

  it('has every address that clients were promised', () => {
    // biome-ignore format: a list
    const promised = [
      'get /api/v1/status', 'get /api/v1/partners', 'post /api/v1/partners', 'get /api/v1/partners/{did}',
      'patch /api/v1/partners/{did}', 'delete /api/v1/partners/{did}', 'post /api/v1/partners/{did}/trust',
      'post /api/v1/partners/{did}/block', 'get /api/v1/partners/{did}/catalog',
      'get /api/v1/partners/{did}/catalog/{datasetId}', 'get /api/v1/sources', 'put /api/v1/sources/{id}',
      'get /api/v1/sources/{id}', 'delete /api/v1/sources/{id}', 'post /api/v1/sources/{id}/check',
      'get /api/v1/datasets', 'put /api/v1/datasets/{id}', 'get /api/v1/datasets/{id}', 'delete /api/v1/datasets/{id}',
      'post /api/v1/datasets/{id}/publish', 'post /api/v1/datasets/{id}/unpublish', 'get /api/v1/datasets/{id}/offers',
      'post /api/v1/datasets/{id}/offers', 'delete /api/v1/offers/{id}', 'post /api/v1/negotiations',
      'get /api/v1/negotiations', 'get /api/v1/negotiations/{pid}', 'post /api/v1/negotiations/{pid}/accept',
      'post /api/v1/negotiations/{pid}/terminate', 'post /api/v1/negotiations/{pid}/retry', 'get /api/v1/contracts',
      'get /api/v1/contracts/{id}', 'get /api/v1/contracts/{id}/verify', 'post /api/v1/contracts/{id}/revoke',
      'post /api/v1/transfers', 'get /api/v1/transfers', 'get /api/v1/transfers/{pid}',
      'post /api/v1/transfers/{pid}/suspend', 'post /api/v1/transfers/{pid}/resume',
      'post /api/v1/transfers/{pid}/complete', 'post /api/v1/transfers/{pid}/terminate',
      'post /api/v1/transfers/{pid}/retry', 'get /api/v1/transfers/{pid}/data', 'get /api/v1/transfers/{pid}/stream',
      'get /api/v1/tokens', 'post /api/v1/tokens', 'delete /api/v1/tokens/{name}', 'post /api/v1/setup',
      'get /api/v1/openapi.json', 'get /health/live', 'get /health/ready', 'get /metrics',
    ]
    const described = operations.map(({ method, path }) => `${method} ${path}`)
    expect(promised.filter((address) => !described.includes(address))).toEqual([])
  })

  it('resolves every reference', () => {
    expect(refsIn(document).length).toBeGreaterThan(50)
    expect(refsIn(document).filter((ref) => resolved(ref) === undefined)).toEqual([])
  })

  it('names every operation once, with a summary and a known tag', () => {
    const ids = operations.map((o) => o.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    const tags = document.tags.map((tag: { name: string }) => tag.name)
    expect(operations.filter((o) => o.summary === '' || !tags.includes(o.tags[0]))).toEqual([])
  })

  it('declares each parameter of a path, as required, and no other', () => {
    for (const { path, parameters } of operations) {
      const declared = parameters.filter((p) => p.in === 'path')
      expect(declared.map((p) => `{${p.name}}`)).toEqual(path.match(/\{\w+\}/g) ?? [])
      expect(declared.every((p) => p.required)).toBe(true)
    }
  })

  it('promises a success and an explained refusal for every operation', () => {
    for (const { responses } of operations) {
      expect(Object.keys(responses).filter((status) => /^[23]\d\d$/.test(status)).length).toBeGreaterThan(0)
      expect(Object.values(responses).every((r) => r.description !== undefined || r.$ref !== undefined)).toBe(
        true,
      )
      expect(responses.default).toEqual({ $ref: '#/components/responses/Problem' })
    }
  })

  it('asks for a token everywhere except where none is needed', () => {
    expect(document.security).toEqual([{ token: [] }])
    expect(document.components.securitySchemes.token).toMatchObject({ type: 'http', scheme: 'bearer' })
    const without = operations.filter((o) => o.security !== undefined).map((o) => `${o.method} ${o.path}`)
    // biome-ignore format: a list
    expect(without.sort()).toEqual([
      'get /api/v1/openapi.json', 'get /health/live', 'get /health/ready', 'get /metrics', 'get /setup', 'post /api/v1/setup',
    ])
  })

  it('lists every problem code with its meaning', () => {
    const { code } = document.components.schemas.Error.properties
    expect(code.enum).toEqual(Object.keys(PROBLEMS))
    for (const [name, meaning] of Object.entries(PROBLEMS))
      expect(code.description).toContain(`\`${name}\`: ${meaning}`)
  })

  it('gives every request with content an example that its own schema accepts', () => {
    for (const [name, example] of Object.entries(EXAMPLES)) {
      const validate = validatorOf(name)
      expect({ name, valid: validate(example), errors: validate.errors }).toEqual({
        name,
        valid: true,
        errors: null,
      })
    }
    const empty = operations.filter((o) => o.requestBody?.content['application/json'].example === undefined)
    expect(
      empty.filter((o) => JSON.stringify(o.requestBody ?? 'Nothing').includes('Nothing') === false),
    ).toEqual([])
  })
})
