import { describe, expect, it } from 'vitest'
import {
  SHAPE_TYPE,
  type ShapeDocument,
  shapeHash,
  shapeName,
  shapesByName,
} from '../../connector/policy/shape.js'
import { compareShapes } from '../../connector/policy/shape-compare.js'
import { policyFromTerms, type Terms } from '../../connector/policy/write.js'
import { compareTerms, termsRelation } from '../../connector/services/terms-comparison.js'

const of = (more: Partial<ShapeDocument>): ShapeDocument => ({ type: SHAPE_TYPE, version: '1', ...more })
const noisy = (valueStep: string, epsilon: string, sensitivity: string, noiseBudget = '10') =>
  of({ fields: { a: { valueStep, noise: { mechanism: 'laplace', epsilon, sensitivity } } }, noiseBudget })
const steps = (fields: Readonly<Record<string, string>>) =>
  of({ fields: Object.fromEntries(Object.entries(fields).map(([name, valueStep]) => [name, { valueStep }])) })

describe('of two shape documents the first is', () => {
  it.each([
    ['equal', 'the same', steps({ a: '1' }), steps({ a: '1' })],
    ['equal', 'the same numbers in another spelling', steps({ a: '1.0' }), steps({ a: '1' })],
    ['stricter', 'coarser in one signal', steps({ a: '5', b: '1' }), steps({ a: '1', b: '1' })],
    ['stricter', 'coarser in one signal more', steps({ a: '1', b: '1' }), steps({ a: '1' })],
    ['unknown', 'coarser here and finer there', steps({ a: '5', b: '1' }), steps({ a: '1', b: '5' })],
    ['stricter', 'noisy where the other one only rounds', noisy('1', '1', '2'), steps({ a: '0.5' })],
    ['unknown', 'noisy on a finer step', noisy('0.1', '1', '2'), steps({ a: '0.5' })],
    ['stricter', 'wider at the same epsilon', noisy('1', '1', '4'), noisy('1', '1', '2')],
    [
      'unknown',
      'wider by a smaller epsilon, which leaves more records',
      noisy('1', '0.5', '2'),
      noisy('1', '1', '2'),
    ],
    ['stricter', 'the same on half the budget', noisy('1', '1', '2', '5'), noisy('1', '1', '2', '10')],
    [
      'unknown',
      'coarser in its steps below the same deviation',
      noisy('5', '1', '10'),
      noisy('1', '1', '10'),
    ],
    ['stricter', 'of more pseudonyms', of({ pseudonyms: ['w', 'o'] }), of({ pseudonyms: ['o'] })],
    ['unknown', 'of other pseudonyms', of({ pseudonyms: ['w'] }), of({ pseudonyms: ['o'] })],
  ] as const)('%s: %s', (expected, _what, a, b) => {
    expect(compareShapes(a, b)).toBe(expected)
    const turned = expected === 'stricter' ? 'looser' : expected
    expect(compareShapes(b, a)).toBe(turned)
  })
})

describe('terms that name shape documents', () => {
  const [fine, coarse] = [steps({ a: '1' }), steps({ a: '5' })]
  const shapes = shapesByName([fine, coarse])
  const terms = (shape: ShapeDocument, more: Terms = {}) => {
    const policy = policyFromTerms({ ...more, shape: shapeHash(shape) })
    if (!policy.ok) throw new Error(policy.error.message)
    return policy.value
  }

  it.each([
    ['stricter', terms(coarse), terms(fine)],
    ['looser', terms(fine), terms(coarse)],
    ['stricter', terms(coarse, { count: 5 }), terms(fine, { count: 10 })],
    ['stricter', terms(coarse, { count: 5 }), terms(fine, { count: 5 })],
    ['unknown', terms(coarse, { count: 10 }), terms(fine, { count: 5 })],
    ['equal', terms(fine), terms(fine)],
  ] as const)('are %s by what stands in them', (expected, a, b) => {
    expect(termsRelation(a, b, shapes)).toBe(expected)
  })

  it('cannot be told while one document is not at hand', () => {
    expect(termsRelation(terms(coarse), terms(fine), shapesByName([fine]))).toBe('unknown')
    expect(termsRelation(terms(coarse), terms(fine))).toBe('unknown')
  })

  it('say in the clause what differs', () => {
    const told = compareTerms(terms(coarse), terms(fine), 'published', shapes)
    expect(told.clauses.map(({ relation }) => relation)).toEqual(['stricter'])
    expect(told.clauses[0]?.text.en).toContain('"a" is rounded down to multiples of 1')
    expect(shapeName(shapeHash(fine))).toMatch(/^urn:sha256:/)
  })
})
