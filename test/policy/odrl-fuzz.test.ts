/** Whatever a stranger writes: nothing throws, and nothing that is not understood ever allows more. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { evaluateLine } from '../../connector/policy/batch.js'
import { compareLine } from '../../connector/policy/batch-compare.js'

const RUNS = { numRuns: 400 }
const OPTIONS = { lang: 'en', profiles: [], duties: 'before', report: true } as const

const value = fc.constantFrom<unknown>('3', 5, ['3', '7'], 'P1D', { '@value': '4', '@type': 'xsd:integer' })
const atom = fc.record({
  leftOperand: fc.constantFrom(
    'count',
    'odrl:payAmount',
    'purpose',
    'dateTime',
    'https://vocabulary.example/x',
  ),
  operator: fc.constantFrom('eq', 'neq', 'lt', 'lteq', 'gt', 'gteq', 'isAnyOf', 'isNoneOf', 'isPartOf'),
  rightOperand: value,
})
const condition = fc.letrec<{ condition: object }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 2 },
    atom,
    ...['and', 'or', 'xone', 'andSequence'].map((kind) =>
      fc.array(tie('condition'), { minLength: 1, maxLength: 3 }).map((operands) => ({ [kind]: operands })),
    ),
  ),
})).condition
const duty = fc.record({
  action: fc.constantFrom('inform', 'delete'),
  constraint: fc.array(atom, { maxLength: 1 }),
})
/**
 * Something by its name, or a collection, perhaps only partly meant. What is not said to be a collection is a single thing:
 * that its name is also the name of a group of others is known from the state alone.
 */
const some = (kind: string, names: readonly string[], group: string) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom<unknown>(...names) },
    {
      weight: 1,
      arbitrary: fc.record(
        {
          '@type': fc.constant(`${kind}Collection`),
          source: fc.constant(group),
          refinement: fc.array(atom, { maxLength: 1 }),
        },
        { requiredKeys: ['@type', 'source'] },
      ),
    },
  )
const rule = fc.record(
  {
    action: fc.constantFrom<unknown>('use', 'play', 'display', {
      'rdf:value': { '@id': 'odrl:use' },
      refinement: [],
    }),
    target: some('Asset', ['urn:x:1', 'urn:x:3'], 'urn:x:2'),
    assignee: some('Party', ['urn:p:1', 'urn:p:3'], 'urn:p:2'),
    constraint: fc.array(condition, { maxLength: 2 }),
    duty: fc.array(duty, { maxLength: 1 }),
  },
  { requiredKeys: ['action'] },
)
const prohibition = rule.map(({ duty: _duty, ...rest }) => rest)
const policy = fc.record(
  {
    permission: fc.array(rule, { minLength: 1, maxLength: 2 }),
    prohibition: fc.array(prohibition, { maxLength: 2 }),
    conflict: fc.constantFrom('perm', 'prohibit', 'invalid'),
  },
  { requiredKeys: ['permission'] },
)
const REQUEST = { action: 'use', target: 'urn:x:1', assignee: 'urn:p:1' }
const STATE = {
  at: '2026-06-01T00:00:00Z',
  facts: { count: '3', payAmount: '5', purpose: 'x', 'https://vocabulary.example/x': '4' },
  memberships: { 'urn:x:1': 'urn:x:2', 'urn:p:1': 'urn:p:2' },
  duties: { inform: 'fulfilled', delete: 'violated' },
}

const decisionOn = (json: unknown, action = REQUEST.action): unknown =>
  (
    evaluateLine(
      JSON.stringify({ policy: json, request: { ...REQUEST, action }, state: STATE }),
      OPTIONS,
    ) as {
      decision?: string
    }
  ).decision ?? 'error'
/** The widest action, one within, and one that includes no other. */
const asked = fc.constantFrom('use', 'play', 'display')

type Place = { readonly holder: Record<string, unknown> | unknown[]; readonly key: string }

/** Every place that holds something, from the top down. Values of a condition are a set, to which adding is no secret. */
function places(json: unknown): readonly Place[] {
  if (typeof json !== 'object' || json === null) return []
  const holder = json as Record<string, unknown>
  return Object.keys(json).flatMap((key) => [
    { holder, key },
    ...(key === 'rightOperand' ? [] : places(holder[key])),
  ])
}

const STRANGE = fc.constantFrom<unknown>(
  null,
  7,
  'https://vocabulary.example/strange',
  { 'https://vocabulary.example/strange': true },
  [{ strange: 1 }],
  { '@value': 'strange' },
)

/** Another name or value is no unknown thing: it makes another rule, which may well allow more. */
const isUnderstood = (key: string, strange: unknown): boolean => {
  const isName = typeof strange === 'string' || JSON.stringify(strange).startsWith('{"@value"')
  return isName
    ? ['target', 'assignee', 'source', '@id', 'rightOperand'].includes(key)
    : key === 'rightOperand' && strange === 7
}

describe('what is not understood', () => {
  it('never allows more when it is added, anywhere', () => {
    fc.assert(
      fc.property(policy, fc.nat(), STRANGE, asked, (json, pick, strange, action) => {
        const before = decisionOn(json, action)
        const changed = structuredClone(json)
        const objects = [
          changed as Record<string, unknown>,
          ...places(changed).flatMap(({ holder, key }) => {
            const inner = (holder as Record<string, unknown>)[key]
            return typeof inner === 'object' && inner !== null && !Array.isArray(inner)
              ? [inner as Record<string, unknown>]
              : []
          }),
        ]
        const place = objects[pick % objects.length]
        if (place === undefined) return
        place['https://vocabulary.example/added'] = strange
        if (before !== 'permit') expect(decisionOn(changed, action)).not.toBe('permit')
      }),
      RUNS,
    )
  })

  it('never allows more when it takes the place of anything', () => {
    fc.assert(
      fc.property(policy, fc.nat(), STRANGE, asked, (json, pick, strange, action) => {
        const before = decisionOn(json, action)
        const changed = structuredClone(json)
        const all = places(changed)
        const place = all[pick % all.length]
        if (place === undefined) return
        if (isUnderstood(place.key, strange)) return
        const holder = place.holder as Record<string, unknown>
        holder[place.key] = strange
        if (before !== 'permit') expect(decisionOn(changed, action)).not.toBe('permit')
      }),
      { numRuns: 1500 },
    )
  })

  it('never allows more when a fact is taken away', () => {
    fc.assert(
      fc.property(policy, fc.constantFrom(...Object.keys(STATE.facts)), (json, name) => {
        const { [name]: _gone, ...facts } = STATE.facts as Record<string, string>
        const less = evaluateLine(
          JSON.stringify({ policy: json, request: REQUEST, state: { ...STATE, facts } }),
          OPTIONS,
        ) as { decision?: string }
        if (decisionOn(json) !== 'permit') expect(less.decision).not.toBe('permit')
      }),
      RUNS,
    )
  })
})

describe('a prohibition of an action that nobody knows', () => {
  const judged = (action: string) =>
    evaluateLine(
      JSON.stringify({
        policy: {
          permission: [{ action: ['use', 'https://vocabulary.example/read'] }],
          prohibition: [{ action: 'https://vocabulary.example/do' }],
        },
        request: { action },
      }),
      OPTIONS,
    ).decision
  it.each([
    'use',
    'play',
    'display',
    'print',
    'delete',
  ])('refuses %s, which may be included in it', (action) => expect(judged(action)).toBe('deny'))
  it('leaves another action of a vocabulary of its own as it is', () =>
    expect(judged('https://vocabulary.example/read')).toBe('permit'))
})

describe('what is not told', () => {
  const without = (object: object, name: string): object =>
    Object.fromEntries(Object.entries(object).filter(([key]) => key !== name))
  it('never allows more, whichever part of the request or of the state is left out', () => {
    fc.assert(
      fc.property(
        policy,
        fc.constantFrom(...Object.keys(REQUEST), ...Object.keys(STATE), 'request', 'state'),
        (json, name) => {
          const [request, state] = [
            name === 'request' ? {} : without(REQUEST, name),
            name === 'state' ? {} : without(STATE, name),
          ]
          const less = evaluateLine(JSON.stringify({ policy: json, request, state }), OPTIONS)
          if (decisionOn(json) !== 'permit') expect(less.decision).not.toBe('permit')
        },
      ),
      { numRuns: 1500 },
    )
  })
})

describe('any line', () => {
  it('has an answer that is JSON, and stops nothing', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc
            .json()
            .map((json) => `{"a":${json},"b":${json},"policy":${json},"request":${json},"state":${json}}`),
        ),
        (line) => {
          for (const answer of [evaluateLine(line, OPTIONS), compareLine(line, { profiles: [] })]) {
            expect(JSON.parse(JSON.stringify(answer))).toEqual(answer)
            expect(answer.decision).not.toBe('permit')
            expect((answer.error as { code?: string } | undefined)?.code).not.toBe('InternalError')
          }
        },
      ),
      RUNS,
    )
  })

  it('is equal to itself', () => {
    fc.assert(
      fc.property(policy, (json) => {
        const answer = compareLine(JSON.stringify({ id: 1, a: json, b: json }), { profiles: [] })
        expect(answer.relation).toBe('equal')
      }),
      { numRuns: 40 },
    )
  })

  it.each([
    ['nested a hundred thousand times', `${'['.repeat(100_000)}`],
    [
      'a policy that contains itself',
      JSON.stringify({
        policy: {
          '@id': 'urn:x',
          permission: [
            { '@id': 'urn:r', action: 'use', constraint: [{ '@id': 'urn:c', and: [{ '@id': 'urn:c' }] }] },
          ],
        },
        request: REQUEST,
      }),
    ],
    [
      'a duty that contains itself',
      JSON.stringify({
        policy: {
          permission: [
            {
              '@id': 'urn:r',
              action: 'use',
              duty: [{ '@id': 'urn:d', action: 'inform', consequence: [{ '@id': 'urn:d' }] }],
            },
          ],
        },
        request: REQUEST,
      }),
    ],
    [
      'a membership in a circle',
      JSON.stringify({
        policy: { permission: [{ action: 'use', target: 'urn:z' }] },
        request: { ...REQUEST, target: 'urn:a' },
        state: { memberships: { 'urn:a': 'urn:b', 'urn:b': 'urn:a' } },
      }),
    ],
  ])('%s', (_name, line) => {
    const answer = evaluateLine(line, OPTIONS)
    expect(answer.decision ?? 'error').not.toBe('permit')
    expect((answer.error as { code?: string } | undefined)?.code).not.toBe('InternalError')
  })
})
