/** What goes to partners is plain DSP, whatever spelling an operator wrote. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../connector/core/types.js'
import { createValidator } from '../../connector/dsp/validate.js'
import { differences } from '../../connector/policy/compare.js'
import { ODRL, PROFILE } from '../../connector/policy/model.js'
import { wireForm } from '../../connector/policy/wire-form.js'
import { MDP } from './policies.js'

const PLAIN = {
  profile: PROFILE,
  permission: [
    {
      action: 'use',
      constraint: [
        { leftOperand: 'odrl:count', operator: 'lteq', rightOperand: '1000' },
        { leftOperand: `${MDP}valueStep`, operator: 'gteq', rightOperand: '0.5' },
        { leftOperand: `${MDP}fields`, operator: 'isPartOf', rightOperand: ['load', 'temperature'] },
        {
          or: [
            { leftOperand: `${MDP}localTime`, operator: 'gteq', rightOperand: '22:00:00' },
            { leftOperand: `${MDP}localTime`, operator: 'lt', rightOperand: '06:00:00' },
          ],
        },
      ],
    },
  ],
  prohibition: [{ action: 'odrl:distribute' }, { action: `${MDP}trainModelForOthers` }],
  obligation: [
    {
      action: 'odrl:delete',
      constraint: [{ leftOperand: `${MDP}retention`, operator: 'lteq', rightOperand: 'P90D' }],
    },
  ],
}

const SPELT: JsonObject = {
  '@context': ['https://w3id.org/dspace/2025/1/context.jsonld'],
  '@id': 'urn:mine',
  '@type': 'odrl:Offer',
  target: 'press-7',
  assigner: 'did:web:maker.example',
  profile: [{ '@id': PROFILE }],
  'odrl:permission': {
    '@type': 'odrl:Permission',
    action: { '@id': `${ODRL}use` },
    constraint: [
      { leftOperand: 'count', operator: 'term-lteq', rightOperand: 1000 },
      { leftOperand: { '@id': 'mdp:valueStep' }, operator: 'GEQ', rightOperand: 0.5 },
      { leftOperand: 'mdp:fields', operator: 'IN', rightOperand: [{ '@value': 'load' }, 'temperature'] },
      {
        'odrl:or': {
          '@list': [
            {
              leftOperand: 'mdp:localTime',
              operator: 'odrl:gteq',
              rightOperand: { '@value': '22:00:00', '@type': 'xsd:time' },
            },
            { leftOperand: 'mdp:localTime', operator: 'lt', rightOperand: ['06:00:00'] },
          ],
        },
      },
    ],
  },
  prohibition: [{ action: 'distribute' }, { action: 'mdp:trainModelForOthers', constraint: [] }],
  obligation: {
    action: 'delete',
    constraint: { leftOperand: 'mdp:retention', operator: 'lteq', rightOperand: 'P90D' },
  },
}

const plain = (json: JsonObject) => {
  const form = wireForm(json, 'press-7')
  if (!form.ok) throw new Error(form.error.message)
  return form.value
}

describe('the form in which a policy goes out', () => {
  it('has plain names, absolute terms and texts for values, and no parties', () => {
    expect(plain(SPELT)).toEqual(PLAIN)
  })
  it('means what was written, and stays as it is when it is plain already', () => {
    expect(differences(SPELT, plain(SPELT))).toEqual([])
    expect(plain(PLAIN)).toEqual(PLAIN)
  })
  it('is a valid offer of DSP', () => {
    const message = {
      '@context': ['https://w3id.org/dspace/2025/1/context.jsonld'],
      '@type': 'ContractOfferMessage',
      providerPid: 'urn:uuid:1',
      callbackAddress: 'https://maker.example/dsp',
      offer: { '@id': 'urn:offer:1', '@type': 'Offer', target: 'press-7', ...plain(SPELT) },
    }
    expect(createValidator()('ContractOfferMessage', message, 'outgoing')).toMatchObject({ ok: true })
  })
  it('adds no profile', () => {
    expect(plain({ permission: [{ action: 'use' }] })).toEqual({ permission: [{ action: 'use' }] })
  })
  it('leaves a policy as it is that is not understood', () => {
    const strange = { permission: [{ action: 'use', remedy: [{ action: 'odrl:inform' }] }] }
    expect(plain(strange)).toBe(strange)
  })
  it.each([
    ['assignee', 'did:web:buyer.example', 'The policy names an assignee'],
    ['odrl:assignee', { '@id': 'did:web:buyer.example' }, 'The policy names an assignee'],
    ['target', 'press-8', 'The policy is for the data "press-8", not for press-7.'],
  ])('is refused to a policy with the %s of somebody or something else', (member, value, sentence) => {
    const form = wireForm({ ...PLAIN, [member]: value }, 'press-7')
    expect(form).toMatchObject({ ok: false, error: { code: 'InvalidInput' } })
    expect(form.ok ? '' : form.error.message).toContain(sentence)
  })
  it('has no number in it, wherever one was', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer(), fc.double({ noNaN: true }), fc.boolean()), (value) => {
        const json = {
          permission: [
            {
              action: 'use',
              constraint: [{ leftOperand: 'count', operator: 'lteq', rightOperand: [value, value] }],
            },
          ],
        }
        expect(JSON.stringify(plain(json))).toContain(`"rightOperand":["${value}","${value}"]`)
      }),
    )
  })
})
