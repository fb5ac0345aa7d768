import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { calculateJwkThumbprint } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Result } from '../../connector/core/result.js'
import type { EpochMs } from '../../connector/core/types.js'
import { fingerprint, importPublicJwk, type PublicJwk, thumbprint } from '../../connector/crypto/jwk.js'
import { createKeys, loadKeys, rotateKeys } from '../../connector/crypto/keys.js'

let dir: string
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'keys-')), 'keys')
})
afterEach(() => rmSync(join(dir, '..'), { recursive: true, force: true }))

const on = (day: string) => () => Date.parse(`${day}T12:00:00Z`) as EpochMs
const november = on('2026-11-22')
function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.error.message)
  return result.value
}
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)

describe('keys', () => {
  it('are two, named after the month and their use, in files that only this user can read', async () => {
    const ring = value(await createKeys(dir, november))
    expect([ring.name, ring.auth.kid, ring.seal.kid]).toEqual([
      '2026-11-a',
      '2026-11-a-auth',
      '2026-11-a-seal',
    ])
    expect(ring.auth.publicJwk).not.toEqual(ring.seal.publicJwk)
    expect(mode(dir)).toBe('700')
    expect(mode(join(dir, '2026-11-a'))).toBe('700')
    for (const file of ['auth.pem', 'seal.pem']) {
      expect(mode(join(dir, '2026-11-a', file))).toBe('600')
      expect(readFileSync(join(dir, '2026-11-a', file), 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
    }
    expect(readdirSync(dir)).toEqual(['2026-11-a'])
  })

  it('are the same after a restart, and creating them again changes nothing', async () => {
    const created = value(await createKeys(dir, november))
    const before = readFileSync(join(dir, '2026-11-a', 'seal.pem'), 'utf8')
    const again = value(await createKeys(dir, on('2027-03-01')))
    const loaded = value(await loadKeys(dir))
    expect(again.name).toBe('2026-11-a')
    expect(loaded.seal.publicJwk).toEqual(created.seal.publicJwk)
    expect(readFileSync(join(dir, '2026-11-a', 'seal.pem'), 'utf8')).toBe(before)
  })

  it('that are missing, damaged or open to everybody are refused with advice and without their content', async () => {
    expect(await loadKeys(dir)).toMatchObject({
      ok: false,
      error: { code: 'KeyUnusable', message: expect.stringContaining('Run "handschlag init"') },
    })
    value(await createKeys(dir, november))
    const path = join(dir, '2026-11-a', 'seal.pem')
    const pem = readFileSync(path, 'utf8')
    chmodSync(path, 0o604)
    expect(await loadKeys(dir)).toMatchObject({
      error: { message: expect.stringContaining(`chmod 600 ${path}`) },
    })
    chmodSync(path, 0o600)
    writeFileSync(path, pem.slice(0, 60))
    const damaged = await loadKeys(dir)
    expect(damaged).toMatchObject({
      error: { code: 'KeyUnusable', message: expect.stringContaining('is damaged') },
    })
    expect(JSON.stringify(damaged)).not.toContain(pem.slice(30, 50))
    rmSync(path)
    expect(await loadKeys(dir)).toMatchObject({
      error: { message: expect.stringContaining('seal.pem is missing') },
    })
  })
})

describe('rotation', () => {
  it('takes the next letter in the same month and starts again with a in a later one', async () => {
    value(await createKeys(dir, november))
    expect(value(await rotateKeys(dir, november)).name).toBe('2026-11-b')
    expect(value(await rotateKeys(dir, on('2027-01-02'))).name).toBe('2027-01-a')
    // The clock was set back: the new pair must still be the newest one.
    expect(value(await rotateKeys(dir, november)).name).toBe('2027-01-b')
  })

  it('keeps the old public seal keys and destroys every old private key', async () => {
    const first = value(await createKeys(dir, november))
    const second = value(await rotateKeys(dir, november))
    const third = value(await rotateKeys(dir, november))
    expect(third.retiredSeals).toEqual([
      { kid: '2026-11-b-seal', publicJwk: second.seal.publicJwk },
      { kid: '2026-11-a-seal', publicJwk: first.seal.publicJwk },
    ])
    expect(readdirSync(join(dir, '2026-11-a'))).toEqual(['seal.public.pem'])
    expect(existsSync(join(dir, '2026-11-c', 'auth.pem'))).toBe(true)
  })

  it('interrupted before the old keys were retired still loads, and the next one cleans up', async () => {
    const first = value(await createKeys(dir, november))
    const pem = readFileSync(join(dir, '2026-11-a', 'seal.pem'), 'utf8')
    value(await rotateKeys(dir, november))
    rmSync(join(dir, '2026-11-a', 'seal.public.pem'))
    writeFileSync(join(dir, '2026-11-a', 'seal.pem'), pem, { mode: 0o600 })
    const loaded = value(await loadKeys(dir))
    expect(loaded.name).toBe('2026-11-b')
    expect(loaded.retiredSeals).toEqual([{ kid: '2026-11-a-seal', publicJwk: first.seal.publicJwk }])
    value(await rotateKeys(dir, november))
    expect(readdirSync(join(dir, '2026-11-a'))).toEqual(['seal.public.pem'])
  })

  it('passes z', async () => {
    value(await createKeys(dir, november))
    renameSync(join(dir, '2026-11-a'), join(dir, '2026-11-z'))
    expect(value(await rotateKeys(dir, november)).name).toBe('2026-11-aa')
    expect(value(await rotateKeys(dir, november)).name).toBe('2026-11-ab')
  })
})

describe('public keys', () => {
  // RFC 7517, Appendix A.1, first key.
  const jwk: PublicJwk = {
    kty: 'EC',
    crv: 'P-256',
    x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
    y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
  }

  it('have the thumbprint that RFC 7638 defines', async () => {
    expect(thumbprint(jwk)).toBe(await calculateJwkThumbprint({ ...jwk }))
    expect(thumbprint({ ...jwk, kid: 'other', alg: 'ES256' } as PublicJwk)).toBe(thumbprint(jwk))
  })

  it('have a fingerprint of eight groups without letters that are misheard, the same for any order', async () => {
    const other = value(await createKeys(dir, november)).seal.publicJwk
    expect(fingerprint(jwk)).toMatch(/^([0-9A-HJKMNP-TV-Z]{4} ){7}[0-9A-HJKMNP-TV-Z]{4}$/)
    expect(fingerprint(jwk, other)).toBe(fingerprint(other, jwk))
    expect(new Set([fingerprint(jwk), fingerprint(other), fingerprint(jwk, other)]).size).toBe(3)
    // The first five bits of the thumbprint give the first character.
    const firstByte = Buffer.from(thumbprint(jwk), 'base64url').readUInt8(0)
    expect(fingerprint(jwk).charAt(0)).toBe('0123456789ABCDEFGHJKMNPQRSTVWXYZ'.charAt(firstByte >> 3))
  })

  it.each([
    ['nothing', undefined, 'it is not a JWK'],
    ['an RSA key', { kty: 'RSA', n: 'AQAB', e: 'AQAB' }, 'only ES256 keys (EC, P-256) are accepted'],
    ['another curve', { ...jwk, crv: 'P-384' }, 'only ES256 keys (EC, P-256) are accepted'],
    ['another algorithm', { ...jwk, alg: 'ECDH-ES' }, 'only ES256 keys (EC, P-256) are accepted'],
    [
      'a private key',
      { ...jwk, d: '870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE' },
      'it contains a private key, which must be considered lost',
    ],
    ['a short coordinate', { ...jwk, x: 'AAAA' }, 'x and y must be 32 bytes in base64url'],
    ['a point off the curve', { ...jwk, y: jwk.x }, 'its point is not on the curve'],
  ])('of others are refused when they are %s', (_, foreign, why) => {
    expect(importPublicJwk(foreign)).toEqual({
      ok: false,
      error: { code: 'IdentityUnresolvable', message: `The public key is not usable: ${why}.` },
    })
  })

  it('of others are accepted when they are P-256', () => {
    expect(value(importPublicJwk({ ...jwk, alg: 'ES256', use: 'sig', kid: 'x' })).jwk).toEqual(jwk)
  })
})
