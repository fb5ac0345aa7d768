/** The prediction of what an EDC provider does, against what its evaluator is known to do. */
import { describe, expect, it } from 'vitest'
import { evaluateLine } from '../../connector/policy/batch.js'
import { predictLine } from '../../connector/policy/batch-edc.js'

const EDC = 'https://w3id.org/edc/v0.0.1/ns/'
const ODRL_OPTIONS = { lang: 'en', profiles: [], duties: 'before', report: false } as const
const c = (leftOperand: string, operator: string, rightOperand: unknown) => ({
  leftOperand,
  operator,
  rightOperand,
})
const inForce = (operator: string, at: string) => c(`${EDC}inForceDate`, operator, at)
const UNTIL_2027 = inForce('lteq', '2027-01-01T00:00:00Z')
const FROM_2028 = inForce('gteq', '2028-01-01T00:00:00Z')
const line = (policy: object, state: object = { at: '2026-06-01T00:00:00Z' }) =>
  JSON.stringify({ id: 7, policy, request: { action: 'use' }, state })
const predict = (policy: object, state?: object, bound: readonly string[] = []) =>
  predictLine(line(policy, state), { lang: 'en', bound })
const permit = (...constraint: readonly object[]) => ({ permission: [{ action: 'use', constraint }] })

describe('the reading of an EDC provider', () => {
  it('allows what ODRL refuses, because a term that nobody knows is dropped', () => {
    const policy = permit(c('https://vocabulary.example/moon', 'eq', 'full'))
    expect(evaluateLine(line(policy), ODRL_OPTIONS).decision).toBe('deny')
    expect(predict(policy)).toMatchObject({
      id: 7,
      reading: 'edc',
      decision: 'permit',
      dropped: ['permission[0].constraint[0]'],
    })
  })

  it('is called a prediction wherever it is told', () => {
    const trace = predict(permit(UNTIL_2027)).trace as readonly { text: string }[]
    expect(trace[0]?.text).toMatch(/^Prediction: /)
    const german = predictLine(line(permit(UNTIL_2027)), { lang: 'de', bound: [] }).trace
    expect((german as readonly { text: string }[])[0]?.text).toMatch(/^Vorhersage: /)
  })

  it('wants every permission fulfilled, where ODRL wants one', () => {
    const policy = {
      permission: [
        { action: 'use', constraint: [UNTIL_2027] },
        { action: 'use', constraint: [FROM_2028] },
      ],
    }
    expect(evaluateLine(line(policy), ODRL_OPTIONS).decision).toBe('permit')
    expect(predict(policy).decision).toBe('deny')
  })

  it.each<readonly [string, object, string]>([
    [
      'a prohibition without a condition never prohibits',
      { ...permit(), prohibition: [{ action: 'use' }] },
      'permit',
    ],
    [
      'nor does one whose conditions are all dropped',
      { ...permit(), prohibition: [{ action: 'use', constraint: [c('purpose', 'eq', 'mdp:Research')] }] },
      'permit',
    ],
    [
      'a prohibition whose condition holds refuses all',
      { ...permit(), prohibition: [{ action: 'use', constraint: [UNTIL_2027] }] },
      'deny',
    ],
    [
      'a prohibition whose condition does not hold',
      { ...permit(), prohibition: [{ action: 'use', constraint: [FROM_2028] }] },
      'permit',
    ],
    [
      'a rule with an action of its own is dropped',
      { permission: [{ action: 'print', constraint: [FROM_2028] }] },
      'permit',
    ],
    [
      'a prohibition of a narrower action is dropped',
      { ...permit(), prohibition: [{ action: 'distribute' }] },
      'permit',
    ],
    ['the profile is not looked at', { ...permit(), profile: 'https://vocabulary.example/p' }, 'permit'],
    [
      'the conditions of a duty count as conditions of its permission',
      { permission: [{ action: 'use', duty: [{ action: 'inform', constraint: [FROM_2028] }] }] },
      'deny',
    ],
    [
      'or loses the alternative that is not bound',
      permit({ or: [FROM_2028, c('count', 'lt', '5')] }),
      'deny',
    ],
    ['xone loses it too', permit({ xone: [UNTIL_2027, c('count', 'lt', '5')] }), 'permit'],
    ['a connective with nothing left is dropped', permit({ or: [c('count', 'lt', '0')] }), 'permit'],
    ['conditions in an order are not taken at all', permit({ andSequence: [UNTIL_2027] }), 'deny'],
  ])('%s', (_name, policy, decision) => {
    expect(predict(policy).decision).toBe(decision)
  })

  it('cannot be foretold where a bound term hangs on a fact that is not known', () => {
    expect(predict(permit(UNTIL_2027), {}).decision).toBe('unknown')
    expect(
      predict({ ...permit(), prohibition: [{ action: 'use', constraint: [UNTIL_2027] }] }, {}).decision,
    ).toBe('unknown')
  })

  it('looks at further terms that the provider has bound', () => {
    const policy = permit(c('count', 'lteq', '5'))
    const state = { facts: { count: 6 } }
    expect(predict(policy, state).decision).toBe('permit')
    expect(predict(policy, state, ['count']).decision).toBe('deny')
  })

  it('answers a line that is none with an error', () => {
    expect(predictLine('{"id":1}', { lang: 'en', bound: [] })).toMatchObject({
      id: 1,
      error: { code: 'InvalidMessage' },
    })
  })
})
