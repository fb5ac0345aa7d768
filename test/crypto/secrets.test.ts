import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSecretKey, loadSecretBox, secretBox } from '../../connector/crypto/secret-box.js'
import { deriveToken, equalsConstantTime, hashToken, randomToken } from '../../connector/crypto/tokens.js'

describe('a secret box', () => {
  const box = secretBox(Buffer.alloc(32, 1))
  const sealed = box.seal('hunter2', 'source/1')

  it('gives the secret back in its own place only', () => {
    expect(box.open(sealed, 'source/1')).toEqual({ ok: true, value: 'hunter2' })
    expect(box.open(sealed, 'source/2')).toMatchObject({ ok: false, error: { code: 'SecretUnreadable' } })
    expect(box.open(box.seal('', 'a'), 'a')).toEqual({ ok: true, value: '' })
    expect(box.open(box.seal('Schlüssel', 'a'), 'a')).toEqual({ ok: true, value: 'Schlüssel' })
  })

  it('never looks the same twice and never shows the secret', () => {
    expect(box.seal('hunter2', 'source/1')).not.toBe(sealed)
    expect(Buffer.from(sealed.slice(3), 'base64url').toString('latin1')).not.toContain('hunter2')
  })

  it('does not open with another key, nor when one bit was changed or a part is missing', () => {
    const refused = { ok: false, error: { code: 'SecretUnreadable' } }
    expect(secretBox(Buffer.alloc(32, 2)).open(sealed, 'source/1')).toMatchObject(refused)
    const bytes = Buffer.from(sealed.slice(3), 'base64url')
    for (let i = 0; i < bytes.length; i++) {
      const changed = Buffer.from(bytes)
      changed.writeUInt8(changed.readUInt8(i) ^ 1, i)
      expect(box.open(`v1.${changed.toString('base64url')}`, 'source/1'), `byte ${i}`).toMatchObject(refused)
    }
    for (const text of ['', 'v1.', 'hunter2', sealed.slice(0, -4), `v2${sealed.slice(2)}`]) {
      const result = box.open(text, 'source/1')
      expect(result, text).toMatchObject(refused)
      expect(JSON.stringify(result)).not.toContain('hunter2')
    }
  })

  it('derives keys for other purposes that differ from each other and from one key file to the next', () => {
    const other = secretBox(Buffer.alloc(32, 2))
    const keys = [box.deriveKey('data-tokens'), box.deriveKey('pseudonyms'), other.deriveKey('data-tokens')]
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(3)
    expect(box.deriveKey('data-tokens')).toEqual(keys[0])
  })
})

describe('the key file of the secret box', () => {
  let dir: string
  beforeAll(() => {
    dir = join(mkdtempSync(join(tmpdir(), 'secret-')), 'keys')
  })
  afterAll(() => rmSync(join(dir, '..'), { recursive: true, force: true }))

  it('is created once, for this user only, and opens what was sealed before a restart', async () => {
    expect(await loadSecretBox(dir)).toMatchObject({ ok: false, error: { code: 'KeyUnusable' } })
    expect(await createSecretKey(dir)).toEqual({ ok: true, value: undefined })
    const path = join(dir, 'secret.key')
    const before = readFileSync(path, 'utf8')
    expect((statSync(path).mode & 0o777).toString(8)).toBe('600')
    const first = await loadSecretBox(dir)
    const sealed = first.ok ? first.value.seal('x', 'a') : ''
    expect(await createSecretKey(dir)).toEqual({ ok: true, value: undefined })
    expect(readFileSync(path, 'utf8')).toBe(before)
    const second = await loadSecretBox(dir)
    expect(second.ok && second.value.open(sealed, 'a')).toEqual({ ok: true, value: 'x' })
  })

  it('is refused when it is damaged or readable by everybody, without being quoted', async () => {
    const path = join(dir, 'secret.key')
    const key = readFileSync(path, 'utf8').trim()
    chmodSync(path, 0o644)
    expect(await loadSecretBox(dir)).toMatchObject({
      error: { message: expect.stringContaining('chmod 600') },
    })
    chmodSync(path, 0o600)
    writeFileSync(path, key.slice(1))
    const damaged = await loadSecretBox(dir)
    expect(damaged).toMatchObject({ error: { message: expect.stringContaining('is damaged') } })
    expect(JSON.stringify(damaged)).not.toContain(key.slice(1, 20))
  })
})

describe('tokens', () => {
  it('are 256 random bits', () => {
    const tokens = Array.from({ length: 100 }, () => randomToken())
    expect(new Set(tokens).size).toBe(100)
    for (const token of tokens) expect(Buffer.from(token, 'base64url')).toHaveLength(32)
  })

  it('are stored as SHA-256', () => {
    // FIPS 180-4 example "abc".
    expect(hashToken('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })

  it('are compared whole, whatever their lengths', () => {
    expect(equalsConstantTime('abc', 'abc')).toBe(true)
    expect(equalsConstantTime('abc', 'abd')).toBe(false)
    expect(equalsConstantTime('abc', 'ab')).toBe(false)
    expect(equalsConstantTime('', '')).toBe(true)
  })

  it('of a transfer are the same after a restart, and others for another transfer, start or installation', () => {
    const master = Buffer.alloc(32, 7)
    const token = deriveToken(master, 'urn:uuid:1', 1)
    expect(Buffer.from(token, 'base64url')).toHaveLength(32)
    expect(deriveToken(Buffer.alloc(32, 7), 'urn:uuid:1', 1)).toBe(token)
    const others = [
      deriveToken(master, 'urn:uuid:1', 2),
      deriveToken(master, 'urn:uuid:2', 1),
      deriveToken(master, 'urn:uuid:1\u00001', 1),
      deriveToken(Buffer.alloc(32, 8), 'urn:uuid:1', 1),
    ]
    expect(new Set([token, ...others]).size).toBe(5)
    expect(() => deriveToken(Buffer.alloc(16), 'urn:uuid:1', 1)).toThrow('32 bytes')
  })
})
