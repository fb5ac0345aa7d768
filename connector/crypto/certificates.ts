/** What certificates say about themselves. Creating them is the business of certs-dev; trusting them that of TLS. */
import { X509Certificate } from 'node:crypto'

/** Organization in the subject of every certificate made by certs-dev: what a person sees in any tool. */
export const DEVELOPMENT_ORGANIZATION = 'Handschlag development, not for production'

/** Whether a certificate, or the authority that issued it, was made for development. Throws on what is no certificate. */
export function isDevelopmentCertificate(certificate: string | X509Certificate): boolean {
  const parsed = typeof certificate === 'string' ? new X509Certificate(certificate) : certificate
  return [parsed.subject, parsed.issuer].some((name) =>
    organizations(name).includes(DEVELOPMENT_ORGANIZATION),
  )
}

/** Values of O in a distinguished name as Node prints it: one attribute per line, special characters escaped. */
const organizations = (name: string | undefined): readonly string[] =>
  (name ?? '')
    .split('\n')
    .flatMap((line) => (line.startsWith('O=') ? [line.slice(2).replaceAll('\\', '')] : []))
