import { readFileSync } from 'node:fs'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { describe, expect, it } from 'vitest'
import type { EpochMs } from '../../connector/core/types.js'
import { compilePlan } from '../../connector/policy/compile.js'
import { explain } from '../../connector/policy/explain.js'
import {
  type ShapeDocument,
  shapeHash,
  shapeName,
  shapesByName,
  shapesNamed,
  shapeText,
} from '../../connector/policy/shape.js'
import { checkShape, readShape } from '../../connector/policy/shape-check.js'
import { unsupportedTerms } from '../../connector/policy/support.js'
import { constraint, MDP, permit, policy } from './policies.js'

const DOCUMENT = {
  type: 'https://w3id.org/machine-data-policy/v1#Shape',
  version: '1',
  fields: {
    temp: { valueStep: '0.5' },
    load: { valueStep: '0.1', noise: { mechanism: 'laplace', epsilon: '0.5', sensitivity: '2' } },
  },
  pseudonyms: ['operator'],
  noiseBudget: '100',
} as const
// Sorted by hand, hashed by another program.
const CANONICAL =
  '{"fields":{"load":{"noise":{"epsilon":"0.5","mechanism":"laplace","sensitivity":"2"},"valueStep":"0.1"},"temp":{"valueStep":"0.5"}},"noiseBudget":"100","pseudonyms":["operator"],"type":"https://w3id.org/machine-data-policy/v1#Shape","version":"1"}'
const HASH = '4b9fb1f9b2d50c0b20b9a8fd18c14b2999335a3d56eaa4d4a05f78123dda97d8'

const NAME = `urn:sha256:${HASH}`

const schema = JSON.parse(readFileSync('schemas/shape.schema.json', 'utf8'))
const fitsSchema = new Ajv2019({ allErrors: true, strict: false }).compile(schema)
const BEYOND_SCHEMA = [
  'an epsilon that hides nothing',
  'more steps than can be drawn',
  'a name that is not in normal form',
]

const read = (json: unknown): ShapeDocument => {
  const shape = checkShape(json)
  if (!shape.ok) throw new Error(shape.error.message)
  return shape.value
}

describe('a shape document', () => {
  it('has the hash of its canonical JSON, however it is written', () => {
    const written = JSON.stringify(DOCUMENT, null, 4).replace('"temp"', '"te\\u006dp"')
    const shape = readShape(written)
    expect(shape.ok && shapeText(shape.value)).toBe(CANONICAL)
    expect(shape.ok && shapeHash(shape.value)).toBe(HASH)
    expect(shapeName(HASH)).toBe(NAME)
  })

  const field = (load: unknown, more: object = {}) => ({ ...DOCUMENT, fields: { load }, ...more })
  const noise = (more: object) =>
    field({ valueStep: '0.1', noise: { ...DOCUMENT.fields.load.noise, ...more } })
  it.each([
    ['no object', [DOCUMENT], 'must be a JSON object'],
    ['another type', { ...DOCUMENT, type: 'Shape' }, '"type" must be'],
    ['another version', { ...DOCUMENT, version: 1 }, '"version" must be "1"'],
    ['an unknown member', { ...DOCUMENT, comment: 'x' }, 'unknown member "comment"'],
    ['nothing to do', { type: DOCUMENT.type, version: '1' }, 'says nothing'],
    ['no fields', { ...DOCUMENT, fields: {} }, 'at least one signal'],
    ['an unknown member of a field', field({ valueStep: '1', scale: '2' }), 'fields."load"."scale"'],
    ['a number that is no text', field({ valueStep: 0.5 }), 'fields."load".valueStep must be a step'],
    ['a step between those of the ladder', field({ valueStep: '0.3' }), 'must be a step'],
    ['a step in another spelling of numbers', field({ valueStep: '5e-1' }), 'must be a step'],
    ['noise without a step', field({ noise: DOCUMENT.fields.load.noise }), 'must be a step'],
    ['another mechanism', noise({ mechanism: 'gaussian' }), 'mechanism must be "laplace"'],
    ['no epsilon', noise({ epsilon: undefined }), 'epsilon must be a number from 0.001 to 100'],
    ['an epsilon of nothing', noise({ epsilon: '0' }), 'epsilon must be a number'],
    ['an epsilon that hides nothing', noise({ epsilon: '101' }), 'epsilon must be a number'],
    ['a negative sensitivity', noise({ sensitivity: '-1' }), 'sensitivity must be a number above 0'],
    ['more steps than can be drawn', noise({ sensitivity: '100000' }), 'more than 1000000 steps of 0.1'],
    [
      'noise without a budget',
      { ...DOCUMENT, noiseBudget: undefined },
      '"noiseBudget" must be a number above 0',
    ],
    ['a budget without noise', field({ valueStep: '1' }), '"noiseBudget" is for documents with noise'],
    ['a pseudonym of nothing', { ...DOCUMENT, pseudonyms: [] }, '"pseudonyms" must be a list'],
    ['a signal twice', { ...DOCUMENT, pseudonyms: ['a', 'a'] }, 'names a signal twice'],
    ['a name that is not in normal form', { ...DOCUMENT, pseudonyms: ['e\u0301'] }, 'normal form C'],
    ['a name too long', { ...DOCUMENT, pseudonyms: ['x'.repeat(129)] }, '1 to 128 characters'],
  ])('is refused with a sentence: %s', (what, json, sentence) => {
    const shape = checkShape(JSON.parse(JSON.stringify(json)))
    expect(!shape.ok && shape.error.code).toBe('InvalidInput')
    expect(!shape.ok && shape.error.message).toContain(sentence)
    expect(!shape.ok && shape.error.messageDe).toMatch(/^Das ist kein brauchbares Aufbereitungsdokument\. /)
    // What the schema can say it says as well; how steps and amounts fit together it cannot.
    if (!BEYOND_SCHEMA.includes(what)) expect(fitsSchema(JSON.parse(JSON.stringify(json)))).toBe(false)
  })

  it('that is well formed fits the published schema', () => {
    expect(fitsSchema(DOCUMENT)).toBe(true)
    expect(fitsSchema({ type: DOCUMENT.type, version: '1', pseudonyms: ['a'] })).toBe(true)
  })

  it.each([
    ['a key twice', '{"type":"x","type":"y"}', 'appears twice'],
    ['no JSON', '{', 'not JSON'],
    ['a key that JavaScript reads otherwise', '{"__proto__":{}}', 'not allowed'],
  ])('is refused as a text: %s', (_what, text, sentence) => {
    const shape = readShape(text)
    expect(!shape.ok && shape.error.message).toContain(sentence)
  })

  it('is refused when it is too long to be handed over', () => {
    const fields = Object.fromEntries(
      [...Array(200).keys()].map((n) => [`${'x'.repeat(80)}${n}`, { valueStep: '1' }]),
    )
    const shape = checkShape({ type: DOCUMENT.type, version: '1', fields })
    expect(!shape.ok && shape.error.message).toMatch(/It has \d+ bytes; at most 16384/)
  })
})

describe('a plan', () => {
  const shapes = shapesByName([read(DOCUMENT)])
  const named = constraint(`${MDP}shape`, 'eq', NAME)
  const compile = (...more: readonly unknown[]) =>
    compilePlan(permit(named, ...more), { agreedAt: 0 as EpochMs, shapes })

  it('holds what the document says, and the records that the budget is enough for', () => {
    expect(compile()).toMatchObject({
      ok: true,
      value: {
        shapes: [NAME],
        valueSteps: { load: 0.1, temp: 0.5 },
        noise: { load: { epsilon: 0.5, sensitivity: 2 } },
        pseudonym: 'agreement',
        identifying: ['operator'],
        countLimit: 200,
      },
    })
  })

  it.each([
    [
      'the budget of every function of a window',
      [
        ['aggregationWindow', 'gteq', 'PT1H'],
        ['aggregation', 'isPartOf', ['mean', 'min', 'max', 'count']],
      ],
      66,
    ],
    [
      'the mean and the number of values when no function is named',
      [['aggregationWindow', 'gteq', 'PT1H']],
      200,
    ],
    ['a smaller quota of the contract', [['odrl:count', 'lteq', '50']], 50],
  ])('counts %s', (_what, terms, expected) => {
    const more = terms.map(([name, operator, value]) =>
      constraint(String(name).includes(':') ? String(name) : `${MDP}${name}`, String(operator), value),
    )
    expect(compile(...more)).toMatchObject({ ok: true, value: { countLimit: expected } })
  })

  it('neither adds noise to what is not delivered, nor spends anything on it', () => {
    const plan = compile(constraint(`${MDP}fields`, 'isPartOf', ['temp']))
    expect(plan.ok && [plan.value.noise, plan.value.countLimit]).toEqual([undefined, undefined])
  })

  it('takes the coarser of the step of a signal and the step of all', () => {
    expect(compile(constraint(`${MDP}valueStep`, 'gteq', '0.2'))).toMatchObject({
      ok: true,
      value: { valueStep: 0.5, valueSteps: { load: 0.5, temp: 0.5 } },
    })
  })

  it('has a hash that covers the document', () => {
    const other = read({ ...DOCUMENT, noiseBudget: '100.5' })
    const again = compilePlan(permit(constraint(`${MDP}shape`, 'eq', shapeName(shapeHash(other)))), {
      agreedAt: 0 as EpochMs,
      shapes: shapesByName([other]),
    })
    const [one, two] = [compile(), again]
    expect(one.ok && two.ok && one.value.hash !== two.value.hash).toBe(true)
  })

  it.each([
    [
      'a document that is not here',
      permit(constraint(`${MDP}shape`, 'eq', `urn:sha256:${'0'.repeat(64)}`)),
      'is not here',
    ],
    [
      'the sum of a signal with noise',
      permit(
        named,
        constraint(`${MDP}aggregationWindow`, 'gteq', 'PT1H'),
        constraint(`${MDP}aggregation`, 'eq', 'sum'),
      ),
      'The sum of "load" cannot be delivered with noise',
    ],
    [
      'two documents',
      permit(named, constraint(`${MDP}shape`, 'eq', `urn:sha256:${'0'.repeat(64)}`)),
      'allows nothing at all',
    ],
  ])('is refused for %s', (_what, terms, sentence) => {
    const plan = compilePlan(terms, { agreedAt: 0 as EpochMs, shapes })
    expect(!plan.ok && [plan.error.code, plan.error.message]).toEqual([
      'PolicyUnsupported',
      expect.stringContaining(sentence),
    ])
  })

  it('is refused for noise that the document does not add, and for a budget that one record exceeds', () => {
    const of = (json: unknown, ...more: readonly unknown[]) => {
      const shape = read(json)
      const terms = permit(constraint(`${MDP}shape`, 'eq', shapeName(shapeHash(shape))), ...more)
      const plan = compilePlan(terms, { agreedAt: 0 as EpochMs, shapes: shapesByName([shape]) })
      return plan.ok ? 'compiled' : plan.error.message
    }
    const { type, version, fields, pseudonyms } = DOCUMENT
    const quiet = { type, version, fields: { temp: fields.temp }, pseudonyms }
    expect(of(quiet, constraint(`${MDP}noise`, 'eq', 'laplace'))).toContain('adds none to any signal')
    expect(of(DOCUMENT, constraint(`${MDP}noise`, 'eq', 'laplace'))).toBe('compiled')
    expect(of({ ...DOCUMENT, noiseBudget: '0.4' })).toContain('smaller than what one record costs')
    expect(of({ ...DOCUMENT, noiseBudget: '0.5' })).toBe('compiled')
  })

  it('is refused for noise without a document, before anything is published', () => {
    const [only] = unsupportedTerms(permit(constraint(`${MDP}noise`, 'eq', 'laplace')))
    expect(only?.why.en).toContain('the shape document that says on which values and how much is missing')
  })
})

describe('in words', () => {
  it('every parameter is told when the document is at hand', () => {
    const terms = permit(constraint(`${MDP}shape`, 'eq', NAME))
    const clause = explain(terms, { shapes: shapesByName([read(DOCUMENT)]) }).at(-1)
    expect(clause?.enforcedBy).toBe('provider')
    expect(clause?.text).toEqual({
      en: `Data is delivered only as the shape document "${HASH.slice(0, 12)}…" prescribes: "load" is rounded down to multiples of 0.1 and changed by a random deviation of typically ±4 (Laplace, epsilon 0.5 for values up to 2 apart); "temp" is rounded down to multiples of 0.5; machines, lines, and also "operator", get pseudonyms that hold for this contract alone. As soon as the epsilons of all delivered values add up to 100, nothing more is delivered under this contract.`,
      de: `Daten werden nur so geliefert, wie das Aufbereitungsdokument „${HASH.slice(0, 12)}…“ es vorschreibt: „load“ wird auf Vielfache von 0,1 abgerundet und um eine zufällige Abweichung von typischerweise ±4 verändert (Laplace, Epsilon 0,5 für Werte, die bis zu 2 auseinanderliegen); „temp“ wird auf Vielfache von 0,5 abgerundet; Maschinen und Linien sowie „operator“ erhalten Pseudonyme, die nur für diesen Vertrag gelten. Sobald die Epsilons aller gelieferten Werte zusammen 100 erreichen, wird unter diesem Vertrag nichts mehr geliefert.`,
    })
  })
})

it('finds every document that a policy names, wherever it does', () => {
  const other = `urn:sha256:${'0'.repeat(64)}`
  const named = { leftOperand: `${MDP}shape`, operator: 'eq', rightOperand: NAME }
  const terms = policy({
    permission: [{ action: 'use', constraint: [{ and: [named, named] }] }],
    obligation: [{ action: 'odrl:delete', constraint: [{ ...named, rightOperand: other }] }],
  })
  expect(shapesNamed(terms)).toEqual([other, NAME])
})
