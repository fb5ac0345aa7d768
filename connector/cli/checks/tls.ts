/** What partners will see of the certificate: whole chain, dates, names, and no development certificate. */
import type { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Config } from '../../config/load.js'
import { namesHost, readChain } from '../../config/tls-files.js'
import type { Clock, Text } from '../../core/types.js'
import type { Check, Finding } from '../doctor.js'

const DAY_MS = 86_400_000
/** Renewal takes people and other companies; a month is what they need, milliseconds. */
const SOON_MS = 30 * DAY_MS

const REFUSED: Text = {
  en: 'Partners will refuse the connection.',
  de: 'Partner werden die Verbindung ablehnen.',
}

export const tlsCheck = (
  config: Pick<Config, 'tls' | 'tlsCert' | 'publicUrl'>,
  deps: {
    readonly clock: Clock
    readonly dev: boolean
    readonly isDevelopmentCertificate: (certificate: X509Certificate) => Promise<boolean>
  },
): Check => ({
  name: 'tls',
  needs: ['config'],
  run: async () => {
    if (config.tls === 'off' || config.tlsCert === undefined) {
      return {
        status: 'ok',
        what: { en: 'off: a reverse proxy speaks HTTPS', de: 'off: ein Reverse-Proxy spricht HTTPS' },
      }
    }
    const chain = readChain(readFileSync(config.tlsCert, 'utf8'))
    const [leaf] = chain
    if (leaf === undefined) throw new Error(`${config.tlsCert} holds no certificate`)
    if (!deps.dev && (await deps.isDevelopmentCertificate(leaf))) return development(config.tlsCert)
    return (
      dates(chain, deps.clock()) ??
      names(leaf, config.publicUrl) ??
      order(chain) ?? {
        status: 'ok',
        what: {
          en: `${new URL(config.publicUrl).hostname}, valid until ${day(leaf)}`,
          de: `${new URL(config.publicUrl).hostname}, gültig bis ${day(leaf)}`,
        },
      }
    )
  },
})

const day = (certificate: X509Certificate): string => new Date(certificate.validTo).toISOString().slice(0, 10)

const development = (path: string): Finding => ({
  status: 'failed',
  what: { en: `${path} is a development certificate`, de: `${path} ist ein Entwicklungszertifikat` },
  impact: {
    en: 'Anybody can have its authority; the connector refuses it outside --dev.',
    de: 'Dessen Zertifizierungsstelle hat womöglich jeder; der Connector lehnt es ohne --dev ab.',
  },
  fix: {
    en: 'Get a certificate from your company or a public authority. To try things out, add --dev.',
    de: 'Beschaffen Sie ein Zertifikat Ihrer Firma oder einer öffentlichen Stelle. Zum Ausprobieren geben Sie --dev an.',
  },
})

function dates(chain: readonly X509Certificate[], now: number): Finding | undefined {
  const [leaf] = chain
  for (const certificate of chain) {
    const which: Text =
      certificate === leaf
        ? { en: 'the certificate', de: 'das Zertifikat' }
        : { en: 'an intermediate certificate', de: 'ein Zwischenzertifikat' }
    if (Date.parse(certificate.validFrom) > now) {
      const from = new Date(certificate.validFrom).toISOString().slice(0, 10)
      return {
        status: 'failed',
        what: { en: `${which.en} is not valid before ${from}`, de: `${which.de} gilt erst ab ${from}` },
        impact: REFUSED,
        fix: {
          en: 'Check the clock of this machine, then the certificate.',
          de: 'Prüfen Sie die Uhr dieser Maschine, dann das Zertifikat.',
        },
      }
    }
    const left = Date.parse(certificate.validTo) - now
    if (left > SOON_MS) continue
    const until = day(certificate)
    return left <= 0
      ? {
          status: 'failed',
          what: { en: `${which.en} ended on ${until}`, de: `${which.de} ist am ${until} abgelaufen` },
          impact: REFUSED,
          fix: {
            en: 'Renew it and start the connector again.',
            de: 'Erneuern Sie es, und starten Sie den Connector neu.',
          },
        }
      : {
          status: 'warning',
          what: {
            en: `${which.en} ends on ${until}, in ${Math.floor(left / DAY_MS)} days`,
            de: `${which.de} läuft am ${until} ab, in ${Math.floor(left / DAY_MS)} Tagen`,
          },
          impact: {
            en: 'From then on partners will refuse the connection.',
            de: 'Danach werden Partner die Verbindung ablehnen.',
          },
          fix: { en: 'Renew it before that day.', de: 'Erneuern Sie es vor diesem Tag.' },
        }
  }
  return undefined
}

function names(leaf: X509Certificate, publicUrl: string): Finding | undefined {
  const host = new URL(publicUrl).hostname
  if (namesHost(leaf, host)) return undefined
  const made = leaf.subjectAltName ?? leaf.subject
  return {
    status: 'failed',
    what: {
      en: `the certificate is not made out to ${host} (but to: ${made})`,
      de: `das Zertifikat ist nicht auf ${host} ausgestellt (sondern auf: ${made})`,
    },
    impact: REFUSED,
    fix: {
      en: `Get a certificate for ${host}, or correct publicUrl.`,
      de: `Beschaffen Sie ein Zertifikat für ${host}, oder berichtigen Sie publicUrl.`,
    },
  }
}

/** Each certificate is issued by the one behind it; TLS clients do not search. */
function order(chain: readonly X509Certificate[]): Finding | undefined {
  const [leaf] = chain
  const broken = chain.some((certificate, i) => {
    const issuer = chain[i + 1]
    return issuer !== undefined && !(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey))
  })
  if (broken) {
    return {
      status: 'failed',
      what: {
        en: 'the certificates in tlsCert do not form a chain',
        de: 'die Zertifikate in tlsCert bilden keine Kette',
      },
      impact: REFUSED,
      fix: {
        en: 'Put your own certificate first, then each issuer behind the one it issued.',
        de: 'Das eigene Zertifikat gehört an den Anfang, dahinter jeweils der Aussteller des vorigen.',
      },
    }
  }
  if (
    chain.length > 1 ||
    leaf === undefined ||
    leaf.subject === leaf.issuer ||
    leaf.infoAccess === undefined
  ) {
    return undefined
  }
  // A certificate of a public authority names where its issuer's certificate lies; then there is an intermediate.
  return {
    status: 'warning',
    what: {
      en: 'tlsCert holds no intermediate certificate',
      de: 'tlsCert enthält kein Zwischenzertifikat',
    },
    impact: {
      en: 'Browsers find it by themselves, partner connectors do not: they will refuse the connection.',
      de: 'Browser finden es selbst, Connectoren von Partnern nicht: Sie werden die Verbindung ablehnen.',
    },
    fix: {
      en: 'Use the full chain your authority delivers (often called fullchain.pem).',
      de: 'Verwenden Sie die vollständige Kette Ihrer Zertifizierungsstelle (oft fullchain.pem genannt).',
    },
  }
}
