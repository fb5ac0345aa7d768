import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Json, type JsonObject, systemClock } from '../../connector/core/types.js'
import { COUNTERSIGNATURE, RECEIPT } from '../../connector/crypto/agreement-seal.js'
import { createKeys, type SigningKey } from '../../connector/crypto/keys.js'
import { asConsumer, asProvider, newPid, offering, pumpDataset, sealOf } from '../protocol/parties.js'
import { introduce, type Peer, type Sent, startPeer } from '../protocol/peer.js'
import { publishTank } from '../protocol/tank.js'
import { type Dataspace, enc, ended, type Member, startDataspace } from '../support/dataspace.js'

/** One member, which is consumer of the pump of each peer and provider of a tank to each of them. */
let space: Dataspace
let member: Member
/** How the member deals with the signatures of each. */
let off: Peer
let offer: Peer
let required: Peer
let strangersKey: SigningKey

const PUMP: JsonObject = {
  '@id': 'pump-offer',
  '@type': 'Offer',
  profile: 'https://w3id.org/machine-data-policy/v1',
  permission: [
    {
      action: 'use',
      constraint: [
        { leftOperand: 'odrl:dateTime', operator: 'lt', rightOperand: '2099-01-01T00:00:00Z' },
        { leftOperand: 'odrl:count', operator: 'lteq', rightOperand: '1000' },
      ],
    },
  ],
}

beforeAll(async () => {
  space = await startDataspace([{ name: 'member' }])
  const [first] = space.members
  if (first === undefined) throw new Error('no member')
  member = first
  await publishTank(member, space.folder)
  const start = async (seal: 'off' | 'offer' | 'require'): Promise<Peer> => {
    const peer = await startPeer(space)
    await introduce(member, peer, { seal, name: `${seal} partner` })
    peer.script(offering(pumpDataset([PUMP])))
    return peer
  }
  off = await start('off')
  offer = await start('offer')
  required = await start('require')
  const keys = await createKeys(`${space.folder}/stranger`, systemClock)
  if (!keys.ok) throw new Error(keys.error.message)
  strangersKey = keys.value.seal
})
afterAll(async () => {
  for (const peer of [off, offer, required]) {
    expect(peer.violations).toEqual([])
    await peer[Symbol.asyncDispose]()
  }
  await space[Symbol.asyncDispose]()
})

const reasonOf = (answer: Sent): string => ((answer.json.reason ?? []) as readonly string[]).join(' ')

/** The same sentence for the provider, in its answer and in the termination, and for our operator. */
async function refusedWith(
  peer: Peer,
  answer: Sent,
  at: { readonly consumerPid: string; readonly path: string },
  code: string,
  sentence: string,
): Promise<void> {
  expect([answer.status, answer.json.code, reasonOf(answer)]).toEqual([400, code, sentence])
  const { consumerPid } = at
  const ending = await peer.message('ContractNegotiationTerminationMessage', { consumerPid })
  expect([ending.body.code, ending.body.reason]).toEqual([code, [sentence]])
  const shown = await ended(member, at.path, ['TERMINATED'])
  expect([shown.reason, shown.endedBy, shown.contract]).toEqual([sentence, 'us', undefined])
}

describe('an agreement that differs from the offer is refused, naming the difference', () => {
  const said = (clause: string) => `The agreement differs from the offer you asked for: ${clause}.`
  // Written by hand for each case: the verdict stands there only where it is certain.
  const stricter = (clause: string) => `${said(clause)} It is stricter: it allows less than that offer.`
  const looser = (clause: string) => `${said(clause)} It is looser: it allows more than that offer.`
  const withConstraint = (index: number, changes: JsonObject): Json => {
    const [permission] = PUMP.permission as readonly JsonObject[]
    const constraints = permission?.constraint as readonly JsonObject[]
    return [
      { action: 'use', constraint: constraints.map((c, at) => (at === index ? { ...c, ...changes } : c)) },
    ]
  }
  const one = 'permission[0].constraint'
  const cases: readonly (readonly [string, JsonObject, (partner: Peer) => string])[] = [
    ['target', { target: 'other' }, () => said('target is "other", expected was "pump"')],
    [
      'assigner',
      { assigner: 'did:web:somebody.example.com' },
      (peer) => said(`assigner is "did:web:somebody.example.com", expected was "${peer.did}"`),
    ],
    [
      'assignee',
      { assignee: 'did:web:somebody.example.com' },
      () => said(`assignee is "did:web:somebody.example.com", expected was "${member.did}"`),
    ],
    [
      'action',
      { permission: [{ ...((PUMP.permission as readonly JsonObject[])[0] ?? {}), action: 'read' }] },
      () => stricter('permission[0].action is "read", offered was "use"'),
    ],
    [
      'rightOperand',
      { permission: withConstraint(1, { rightOperand: '10' }) },
      () => stricter(`${one}[1].rightOperand is "10", offered was "1000"`),
    ],
    [
      'operator',
      { permission: withConstraint(0, { operator: 'gt' }) },
      () => said(`${one}[0].operator is "gt", offered was "lt"`),
    ],
    [
      'leftOperand',
      { permission: withConstraint(0, { leftOperand: 'odrl:count' }) },
      () => said(`${one}[0].leftOperand is "odrl:count", offered was "odrl:dateTime"`),
    ],
    [
      'a constraint less',
      {
        permission: [
          {
            action: 'use',
            constraint: [{ leftOperand: 'odrl:count', operator: 'lteq', rightOperand: '1000' }],
          },
        ],
      },
      () =>
        looser(
          `${one}[0] is missing, offered was {"leftOperand":"odrl:dateTime","operator":"lt","rightOperand":"2099-01-01T00:00:00Z"}`,
        ),
    ],
    [
      'a permission more',
      { permission: [...(PUMP.permission as readonly Json[]), { action: 'use' }] },
      () => looser('permission[1] is {"action":"use"}, offered was nothing'),
    ],
    [
      'prohibition',
      { prohibition: [{ action: 'use' }] },
      () => stricter('prohibition[0] is {"action":"use"}, offered was nothing'),
    ],
    [
      'obligation',
      { obligation: [{ action: 'use' }] },
      () => stricter('obligation[0] is {"action":"use"}, offered was nothing'),
    ],
    [
      'profile',
      { profile: 'https://example.com/profile' },
      () =>
        said(
          'profile is "https://example.com/profile", offered was "https://w3id.org/machine-data-policy/v1"',
        ),
    ],
    [
      'any further key',
      { 'https://example.com/ns#fee': '100 EUR' },
      () => said('https://example.com/ns#fee is "100 EUR", offered was nothing'),
    ],
  ]
  for (const [field, changes, sentence] of cases) {
    it(field, async () => {
      const provider = asProvider(off, member)
      const asked = await provider.asked()
      const answer = await provider.agree(asked, provider.agreementOn(asked.offer, changes))
      await refusedWith(off, answer, asked, 'AgreementDiffers', sentence(off))
      expect(
        off.messages('ContractAgreementVerificationMessage', { consumerPid: asked.consumerPid }),
      ).toEqual([])
    })
  }

  it('the @id of another contract', async () => {
    const provider = asProvider(off, member)
    const contract = await provider.contract()
    const asked = await provider.asked()
    const answer = await provider.agree(asked, provider.agreementOn(asked.offer, { '@id': contract }))
    const sentence =
      'The agreement has the @id of another contract, so the two could not be told apart. The provider must give each agreement an @id of its own.'
    await refusedWith(off, answer, asked, 'AgreementDiffers', sentence)
    expect((await member.get(`/api/v1/contracts/${enc(contract)}`)).status).toBe('active')
  })

  it('no time of its conclusion: nothing in it is left to be guessed', async () => {
    const provider = asProvider(off, member)
    const asked = await provider.asked()
    const unzoned = { timestamp: '2026-11-02T08:00:00' }
    await refusedWith(
      off,
      await provider.agree(asked, provider.agreementOn(asked.offer, unzoned)),
      asked,
      'AgreementDiffers',
      'The agreement has no timestamp with date, time and offset, such as 2026-11-02T08:00:00Z, so its duration cannot be kept.',
    )
    const other = await provider.asked()
    const unclear = await provider.agree(other, provider.agreementOn(other.offer, { timestamp: 'yesterday' }))
    expect([unclear.status, unclear.json.code]).toEqual([400, 'InvalidMessage'])
    expect(reasonOf(unclear)).toContain('agreement.timestamp is "yesterday"')
    expect((await ended(member, other.path, ['REQUESTED'])).state).toBe('REQUESTED')
  })

  it('but another spelling of the same meaning is no difference', async () => {
    const provider = asProvider(off, member)
    const asked = await provider.asked()
    const [permission] = asked.offer.permission as readonly JsonObject[]
    const swapped = [
      { ...permission, constraint: [...(permission?.constraint as readonly Json[])].reverse() },
    ]
    const answer = await provider.agree(asked, provider.agreementOn(asked.offer, { permission: swapped }))
    expect([answer.status, answer.text]).toEqual([200, ''])
  })
})

describe('signatures, when the partner is the provider', () => {
  const signed = async (peer: Peer, key?: SigningKey, about: JsonObject = {}) => {
    const provider = asProvider(peer, member)
    const asked = await provider.asked()
    const agreement = provider.agreementOn(asked.offer)
    const text = { ...asked, agreement, ...about }
    return { provider, asked, agreement, seal: sealOf(peer, { ...text, role: 'provider' }, key) }
  }

  it('off: nothing is signed and nothing is looked at', async () => {
    const { provider, asked, agreement } = await signed(off)
    expect((await provider.agree(asked, agreement, 'rubbish')).status).toBe(200)
    const { consumerPid } = asked
    const verified = await off.message('ContractAgreementVerificationMessage', { consumerPid })
    expect(verified.body).not.toHaveProperty([COUNTERSIGNATURE])
    expect((await provider.finalize(asked)).status).toBe(200)
    const contract = await member.get(`/api/v1/contracts/${enc(String(agreement['@id']))}`)
    expect([contract.status, contract.signed]).toEqual(['active', 'none'])
  })

  it('offer: we sign, and a partner that does not is accepted', async () => {
    const { provider, asked, agreement } = await signed(offer)
    expect((await provider.agree(asked, agreement)).status).toBe(200)
    const { consumerPid } = asked
    const verified = await offer.message('ContractAgreementVerificationMessage', { consumerPid })
    expect(verified.body[COUNTERSIGNATURE]).toMatch(/^[\w-]+\.\.[\w-]+$/)
    expect((await provider.finalize(asked)).status).toBe(200)
    const contract = await member.get(`/api/v1/contracts/${enc(String(agreement['@id']))}`)
    expect([contract.status, contract.signed]).toEqual(['active', 'us'])
  })

  it('offer: a wrong signature is worse than none', async () => {
    const { provider, asked, agreement, seal } = await signed(offer, strangersKey)
    const sentence = `The signature was not made with the key ${offer.did}#${offer.keys.seal.kid}.`
    await refusedWith(
      offer,
      await provider.agree(asked, agreement, seal),
      asked,
      'SignatureInvalid',
      sentence,
    )
  })

  it('require: no contract without a signature', async () => {
    const { provider, asked, agreement } = await signed(required)
    await refusedWith(
      required,
      await provider.agree(asked, agreement),
      asked,
      'SignatureMissing',
      'The agreement is not signed, and we accept signed contracts only.',
    )
  })

  it('require: signed by both, and every signature that is wrong is refused with what is wrong', async () => {
    const right = await signed(required)
    expect((await right.provider.agree(right.asked, right.agreement, right.seal)).status).toBe(200)
    const { consumerPid } = right.asked
    const verified = await required.message('ContractAgreementVerificationMessage', { consumerPid })
    const counter = String(verified.body[COUNTERSIGNATURE])
    const receipt = sealOf(required, {
      ...right.asked,
      agreement: right.agreement,
      role: 'receipt',
      covers: [right.seal, counter],
    })
    expect((await right.provider.finalize(right.asked, receipt)).status).toBe(200)
    const id = String(right.agreement['@id'])
    const contract = await member.get(`/api/v1/contracts/${enc(id)}`)
    expect([contract.status, contract.signed]).toEqual(['active', 'both'])
    const verdict = await member.get(`/api/v1/contracts/${enc(id)}/verify`)
    expect((verdict.signatures as unknown as readonly { verdict: string }[]).map((s) => s.verdict)).toEqual([
      'valid',
      'valid',
      'valid',
    ])

    const cases: readonly (readonly [JsonObject, string])[] = [
      [
        { agreement: right.agreement },
        'The signature is for another text: the agreement was changed after it was signed.',
      ],
      [
        { consumerPid: newPid() },
        'The signature belongs to another negotiation: its providerPid or consumerPid differs.',
      ],
      [
        { offer: { ...PUMP, '@id': 'another', target: 'pump' } },
        'The signature refers to another offer than the last one of this negotiation.',
      ],
    ]
    for (const [about, sentence] of cases) {
      const { provider, asked, agreement, seal } = await signed(required, undefined, about)
      const answer = await provider.agree(asked, agreement, seal)
      await refusedWith(required, answer, asked, 'SignatureInvalid', sentence)
    }
    const unreadable = await signed(required)
    const answer = await unreadable.provider.agree(unreadable.asked, unreadable.agreement, 'rubbish')
    expect([answer.status, answer.json.code]).toEqual([400, 'SignatureInvalid'])
    expect(reasonOf(answer)).toMatch(/^The signature cannot be read\. /)
  })

  it('require: no finalization without a receipt, or with one that does not cover both signatures', async () => {
    for (const [covers, code, sentence] of [
      [
        undefined,
        'SignatureMissing',
        'The finalisation has no signed receipt, and we accept signed contracts only.',
      ],
      [
        [],
        'SignatureInvalid',
        "The receipt does not cover the provider's signature and the countersignature of this negotiation.",
      ],
    ] as const) {
      const { provider, asked, agreement, seal } = await signed(required)
      await provider.agree(asked, agreement, seal)
      await ended(member, asked.path, ['VERIFIED'])
      const receipt =
        covers === undefined ? undefined : sealOf(required, { ...asked, agreement, role: 'receipt', covers })
      const answer = await provider.finalize(asked, receipt)
      expect([answer.status, answer.json.code, reasonOf(answer)]).toEqual([400, code, sentence])
      const shown = await ended(member, asked.path, ['TERMINATED'])
      expect(shown.reason).toBe(sentence)
      const contract = await member.get(`/api/v1/contracts/${enc(String(agreement['@id']))}`)
      expect(contract.status).toBe('pending')
    }
  })
})

describe('signatures, when the partner is the consumer', () => {
  const agreed = async (peer: Peer) => {
    const consumer = asConsumer(peer, member)
    const process = await consumer.agreed()
    const path = `/api/v1/negotiations/${enc(process.providerPid)}`
    const ours = Object.entries(process.arrived.body).find(([key]) => key.endsWith('agreementSignature'))?.[1]
    return { consumer, process, path, ours: ours === undefined ? undefined : String(ours) }
  }

  it('off: nothing is signed', async () => {
    const { consumer, process, path, ours } = await agreed(off)
    expect(ours).toBeUndefined()
    expect((await consumer.verify(process, 'rubbish')).status).toBe(200)
    const { consumerPid } = process
    const final = await off.message('ContractNegotiationEventMessage', { consumerPid })
    expect(final.body).not.toHaveProperty([RECEIPT])
    await ended(member, path, ['FINALIZED'])
  })

  it('offer: we sign, and a partner that does not countersign is accepted without a receipt', async () => {
    const { consumer, process, path, ours } = await agreed(offer)
    expect(ours).toMatch(/^[\w-]+\.\.[\w-]+$/)
    expect((await consumer.verify(process)).status).toBe(200)
    const { consumerPid } = process
    const final = await offer.message('ContractNegotiationEventMessage', { consumerPid })
    expect(final.body).not.toHaveProperty([RECEIPT])
    await ended(member, path, ['FINALIZED'])
    const contract = await member.get(`/api/v1/contracts/${enc(String(process.agreement['@id']))}`)
    expect(contract.signed).toBe('us')
  })

  it('require: a countersignature is confirmed with a receipt; without one, or with a wrong one, it ends', async () => {
    const good = await agreed(required)
    const { process, ours = '' } = good
    const counter = sealOf(required, { ...process, role: 'consumer', covers: [ours] })
    expect((await good.consumer.verify(process, counter)).status).toBe(200)
    const { consumerPid } = process
    const final = await required.message('ContractNegotiationEventMessage', { consumerPid })
    expect(final.body[RECEIPT]).toMatch(/^[\w-]+\.\.[\w-]+$/)
    await ended(member, good.path, ['FINALIZED'])

    const cases: readonly (readonly [
      (a: Awaited<ReturnType<typeof agreed>>) => string | undefined,
      string,
      string,
    ])[] = [
      [
        () => undefined,
        'SignatureMissing',
        'The verification is not countersigned, and we accept signed contracts only.',
      ],
      [
        (a) => sealOf(required, { ...a.process, role: 'consumer', covers: [a.ours ?? ''] }, strangersKey),
        'SignatureInvalid',
        `The signature was not made with the key ${required.did}#${required.keys.seal.kid}.`,
      ],
      [
        (a) => sealOf(required, { ...a.process, role: 'consumer', covers: [] }),
        'SignatureInvalid',
        "The countersignature does not cover the provider's signature of this negotiation.",
      ],
      [
        (a) => sealOf(required, { ...a.process, role: 'provider', covers: [a.ours ?? ''] }),
        'SignatureInvalid',
        'The signature has the role "provider"; expected is "consumer".',
      ],
    ]
    for (const [seal, code, sentence] of cases) {
      const wrong = await agreed(required)
      const answer = await wrong.consumer.verify(wrong.process, seal(wrong))
      expect([answer.status, answer.json.code, reasonOf(answer)]).toEqual([400, code, sentence])
      const pid = wrong.process.consumerPid
      const ending = await required.message('ContractNegotiationTerminationMessage', { consumerPid: pid })
      expect(ending.body.reason).toEqual([sentence])
      const shown = await ended(member, wrong.path, ['TERMINATED'])
      expect([shown.reason, shown.endedBy]).toEqual([sentence, 'us'])
    }
  })
})
