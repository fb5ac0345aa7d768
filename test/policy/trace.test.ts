/** What a decision says of what it looked at. */
import { describe, expect, it } from 'vitest'
import { evaluateLine } from '../../connector/policy/batch.js'

const MDP = 'https://w3id.org/machine-data-policy/v1#'
const AGED = {
  permission: [
    {
      action: 'use',
      constraint: [{ leftOperand: `${MDP}agreementAge`, operator: 'lteq', rightOperand: 'P1M' }],
    },
  ],
}
const sentences = (lang: 'en' | 'de', policy: object, state = {}): readonly string[] => {
  const line = JSON.stringify({ policy, request: { action: 'use' }, state })
  const answer = evaluateLine(line, { lang, profiles: [], duties: 'before', report: false })
  return (answer.trace as unknown as readonly { readonly text: string }[]).map(({ text }) => text)
}

describe('the trace of a decision', () => {
  const state = { agreedAt: '2027-01-01T00:00:00Z', at: '2027-01-15T00:00:00Z' }

  it('does not claim that nothing is known of an age that it has judged', () => {
    expect(sentences('en', AGED, state)).toContain(
      'Time since the conclusion of the contract: at most 1 month – met.',
    )
    expect(sentences('de', AGED, state).join(' ')).not.toContain('kein Wert bekannt')
  })

  it('says that nothing is known of an age that it could not judge', () => {
    expect(sentences('en', AGED)).toContain(
      'Time since the conclusion of the contract: at most 1 month; no value is known – cannot be told.',
    )
  })

  it('has words for a rule without an action', () => {
    expect(sentences('en', { permission: [{}] })).toContain('The permission to do anything applies.')
    expect(sentences('de', { permission: [{}] })).toContain('Die Erlaubnis „alles tun“ gilt.')
  })
})
