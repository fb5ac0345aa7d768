/** Statements as somebody else would check them: with another library, and with what is wrong in them written by hand. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { CompactSign, compactVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { readStatement, signStatement } from '../../connector/crypto/duty-statement.js'

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const KID = 'did:web:consumer.example#seal'
const sign = (header: object, payload: string, key: KeyObject = privateKey): Promise<string> =>
  new CompactSign(Buffer.from(payload)).setProtectedHeader({ alg: 'ES256', ...header }).sign(key)
const HEADER = { kid: KID, typ: 'duty-statement+jws' }

const wrong = (jws: string): string => {
  const read = readStatement(jws)
  if (read.ok) throw new Error('was read')
  return read.error.message
}

describe('a signed statement', () => {
  it('verifies with any JWS library, over the canonical JSON', async () => {
    const jws = signStatement({ b: 1, a: 'ä' }, { kid: KID, privateKey })
    const { payload, protectedHeader } = await compactVerify(jws, publicKey)
    expect(Buffer.from(payload).toString()).toBe('{"a":"ä","b":1}')
    expect(protectedHeader).toEqual({ alg: 'ES256', ...HEADER })
  })

  it('made by another library is read, and belongs to its key alone', async () => {
    const read = readStatement(await sign(HEADER, '{"a":1}'))
    if (!read.ok) throw new Error(read.error.message)
    expect(read.value).toMatchObject({ kid: KID, content: { a: 1 } })
    expect(read.value.isBy(publicKey)).toBe(true)
    expect(read.value.isBy(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)).toBe(false)
  })

  it('is no other signed text of the same key: the type in the header says so', async () => {
    expect(wrong(await sign({ kid: KID }, '{"a":1}'))).toContain('typ duty-statement+jws')
    expect(wrong(await sign({ kid: KID, typ: 'JWT' }, '{"a":1}'))).toContain('typ duty-statement+jws')
  })

  it('with a key that is no DID URL, JSON that is not canonical, or no object is refused', async () => {
    expect(wrong(await sign({ ...HEADER, kid: 'key-1' }, '{"a":1}'))).toContain('DID URL')
    expect(wrong(await sign(HEADER, '{ "a":1}'))).toContain('canonical')
    expect(wrong(await sign(HEADER, '{"b":1,"a":1}'))).toContain('canonical')
    expect(wrong(await sign(HEADER, '{"a":1,"a":2}'))).toContain('cannot be read')
    expect(wrong(await sign(HEADER, '[1]'))).toContain('JSON object')
    expect(wrong(await sign(HEADER, `{"a":"${'x'.repeat(17_000)}"}`))).toContain('cannot be read')
    expect(wrong('a.b')).toContain('three parts')
  })
})
