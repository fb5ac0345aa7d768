import { execFileSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  adoptDevelopmentCa,
  createDevelopmentCa,
  type DevelopmentCa,
  issueServerCertificate,
  writeDevelopmentCertificates,
} from '../../certs-dev/generate.js'
import { isDevelopmentCertificate } from '../../connector/crypto/certificates.js'

let dir: string
let ca: DevelopmentCa
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'certs-dev-'))
  ca = await createDevelopmentCa()
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const openssl = (() => {
  try {
    execFileSync('openssl', ['version'])
    return true
  } catch {
    return false
  }
})()

describe('development certificates', () => {
  it('are issued by the authority for the names and addresses asked for', async () => {
    const { cert, key } = await issueServerCertificate(ca, {
      dnsNames: ['provider.test', 'localhost'],
      ips: ['127.0.0.1', '::1'],
    })
    const leaf = new X509Certificate(cert)
    expect(leaf.checkIssued(new X509Certificate(ca.cert))).toBe(true)
    expect(leaf.verify(new X509Certificate(ca.cert).publicKey)).toBe(true)
    expect([leaf.checkHost('provider.test'), leaf.checkHost('other.test')]).toEqual([
      'provider.test',
      undefined,
    ])
    expect([leaf.checkIP('127.0.0.1'), leaf.checkIP('::1'), leaf.checkIP('10.0.0.1')]).toEqual([
      '127.0.0.1',
      '::1',
      undefined,
    ])
    expect(leaf.ca).toBe(false)
    expect(leaf.checkPrivateKey(createPrivateKey(key))).toBe(true)
    expect(Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)).toBe(90 * 86_400_000)
    expect(cert.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
  })

  it.skipIf(!openssl)('satisfy openssl as a chain for a TLS server', async () => {
    const { cert } = await issueServerCertificate(ca, { dnsNames: ['provider.test'] })
    writeFileSync(join(dir, 'ca.pem'), ca.cert)
    writeFileSync(join(dir, 'leaf.pem'), cert)
    const args = [
      'verify',
      '-x509_strict',
      '-purpose',
      'sslserver',
      '-CAfile',
      join(dir, 'ca.pem'),
      join(dir, 'leaf.pem'),
    ]
    expect(execFileSync('openssl', args).toString()).toContain('leaf.pem: OK')
  })

  it('are recognised by their marker, the authority, its certificates and self-signed ones alike', async () => {
    const issued = await issueServerCertificate(ca, { dnsNames: ['a.test'] })
    const alone = await issueServerCertificate(undefined, { dnsNames: ['a.test'] })
    for (const cert of [ca.cert, issued.cert, alone.cert]) expect(isDevelopmentCertificate(cert)).toBe(true)
    expect(isDevelopmentCertificate(new X509Certificate(issued.cert))).toBe(true)
    expect(new X509Certificate(ca.cert).subject).toBe(
      'CN=Handschlag development CA\nO=Handschlag development\\, not for production',
    )
  })

  it.skipIf(!openssl)('are told apart from real ones, also from one that only looks similar', () => {
    const make = (subject: string) => {
      const file = join(dir, 'real.pem')
      const args = [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '1',
      ]
      execFileSync('openssl', [...args, '-keyout', join(dir, 'real.key'), '-out', file, '-subj', subject], {
        stdio: 'pipe',
      })
      return readFileSync(file, 'utf8')
    }
    expect(isDevelopmentCertificate(make('/CN=connector.example.com/O=Example GmbH'))).toBe(false)
    expect(isDevelopmentCertificate(make('/CN=O=Handschlag development, not for production'))).toBe(false)
    expect(isDevelopmentCertificate(make('/CN=x/O=Handschlag development, not for production'))).toBe(true)
  })

  it('come from the authority of another folder only if that one was made for development', async () => {
    const [real, own] = [join(dir, 'real'), join(dir, 'own')]
    mkdirSync(real)
    expect(await adoptDevelopmentCa(join(dir, 'absent'), own)).toBe(false)
    expect(await adoptDevelopmentCa(real, own)).toBe(false)
    const other = await createDevelopmentCa()
    writeFileSync(join(real, 'ca.pem'), other.cert)
    writeFileSync(join(real, 'ca.key'), ca.key)
    expect(await adoptDevelopmentCa(real, own)).toBe(false)
    expect(readdirSync(dir)).not.toContain('own')
    writeFileSync(join(real, 'ca.key'), other.key)
    expect(await adoptDevelopmentCa(real, own)).toBe(true)
    expect(readFileSync(join(own, 'ca.pem'), 'utf8')).toBe(other.cert)
  })

  it.skipIf(!openssl)('never come from a real authority', async () => {
    const folder = join(dir, 'company')
    mkdirSync(folder)
    const args = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '90',
    ]
    const files = ['-keyout', join(folder, 'ca.key'), '-out', join(folder, 'ca.pem')]
    execFileSync('openssl', [...args, ...files, '-subj', '/CN=Company CA/O=Example GmbH'], { stdio: 'pipe' })
    expect(await adoptDevelopmentCa(folder, join(dir, 'taken'))).toBe(false)
    expect(readdirSync(dir)).not.toContain('taken')
  })

  it('cannot be made without a name or with an empty validity', async () => {
    await expect(issueServerCertificate(ca, { dnsNames: [] })).rejects.toThrow('at least one name')
    await expect(issueServerCertificate(ca, { dnsNames: ['a.test'], days: 0 })).rejects.toThrow('validity')
  })

  it('are written with private keys for this user only, and the authority stays when more names come', async () => {
    const out = join(dir, 'out')
    const first = await writeDevelopmentCertificates(out, ['provider.test', '127.0.0.1'])
    const authority = readFileSync(first.ca, 'utf8')
    const second = await writeDevelopmentCertificates(out, ['consumer.test'])
    expect(readFileSync(second.ca, 'utf8')).toBe(authority)
    expect(readdirSync(out).sort()).toEqual([
      '127.0.0.1.key',
      '127.0.0.1.pem',
      'ca.key',
      'ca.pem',
      'consumer.test.key',
      'consumer.test.pem',
      'provider.test.key',
      'provider.test.pem',
    ])
    for (const file of readdirSync(out).filter((name) => name.endsWith('.key'))) {
      expect((statSync(join(out, file)).mode & 0o777).toString(8), file).toBe('600')
    }
    const leaf = new X509Certificate(readFileSync(second.servers['consumer.test']?.cert ?? ''))
    expect(leaf.checkIssued(new X509Certificate(authority))).toBe(true)
    writeFileSync(join(out, 'ca.key'), 'damaged')
    const third = await writeDevelopmentCertificates(out, ['provider.test'])
    expect(readFileSync(third.ca, 'utf8')).not.toBe(authority)
  })
})
