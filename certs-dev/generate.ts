/**
 * Certificates for development, demonstration and tests: an authority of one's own and server certificates from it, all
 * marked in their names so that a connector refuses them outside --dev. Importing this module costs about 150 ms; load
 * it with `await import()` where it is needed.
 */
import 'reflect-metadata'
import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import * as x509 from '@peculiar/x509'
import { DEVELOPMENT_ORGANIZATION, isDevelopmentCertificate } from '../connector/crypto/certificates.js'

export type DevelopmentCa = {
  /** Certificate in PEM; what a client must trust. */
  readonly cert: string
  /** PKCS#8 in PEM. */
  readonly key: string
}

export type ServerCertificate = {
  /** Leaf and authority in PEM, as a TLS server presents them. */
  readonly cert: string
  readonly key: string
}

export type CertificateRequest = {
  readonly dnsNames: readonly string[]
  readonly ips?: readonly string[]
  /** Validity from `from` on; negative days end before they begin and are refused. */
  readonly days?: number
  /** Start of the validity; one hour ago when absent, so that slightly different clocks agree. */
  readonly from?: Date
}

const DAY = 86_400_000
const HOUR = 3_600_000
const EC = { name: 'ECDSA', namedCurve: 'P-256' } as const
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const

/** Clients accept server certificates of at most 398 days; a development one has no reason to live longer than 90. */
const SERVER_DAYS = 90
const CA_DAYS = 365

export async function createDevelopmentCa(): Promise<DevelopmentCa> {
  const keys = await webcrypto.subtle.generateKey(EC, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: subject('Handschlag development CA'),
      ...validity(CA_DAYS),
      signingAlgorithm: SIGNING,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  )
  return { cert: pem(certificate), key: await exportKey(keys.privateKey) }
}

/** A server certificate for the names and addresses, signed by `ca`, or by itself when `ca` is absent. */
export async function issueServerCertificate(
  ca: DevelopmentCa | undefined,
  { dnsNames, ips = [], days = SERVER_DAYS, from }: CertificateRequest,
): Promise<ServerCertificate> {
  const names: x509.JsonGeneralName[] = [
    ...dnsNames.map((value) => ({ type: 'dns', value }) as const),
    ...ips.map((value) => ({ type: 'ip', value }) as const),
  ]
  const [first] = names
  if (first === undefined) throw new RangeError('a server certificate needs at least one name or address')
  const keys = await webcrypto.subtle.generateKey(EC, true, ['sign', 'verify'])
  const name = subject(first.value)
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: name,
      issuer: ca === undefined ? name : new x509.X509Certificate(ca.cert).subjectName,
      ...validity(days, from),
      signingAlgorithm: SIGNING,
      publicKey: keys.publicKey,
      signingKey: ca === undefined ? keys.privateKey : await importKey(ca.key),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(names),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
        ...(ca === undefined
          ? []
          : [
              await x509.AuthorityKeyIdentifierExtension.create(
                new x509.X509Certificate(ca.cert),
                false,
                webcrypto,
              ),
            ]),
      ],
    },
    webcrypto,
  )
  return { cert: pem(certificate) + (ca?.cert ?? ''), key: await exportKey(keys.privateKey) }
}

export type DevelopmentFiles = {
  /** File with the authority's certificate. */
  readonly ca: string
  /** Per name the certificate and key files. */
  readonly servers: Readonly<Record<string, { readonly cert: string; readonly key: string }>>
}

/**
 * Writes `ca.pem` and, per name, `<name>.pem` and `<name>.key` (0600) into `dir`. An authority that is there and valid
 * for another month is used again, so that what trusts it goes on trusting; server certificates are made anew.
 */
export async function writeDevelopmentCertificates(
  dir: string,
  names: readonly string[],
): Promise<DevelopmentFiles> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const ca = await loadOrCreateCa(dir)
  const servers: Record<string, { cert: string; key: string }> = {}
  for (const name of names) {
    const request = isIP(name) === 0 ? { dnsNames: [name] } : { dnsNames: [], ips: [name] }
    const issued = await issueServerCertificate(ca, request)
    const base = join(dir, name.replaceAll(/[^A-Za-z0-9.-]/g, '_'))
    const files = { cert: `${base}.pem`, key: `${base}.key` }
    await replaceFile(files.key, issued.key, 0o600)
    await replaceFile(files.cert, issued.cert, 0o644)
    servers[name] = files
  }
  return { ca: join(dir, 'ca.pem'), servers }
}

/**
 * Takes the authority of another folder over into `dir`, so that connectors of both trust each other. False, and nothing is
 * written, when there is none that was made for development, is whole and valid for another month.
 */
export async function adoptDevelopmentCa(from: string, dir: string): Promise<boolean> {
  const ca = await readCa(from)
  if (ca === undefined || !isDevelopmentCertificate(ca.cert)) return false
  await mkdir(dir, { recursive: true, mode: 0o700 })
  await writeCa(dir, ca)
  return true
}

async function loadOrCreateCa(dir: string): Promise<DevelopmentCa> {
  const there = await readCa(dir)
  if (there !== undefined) return there
  const ca = await createDevelopmentCa()
  await writeCa(dir, ca)
  return ca
}

const caFiles = (dir: string) => ({ cert: join(dir, 'ca.pem'), key: join(dir, 'ca.key') })

async function readCa(dir: string): Promise<DevelopmentCa | undefined> {
  const files = caFiles(dir)
  try {
    const ca = { cert: await readFile(files.cert, 'utf8'), key: await readFile(files.key, 'utf8') }
    const certificate = new X509Certificate(ca.cert)
    const fits = certificate.checkPrivateKey(createPrivateKey(ca.key))
    return fits && Date.parse(certificate.validTo) > Date.now() + 30 * DAY ? ca : undefined
  } catch {
    // Absent, half-written or damaged all mean the same here: there is none to use.
    return undefined
  }
}

async function writeCa(dir: string, ca: DevelopmentCa): Promise<void> {
  const files = caFiles(dir)
  await replaceFile(files.key, ca.key, 0o600)
  await replaceFile(files.cert, ca.cert, 0o644)
}

async function replaceFile(path: string, content: string, mode: number): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`
  try {
    await writeFile(draft, content, { mode, flag: 'wx' })
    await rename(draft, path)
  } finally {
    await rm(draft, { force: true })
  }
}

const subject = (commonName: string) =>
  new x509.Name([{ CN: [commonName] }, { O: [DEVELOPMENT_ORGANIZATION] }])

function validity(days: number, from = new Date(Date.now() - HOUR)): { notBefore: Date; notAfter: Date } {
  if (!(days > 0)) throw new RangeError('the validity must be longer than nothing')
  return { notBefore: from, notAfter: new Date(from.getTime() + days * DAY) }
}

/** Positive, 127 random bits (RFC 5280, "Serial Number"). */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0)
  return bytes.toString('hex')
}

const pem = (certificate: x509.X509Certificate): string => `${certificate.toString('pem')}\n`

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = await webcrypto.subtle.exportKey('pkcs8', key)
  return createPrivateKey({ key: Buffer.from(der), type: 'pkcs8', format: 'der' })
    .export({ type: 'pkcs8', format: 'pem' })
    .toString()
}

const importKey = (key: string): Promise<webcrypto.CryptoKey> =>
  webcrypto.subtle.importKey(
    'pkcs8',
    createPrivateKey(key).export({ type: 'pkcs8', format: 'der' }),
    EC,
    false,
    ['sign'],
  )
