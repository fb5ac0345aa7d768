/** Certificate and key files of the public port: whether they can be read, belong together and fit the address. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type { Text } from '../core/types.js'
import type { ConfigProblem } from './problem.js'

export type TlsFiles = {
  readonly mode: 'on' | 'off' | undefined
  readonly readFiles: boolean
  readonly cert: string | undefined
  readonly key: string | undefined
  readonly passphrase: string | undefined
  readonly trustedCa: string | undefined
  readonly publicUrl: string | undefined
  /** Name of the configuration file, for advice. */
  readonly fileName: string
  /** Where a setting was given; undefined when it was not. */
  readonly named: (setting: string) => string | undefined
}

type Findings = { readonly problems: readonly ConfigProblem[]; readonly warnings: readonly ConfigProblem[] }

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** All certificates of a PEM text in their order. Throws when one of them cannot be parsed. */
export const readChain = (pem: string): readonly X509Certificate[] =>
  (pem.match(PEM_CERTIFICATE) ?? []).map((block) => new X509Certificate(block))

/** Whether a certificate is made out to a host name or IP address. */
export function namesHost(certificate: X509Certificate, host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '')
  return (isIP(bare) === 0 ? certificate.checkHost(bare) : certificate.checkIP(bare)) !== undefined
}

export function checkTlsFiles(files: TlsFiles): Findings {
  const problems: ConfigProblem[] = []
  const warnings: ConfigProblem[] = []
  const report = (setting: string, wrong: Text, fix: Text): void => {
    problems.push({ setting, where: files.named(setting) ?? '', wrong, fix })
  }

  if (files.readFiles && files.trustedCa !== undefined) {
    const chain = certificates('trustedCa', files.trustedCa, report)
    if (chain?.some((certificate) => !certificate.ca)) {
      report(
        'trustedCa',
        {
          en: 'holds a certificate that is not one of an authority',
          de: 'enthält ein Zertifikat, das keiner Zertifizierungsstelle gehört',
        },
        {
          en: 'Put only CA certificates into that file.',
          de: 'Legen Sie in diese Datei nur CA-Zertifikate.',
        },
      )
    }
  }
  if (files.mode !== 'on') return { problems, warnings }

  for (const [setting, value] of [
    ['tlsCert', files.cert],
    ['tlsKey', files.key],
  ] as const) {
    if (value !== undefined || files.named(setting) !== undefined) continue
    problems.push({
      setting,
      where: setting === 'tlsCert' ? 'HANDSCHLAG_TLS_CERT' : 'HANDSCHLAG_TLS_KEY',
      wrong: { en: 'is not set', de: 'ist nicht gesetzt' },
      fix: {
        en: `Set tlsCert and tlsKey in ${files.fileName}. If a reverse proxy in front speaks HTTPS, set tls: off instead.`,
        de: `Setzen Sie tlsCert und tlsKey in ${files.fileName}. Spricht ein Reverse-Proxy davor HTTPS, setzen Sie stattdessen tls: off.`,
      },
    })
  }
  if (!files.readFiles) return { problems, warnings }

  const leaf = files.cert === undefined ? undefined : certificates('tlsCert', files.cert, report)?.[0]
  const key = files.key === undefined ? undefined : privateKey(files.key, files.passphrase, report)

  if (leaf !== undefined && key !== undefined && !leaf.checkPrivateKey(key)) {
    report(
      'tlsKey',
      {
        en: 'does not belong to the first certificate in tlsCert',
        de: 'gehört nicht zum ersten Zertifikat in tlsCert',
      },
      {
        en: 'Name the key that was made for this certificate, and put the own certificate first in tlsCert.',
        de: 'Nennen Sie den Schlüssel, zu dem dieses Zertifikat gehört; das eigene Zertifikat steht in tlsCert zuerst.',
      },
    )
  }
  if (leaf !== undefined && files.publicUrl !== undefined) {
    const host = new URL(files.publicUrl).hostname
    if (!namesHost(leaf, host)) {
      warnings.push({
        setting: 'tlsCert',
        where: files.named('tlsCert') ?? '',
        wrong: {
          en: `is not made out to ${host}, the host of publicUrl`,
          de: `ist nicht auf ${host} ausgestellt, den Rechner aus publicUrl`,
        },
        fix: {
          en: `Partners will refuse the connection unless a proxy in front shows another certificate. Get one for ${host}.`,
          de: `Partner werden die Verbindung ablehnen, falls nicht ein Proxy davor ein anderes Zertifikat zeigt. Beschaffen Sie eines für ${host}.`,
        },
      })
    }
  }
  return { problems, warnings }
}

type Report = (setting: string, wrong: Text, fix: Text) => void

function contents(setting: string, path: string, report: Report): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    const wrong: Text =
      code === 'ENOENT'
        ? { en: `names ${path}, which does not exist`, de: `nennt ${path}, das es nicht gibt` }
        : code === 'EACCES'
          ? { en: `names ${path}, which may not be read`, de: `nennt ${path}, das nicht gelesen werden darf` }
          : {
              en: `names ${path}, which cannot be read (${code})`,
              de: `nennt ${path}, das sich nicht lesen lässt (${code})`,
            }
    report(setting, wrong, {
      en: 'Correct the path, or give the user of this program the right to read the file.',
      de: 'Berichtigen Sie den Pfad, oder geben Sie dem Benutzer dieses Programms Leserecht.',
    })
    return undefined
  }
}

function certificates(setting: string, path: string, report: Report): readonly X509Certificate[] | undefined {
  const pem = contents(setting, path, report)
  if (pem === undefined) return undefined
  try {
    const chain = readChain(pem)
    if (chain.length > 0) return chain
  } catch {
    // Told below: for the operator a broken certificate and no certificate are the same news.
  }
  report(
    setting,
    {
      en: `names ${path}, which holds no readable PEM certificate`,
      de: `nennt ${path}, das kein lesbares PEM-Zertifikat enthält`,
    },
    {
      en: 'The file must hold "BEGIN CERTIFICATE" blocks (PEM, not DER or PKCS#12).',
      de: 'Die Datei muss „BEGIN CERTIFICATE“-Blöcke enthalten (PEM, nicht DER oder PKCS#12).',
    },
  )
  return undefined
}

function privateKey(path: string, passphrase: string | undefined, report: Report): KeyObject | undefined {
  const pem = contents('tlsKey', path, report)
  if (pem === undefined) return undefined
  try {
    return createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase })
  } catch {
    const encrypted = /ENCRYPTED/.test(pem)
    const wrong: Text = !encrypted
      ? {
          en: `names ${path}, which holds no readable PEM key`,
          de: `nennt ${path}, das keinen lesbaren PEM-Schlüssel enthält`,
        }
      : passphrase === undefined
        ? {
            en: 'is encrypted, and no passphrase is set',
            de: 'ist verschlüsselt, und es ist keine Passphrase gesetzt',
          }
        : { en: 'does not open with the passphrase', de: 'lässt sich mit der Passphrase nicht öffnen' }
    report(
      'tlsKey',
      wrong,
      encrypted
        ? { en: 'Set HANDSCHLAG_TLS_KEY_PASSPHRASE.', de: 'Setzen Sie HANDSCHLAG_TLS_KEY_PASSPHRASE.' }
        : {
            en: 'The file must hold a "BEGIN PRIVATE KEY" block (PEM, not DER or PKCS#12).',
            de: 'Die Datei muss einen „BEGIN PRIVATE KEY“-Block enthalten (PEM, nicht DER oder PKCS#12).',
          },
    )
    return undefined
  }
}
