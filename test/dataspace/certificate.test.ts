import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { expect, it } from 'vitest'
import { issueServerCertificate } from '../../certs-dev/generate.js'
import { type Log, silentLog } from '../../connector/core/log.js'
import { startDataspace } from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'

/** Fingerprint of the certificate that somebody sees who connects now. */
const shown = (port: number, ca: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca }, () => {
      resolve(socket.getPeerCertificate().fingerprint256)
      socket.destroy()
    })
    socket.once('error', reject)
  })

it('shows a renewed certificate without a restart, and keeps the present one while key and certificate do not fit', async () => {
  const told: string[] = []
  const log: Log = {
    ...silentLog,
    error: (_fields, event) => void told.push(event),
    child: () => log,
  }
  await using space = await startDataspace([{ name: 'provider', log }])
  const [member] = space.members
  const { tlsCert, tlsKey, port } = member?.config ?? {}
  if (tlsCert === undefined || tlsKey === undefined || port === undefined) throw new Error('no certificate')
  const ca = readFileSync(space.ca, 'utf8')
  const issuer = { cert: ca, key: readFileSync(join(space.folder, 'certs', 'ca.key'), 'utf8') }
  const first = await shown(port, ca)
  const next = await issueServerCertificate(issuer, { dnsNames: ['localhost'] })

  writeFileSync(tlsCert, next.cert)
  await waitFor(() => told.includes('certificate not taken; the present one stays'))
  expect(await shown(port, ca)).toBe(first)

  writeFileSync(tlsKey, next.key)
  const renewed = await waitFor(async () => {
    const now = await shown(port, ca)
    return now === first ? undefined : now
  })
  expect(renewed).not.toBe(first)
}, 30_000)
