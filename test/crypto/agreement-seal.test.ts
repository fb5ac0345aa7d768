import { createHash, createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { flattenedVerify, importJWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { canonicalize } from '../../connector/core/canonical.js'
import type { EpochMs, JsonObject } from '../../connector/core/types.js'
import {
  AGREEMENT_SIGNATURE,
  COUNTERSIGNATURE,
  hashOf,
  RECEIPT,
  SEAL,
  type SealSubject,
  sealAgreement,
  sealKid,
  verifySeal,
} from '../../connector/crypto/agreement-seal.js'
import { publicJwkOf } from '../../connector/crypto/jwk.js'
import { signEs256 } from '../../connector/crypto/jws.js'

const keyPair = (did: string) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { key: { kid: `${did}#2026-11-a-seal`, privateKey }, jwk: publicJwkOf(privateKey) }
}
const provider = keyPair('did:web:provider.example')
const consumer = keyPair('did:web:consumer.example')

const agreement = {
  '@id': 'urn:uuid:e8dc8655-44c2-46ef-b701-4cffdc2faa44',
  '@type': 'Agreement',
  target: 'urn:uuid:3dd1add4-4d2d-569e-d634-8394a8836d23',
  timestamp: '2026-11-22T10:00:00Z',
  assigner: 'did:web:provider.example',
  assignee: 'did:web:consumer.example',
  permission: [
    {
      action: 'use',
      constraint: [{ leftOperand: 'dateTime', operator: 'lteq', rightOperand: '2026-12-31T23:59:59Z' }],
    },
  ],
} satisfies JsonObject

const at = Date.parse('2026-11-22T10:00:01Z') as EpochMs
const process = {
  agreement,
  providerPid: 'urn:uuid:a343fcbf-99fc-4ce8-8e9b-148c97605aab',
  consumerPid: 'urn:uuid:32541fe6-c580-409e-85a8-8a9a32fbe833',
  offerHash: hashOf({ '@id': 'urn:offer:1' }),
}
const first: SealSubject = { ...process, role: 'provider' }
const signature = sealAgreement({ ...first, at }, provider.key)
const second: SealSubject = { ...process, role: 'consumer', covers: [signature] }
const countersignature = sealAgreement({ ...second, at }, consumer.key)
const third: SealSubject = { ...process, role: 'receipt', covers: [signature, countersignature] }
const receipt = sealAgreement({ ...third, at }, provider.key)

const headerOf = (jws: string) => JSON.parse(Buffer.from(jws.split('.')[0] ?? '', 'base64url').toString())
/** The provider's signature over a header of the test's making. */
const forge = (change: (header: Record<string, unknown>) => void): string => {
  const header = headerOf(signature)
  change(header)
  const part = Buffer.from(JSON.stringify(header)).toString('base64url')
  const bytes = signEs256(`${part}.${canonicalize(agreement)}`, provider.key.privateKey)
  return `${part}..${bytes.toString('base64url')}`
}
const refusal = (jws: string, expected: SealSubject, jwk = provider.jwk) => {
  const result = verifySeal(jws, expected, jwk)
  if (!result.ok) expect(result.error.code).toBe('SignatureInvalid')
  return result.ok ? undefined : result.error.message
}

describe('the three steps', () => {
  it('are verified by the other side, each with the key of its signer', () => {
    const verified = verifySeal(signature, first, provider.jwk)
    expect(verified).toEqual({
      ok: true,
      value: {
        kid: 'did:web:provider.example#2026-11-a-seal',
        role: 'provider',
        at: '2026-11-22T10:00:01.000Z',
        agreementHash: createHash('sha256').update(canonicalize(agreement)).digest('hex'),
      },
    })
    expect(verifySeal(countersignature, second, consumer.jwk).ok).toBe(true)
    expect(verifySeal(receipt, third, provider.jwk).ok).toBe(true)
    expect(sealKid(countersignature)).toEqual({ ok: true, value: consumer.key.kid })
  })

  it('hold whatever the order of keys and the white space in which the agreement arrives', () => {
    const reordered = JSON.parse(
      JSON.stringify(Object.fromEntries(Object.entries(agreement).reverse()), null, 4),
    ) as JsonObject
    expect(verifySeal(signature, { ...first, agreement: reordered }, provider.jwk).ok).toBe(true)
  })

  it('are detached and carry everything that a reader needs in the protected header', () => {
    expect(signature).toMatch(/^[\w-]+\.\.[\w-]{86}$/)
    expect(headerOf(countersignature)).toEqual({
      alg: 'ES256',
      kid: 'did:web:consumer.example#2026-11-a-seal',
      b64: false,
      crit: ['b64'],
      'https://w3id.org/machine-data-policy/v1#seal': {
        version: '1',
        role: 'consumer',
        agreement: hashOf(agreement),
        offer: process.offerHash,
        covers: [createHash('sha256').update(signature).digest('hex')],
        providerPid: process.providerPid,
        consumerPid: process.consumerPid,
        at: '2026-11-22T10:00:01.000Z',
      },
    })
  })

  it('are plain RFC 7797 signatures that another JOSE implementation verifies', async () => {
    const [protectedPart = '', , signaturePart = ''] = receipt.split('.')
    const verified = await flattenedVerify(
      { protected: protectedPart, payload: canonicalize(agreement), signature: signaturePart },
      await importJWK({ ...provider.jwk }, 'ES256'),
    )
    expect(verified.protectedHeader?.b64).toBe(false)
  })

  it('travel under absolute IRIs at message level', () => {
    expect([AGREEMENT_SIGNATURE, COUNTERSIGNATURE, RECEIPT]).toEqual([
      'https://w3id.org/machine-data-policy/v1#agreementSignature',
      'https://w3id.org/machine-data-policy/v1#agreementCountersignature',
      'https://w3id.org/machine-data-policy/v1#agreementReceipt',
    ])
  })
})

describe('a signature is refused', () => {
  it('when the agreement was changed by one character', () => {
    const changed = { ...agreement, timestamp: '2026-11-22T10:00:00.0Z' }
    expect(refusal(signature, { ...first, agreement: changed })).toBe(
      'The signature is for another text: the agreement was changed after it was signed.',
    )
  })

  it('when the changed agreement has its hash put into the header, too', () => {
    const changed = { ...agreement, target: 'urn:other' }
    const header = headerOf(signature)
    header[SEAL].agreement = hashOf(changed)
    const [, , signaturePart] = signature.split('.')
    const spliced = `${Buffer.from(JSON.stringify(header)).toString('base64url')}..${signaturePart}`
    expect(refusal(spliced, { ...first, agreement: changed })).toBe(
      'The signature was not made with the key did:web:provider.example#2026-11-a-seal.',
    )
  })

  it('when another key made it', () => {
    expect(refusal(signature, first, consumer.jwk)).toBe(
      'The signature was not made with the key did:web:provider.example#2026-11-a-seal.',
    )
  })

  it('when it has another algorithm, even a correct one', () => {
    expect(
      refusal(
        forge((header) => (header.alg = 'none')),
        first,
      ),
    ).toBe('The signature uses the algorithm "none"; only ES256 is accepted.')
    expect(
      refusal(
        forge((header) => (header.alg = 'HS256')),
        first,
      ),
    ).toMatch(/only ES256/)
  })

  it('when crit or b64 are missing or something critical is unknown', () => {
    const crit = 'The signature must list "b64" under "crit" in its header.'
    expect(
      refusal(
        forge((header) => delete header.crit),
        first,
      ),
    ).toBe(crit)
    expect(
      refusal(
        forge((header) => (header.crit = [])),
        first,
      ),
    ).toBe(crit)
    expect(
      refusal(
        forge((header) => (header.b64 = true)),
        first,
      ),
    ).toBe('The signature must say "b64": false in its header.')
    expect(
      refusal(
        forge((header) => (header.crit = ['b64', 'exp'])),
        first,
      ),
    ).toBe('The signature has a critical header that is not understood: "exp".')
  })

  it('in another role: nobody can pass a countersignature off as a receipt', () => {
    expect(refusal(countersignature, { ...second, role: 'receipt' }, consumer.jwk)).toBe(
      'The signature has the role "consumer"; expected is "receipt".',
    )
    expect(refusal(signature, { ...first, role: 'receipt' })).toBe(
      'The signature has the role "provider"; expected is "receipt".',
    )
  })

  it('when it covers other signatures than those of this negotiation', () => {
    const other = sealAgreement({ ...first, at: (at + 1) as EpochMs }, provider.key)
    expect(refusal(countersignature, { ...second, covers: [other] }, consumer.jwk)).toBe(
      "The countersignature does not cover the provider's signature of this negotiation.",
    )
    expect(refusal(countersignature, { ...second, covers: [] }, consumer.jwk)).toMatch(/does not cover/)
    const receiptWrong =
      "The receipt does not cover the provider's signature and the countersignature of this negotiation."
    expect(refusal(receipt, { ...third, covers: [signature] })).toBe(receiptWrong)
    expect(refusal(receipt, { ...third, covers: [countersignature, signature] })).toBe(receiptWrong)
    const covering = sealAgreement({ ...first, covers: [other], at }, provider.key)
    expect(refusal(covering, first)).toBe(
      "The provider's signature covers other signatures; it must be the first.",
    )
  })

  it('when the process identifiers are swapped or belong to another negotiation', () => {
    const { providerPid, consumerPid } = process
    expect(refusal(signature, { ...first, providerPid: consumerPid, consumerPid: providerPid })).toBe(
      'The signature has providerPid and consumerPid the wrong way round.',
    )
    expect(refusal(signature, { ...first, consumerPid: 'urn:uuid:0' })).toBe(
      'The signature belongs to another negotiation: its providerPid or consumerPid differs.',
    )
  })

  it('when it refers to another offer', () => {
    expect(refusal(signature, { ...first, offerHash: hashOf({ '@id': 'urn:offer:2' }) })).toBe(
      'The signature refers to another offer than the last one of this negotiation.',
    )
  })

  it('when it does not say what it stands for', () => {
    expect(
      refusal(
        forge((header) => delete header[SEAL]),
        first,
      ),
    ).toMatch(/^The signature has no /)
    expect(
      refusal(
        forge((header) => (header[SEAL] = { ...(header[SEAL] as object), version: '2' })),
        first,
      ),
    ).toBe('The signature has version "2"; understood is "1".')
    expect(
      refusal(
        forge((header) => (header[SEAL] = { ...(header[SEAL] as object), at: 'soon' })),
        first,
      ),
    ).toBe('The signature does not say when it was made.')
    expect(
      refusal(
        forge((header) => (header.kid = '2026-11-a-seal')),
        first,
      ),
    ).toBe('The signature does not name its key as a DID URL (kid).')
  })

  it('when it is no detached JWS', () => {
    const [head, , tail] = signature.split('.')
    expect(refusal(`${head}.e30.${tail}`, first)).toBe(
      'The signature must be detached: the part between the dots is not empty.',
    )
    for (const text of [
      '',
      'x',
      'a.b.c.d',
      `${head}..`,
      `${head}..!!`,
      `${head}..${tail}=`,
      '..',
      `e30..${tail}`,
    ]) {
      expect(refusal(text, first), text).toMatch(/^The signature /)
    }
  })
})

it('signs with the key that was loaded from a PEM file', () => {
  const pem = provider.key.privateKey.export({ type: 'pkcs8', format: 'pem' })
  const loaded = { kid: provider.key.kid, privateKey: createPrivateKey(pem) }
  expect(verifySeal(sealAgreement({ ...first, at }, loaded), first, provider.jwk).ok).toBe(true)
})

describe('shape documents', () => {
  const shapes = ['a'.repeat(64), 'b'.repeat(64)]
  const shaped: SealSubject = { ...first, shapes }
  const over = sealAgreement({ ...shaped, at }, provider.key)

  it('stand in the signed header by their hashes, and only where there are some', () => {
    expect(headerOf(over)[SEAL].shapes).toEqual(shapes)
    expect(headerOf(signature)[SEAL]).not.toHaveProperty('shapes')
    expect(refusal(over, shaped)).toBeUndefined()
  })

  it.each([
    ['another one', [shapes[0] ?? '', 'c'.repeat(64)]],
    ['fewer', shapes.slice(1)],
    ['none', []],
  ])('must be the same: not %s', (_what, others) => {
    expect(refusal(over, { ...first, shapes: others })).toContain('covers other shape documents')
  })

  it('must be covered where the agreement names them', () => {
    expect(refusal(signature, shaped)).toContain('covers other shape documents')
  })
})
