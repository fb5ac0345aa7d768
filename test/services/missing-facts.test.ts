import { expect, it } from 'vitest'
import type { EpochMs, ParticipantId } from '../../connector/core/types.js'
import type { Partner } from '../../connector/domain/partner.js'
import { parsePolicy } from '../../connector/policy/parse.js'
import { missingFacts } from '../../connector/services/missing-facts.js'

const DID = 'did:web:plant.example' as ParticipantId
const policy = parsePolicy({
  profile: 'https://w3id.org/machine-data-policy/v1',
  permission: [
    {
      action: 'use',
      constraint: [
        { leftOperand: 'odrl:event', operator: 'eq', rightOperand: 'urn:ticket:1' },
        {
          leftOperand: 'https://w3id.org/machine-data-policy/v1#group',
          operator: 'isAnyOf',
          rightOperand: ['plants'],
        },
      ],
    },
  ],
})

it('names facts that reach no further than what was asked about', () => {
  if (!policy.ok) throw new Error(policy.error.message)
  const facts = { at: 0 as EpochMs, recipient: DID }
  const about = { partner: { did: DID } as Partner, dataset: 'press 7' }
  expect(missingFacts(policy.value, facts, about)?.en).toBe(
    'You would have to confirm what the terms demand, if it is so: ' +
      'handschlag fact add --dataset "press 7" --event urn:ticket:1; ' +
      'handschlag fact add --partner did:web:plant.example --group plants',
  )
})
