/**
 * Secrets at rest: AES-256-GCM under one key file. A box opens only with the key it was made with and only in the
 * place it was made for (`aad`, such as the row it is stored in). Never logs, never echoes.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { ok, problem, type Result } from '../core/result.js'
import { createFileOnce, makePrivateFolder, readPrivateFile } from './private-files.js'

export type SecretBox = {
  /** Text that hides `plaintext`; `aad` names its place and is needed again to open it. */
  seal(plaintext: string, aad: string): string
  /** `SecretUnreadable` when the key, the place or a single bit is another one. */
  open(box: string, aad: string): Result<string>
  /** A 32-byte key for another purpose that is tied to the same key file, such as data tokens. */
  deriveKey(purpose: string): Buffer
}

const KEY_FILE = 'secret.key'
const KEY_BYTES = 32
/** NIST SP 800-38D: 96 random bits; far below 2^32 boxes per key. */
const NONCE_BYTES = 12
const TAG_BYTES = 16
const VERSION = 'v1'

/** Creates the key file in `keysDir`; an existing one stays as it is. */
export async function createSecretKey(keysDir: string): Promise<Result<void>> {
  const folder = await makePrivateFolder(keysDir)
  if (!folder.ok) return folder
  const created = await createFileOnce(
    join(keysDir, KEY_FILE),
    `${randomBytes(KEY_BYTES).toString('base64url')}\n`,
  )
  return created.ok ? ok(undefined) : created
}

export async function loadSecretBox(keysDir: string): Promise<Result<SecretBox>> {
  const path = join(keysDir, KEY_FILE)
  const text = await readPrivateFile(path)
  if (!text.ok) return text
  const key = Buffer.from(text.value.trim(), 'base64url')
  if (key.byteLength !== KEY_BYTES || key.toString('base64url') !== text.value.trim()) {
    return problem('KeyUnusable', {
      en: `${path} is damaged: it must hold 32 bytes in base64url. Restore it from a backup.`,
      de: `${path} ist beschädigt: Die Datei muss 32 Byte in base64url enthalten. Stellen Sie sie aus einer Sicherung wieder her.`,
    })
  }
  return ok(secretBox(key))
}

export function secretBox(masterKey: Uint8Array): SecretBox {
  const deriveKey = (purpose: string): Buffer =>
    Buffer.from(hkdfSync('sha256', masterKey, '', `handschlag/${purpose}`, KEY_BYTES))
  const key = deriveKey('secret-box')
  return {
    deriveKey,
    seal(plaintext, aad) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
      cipher.setAAD(Buffer.from(aad))
      const body = Buffer.concat([
        nonce,
        cipher.update(plaintext, 'utf8'),
        cipher.final(),
        cipher.getAuthTag(),
      ])
      return `${VERSION}.${body.toString('base64url')}`
    },
    open(box, aad) {
      const body = box.startsWith(`${VERSION}.`)
        ? Buffer.from(box.slice(VERSION.length + 1), 'base64url')
        : undefined
      if (body === undefined || body.byteLength < NONCE_BYTES + TAG_BYTES) return unreadable
      const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      })
      decipher.setAAD(Buffer.from(aad))
      decipher.setAuthTag(body.subarray(-TAG_BYTES))
      try {
        const plain = decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES))
        return ok(Buffer.concat([plain, decipher.final()]).toString('utf8'))
      } catch {
        // GCM says no more than "no", and nothing more may be said about a secret.
        return unreadable
      }
    },
  }
}

const unreadable = problem('SecretUnreadable', {
  en: 'A stored secret cannot be decrypted: it was changed, or it was stored with another key file. Restore keys/secret.key, or enter the secret again.',
  de: 'Ein gespeichertes Geheimnis lässt sich nicht entschlüsseln: Es wurde verändert oder mit einer anderen Schlüsseldatei gespeichert. Stellen Sie keys/secret.key wieder her, oder geben Sie das Geheimnis neu ein.',
})
