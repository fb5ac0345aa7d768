/**
 * The connector's own keys: one folder per key pair below `keys/`, named after the month it was made, with one ES256 key
 * for tokens (`auth`) and another for contracts (`seal`). Rotation destroys the old private keys; the old public seal
 * keys stay, because contracts outlive keys. Private keys never leave this module except as opaque key objects.
 */
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ok, problem, type Result } from '../core/result.js'
import type { Clock } from '../core/types.js'
import { type PublicJwk, publicJwkOf } from './jwk.js'
import {
  codeOf,
  createFileOnce,
  fileProblem,
  makePrivateFolder,
  readPrivateFile,
  syncFolder,
  writeDurably,
} from './private-files.js'

export type SigningKey = {
  /** Fragment of the key's DID URL, such as `2026-11-a-seal`. */
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicJwk: PublicJwk
}

export type RetiredKey = { readonly kid: string; readonly publicJwk: PublicJwk }

export type KeyRing = {
  /** Name of the pair in use, such as `2026-11-a`. */
  readonly name: string
  readonly auth: SigningKey
  readonly seal: SigningKey
  /** Public seal keys of earlier pairs, newest first: old contracts are verified with them. */
  readonly retiredSeals: readonly RetiredKey[]
}

type Use = 'auth' | 'seal'

const PAIR_NAME = /^(\d{4}-\d{2})-([a-z]{1,3})$/
const privateFile = (use: Use) => `${use}.pem`
const RETIRED_SEAL = 'seal.public.pem'

const generate = promisify(generateKeyPair)

/** Creates the first key pair. When there is one already, it stays and is what the answer holds. */
export async function createKeys(dir: string, clock: Clock): Promise<Result<KeyRing>> {
  const folder = await makePrivateFolder(dir)
  if (!folder.ok) return folder
  const names = await pairNames(dir)
  if (!names.ok) return names
  if (names.value.length === 0) {
    const created = await createPair(dir, nextName(undefined, clock))
    if (!created.ok) return created
  }
  return loadKeys(dir)
}

/** The key pair in use and the public keys before it. `KeyUnusable` says which file is wrong and what to do. */
export async function loadKeys(dir: string): Promise<Result<KeyRing>> {
  const names = await pairNames(dir)
  if (!names.ok) return names
  const [name, ...older] = names.value
  if (name === undefined) {
    return problem('KeyUnusable', {
      en: `There are no keys in ${dir}. Run "handschlag init", or restore the folder from a backup.`,
      de: `In ${dir} liegen keine Schlüssel. Führen Sie „handschlag init“ aus, oder stellen Sie den Ordner aus einer Sicherung wieder her.`,
    })
  }
  const auth = await loadPrivate(dir, name, 'auth')
  if (!auth.ok) return auth
  const seal = await loadPrivate(dir, name, 'seal')
  if (!seal.ok) return seal
  const retiredSeals: RetiredKey[] = []
  for (const old of older) {
    const retired = await loadRetired(dir, old)
    if (!retired.ok) return retired
    if (retired.value !== undefined) retiredSeals.push(retired.value)
  }
  return ok({ name, auth: auth.value, seal: seal.value, retiredSeals })
}

/**
 * Makes a new pair the one in use and destroys the private keys of the old one. Interrupted at any point, the folder
 * still loads; running it again goes on from there.
 */
export async function rotateKeys(dir: string, clock: Clock): Promise<Result<KeyRing>> {
  const current = await loadKeys(dir)
  if (!current.ok) return current
  const created = await createPair(dir, nextName(current.value.name, clock))
  if (!created.ok) return created
  const names = await pairNames(dir)
  if (!names.ok) return names
  for (const old of names.value.slice(1)) {
    const retired = await retirePair(dir, old)
    if (!retired.ok) return retired
  }
  return loadKeys(dir)
}

/** Both keys appear together: the folder is filled under another name and then renamed. */
async function createPair(dir: string, name: string): Promise<Result<void>> {
  const draft = join(dir, `.${name}.${randomBytes(6).toString('hex')}.new`)
  try {
    await mkdir(draft, { mode: 0o700 })
    for (const use of ['auth', 'seal'] as const) {
      const { privateKey } = await generate('ec', { namedCurve: 'P-256' })
      await writeDurably(
        join(draft, privateFile(use)),
        privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      )
    }
    await syncFolder(draft)
    // Fails when the name is taken: a folder with content is never replaced.
    await rename(draft, join(dir, name))
    await syncFolder(dir)
    return ok(undefined)
  } catch (cause) {
    return fileProblem(`The keys cannot be written to ${dir}`, cause)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** The public seal key is safe before the private keys go. */
async function retirePair(dir: string, name: string): Promise<Result<void>> {
  const retired = await loadRetired(dir, name)
  if (!retired.ok) return retired
  if (retired.value !== undefined) {
    const pem = createPublicKey({ key: { ...retired.value.publicJwk }, format: 'jwk' })
      .export({ type: 'spki', format: 'pem' })
      .toString()
    const kept = await createFileOnce(join(dir, name, RETIRED_SEAL), pem)
    if (!kept.ok) return kept
  }
  try {
    for (const use of ['auth', 'seal'] as const) await rm(join(dir, name, privateFile(use)), { force: true })
    return ok(undefined)
  } catch (cause) {
    return fileProblem(`The old private keys in ${join(dir, name)} cannot be removed`, cause)
  }
}

async function loadPrivate(dir: string, name: string, use: Use): Promise<Result<SigningKey>> {
  const path = join(dir, name, privateFile(use))
  const pem = await readPrivateFile(path)
  if (!pem.ok) return pem
  try {
    const privateKey = createPrivateKey(pem.value)
    return ok({ kid: `${name}-${use}`, privateKey, publicJwk: publicJwkOf(privateKey) })
  } catch {
    // The reason could quote the file.
    return damaged(path)
  }
}

/** The public seal key of an earlier pair; undefined when the operator has withdrawn it by deleting the file. */
async function loadRetired(dir: string, name: string): Promise<Result<RetiredKey | undefined>> {
  for (const file of [RETIRED_SEAL, privateFile('seal')]) {
    const path = join(dir, name, file)
    const pem = await readPrivateFile(path)
    if (!pem.ok) {
      if (codeOf(pem.error.detail) === 'ENOENT') continue
      return pem
    }
    try {
      return ok({ kid: `${name}-seal`, publicJwk: publicJwkOf(createPublicKey(pem.value)) })
    } catch {
      return damaged(path)
    }
  }
  return ok(undefined)
}

const damaged = (path: string): Result<never> =>
  problem('KeyUnusable', {
    en: `${path} is damaged: it is not a P-256 key in PEM form. Restore it from a backup.`,
    de: `${path} ist beschädigt: Das ist kein P-256-Schlüssel im PEM-Format. Stellen Sie die Datei aus einer Sicherung wieder her.`,
  })

/** Names of all pairs, newest first. */
async function pairNames(dir: string): Promise<Result<readonly string[]>> {
  try {
    const entries = await readdir(dir, { withFileTypes: true })
    const names = entries.filter((e) => e.isDirectory() && PAIR_NAME.test(e.name)).map((e) => e.name)
    return ok(names.sort((left, right) => compareNames(right, left)))
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return ok([])
    return fileProblem(`${dir} cannot be read`, cause)
  }
}

/** By month, then `a` to `z`, then `aa`. */
function compareNames(left: string, right: string): number {
  const [, leftMonth = '', leftLetters = ''] = PAIR_NAME.exec(left) ?? []
  const [, rightMonth = '', rightLetters = ''] = PAIR_NAME.exec(right) ?? []
  if (leftMonth !== rightMonth) return leftMonth < rightMonth ? -1 : 1
  return leftLetters.length - rightLetters.length || (leftLetters < rightLetters ? -1 : 1)
}

/** A name behind `current`, even when the clock stands before it: the newest name is the one in use. */
function nextName(current: string | undefined, clock: Clock): string {
  const month = new Date(clock()).toISOString().slice(0, 7)
  const [, lastMonth = '', lastLetters = ''] = PAIR_NAME.exec(current ?? '') ?? []
  return month > lastMonth ? `${month}-a` : `${lastMonth}-${nextLetters(lastLetters)}`
}

function nextLetters(letters: string): string {
  const last = letters.charCodeAt(letters.length - 1)
  if (letters === '') return 'a'
  return last === 0x7a
    ? `${nextLetters(letters.slice(0, -1))}a`
    : letters.slice(0, -1) + String.fromCharCode(last + 1)
}
