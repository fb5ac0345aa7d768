/** The partner-facing Express application: version document, DID document, and the DSP routes below the base path. */
import express, { type Express, Router } from 'express'
import type { JsonObject } from '../core/types.js'
import { versionDocument } from './build-catalog.js'
import { VERSION_PATH } from './messages.js'
import type { ExchangeDeps, Mount } from './routes/exchange.js'

/** Path of all DSP endpoints below the public address. */
export const BASE_PATH = '/dsp'

export function createDspServer(m: {
  readonly exchange: ExchangeDeps
  readonly mounts: readonly Mount[]
  readonly ownDid: string
  readonly didDocument: () => JsonObject
}): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', 'simple')

  // DSP 2025-1, 4.3: at the root, without version and without authentication.
  const versions = versionDocument({
    path: BASE_PATH,
    identifierType: 'did:web',
    serviceId: `${m.ownDid}#dsp`,
  })
  app.get(VERSION_PATH, (_req, res) => void res.json(versions))
  // EDC looks for it below the address that it was given.
  const below = versionDocument({ path: '/', identifierType: 'did:web', serviceId: `${m.ownDid}#dsp` })
  app.get(BASE_PATH + VERSION_PATH, (_req, res) => void res.json(below))
  app.get('/.well-known/did.json', (_req, res) => {
    res.type('application/did+json').set('Cache-Control', 'max-age=300').end(JSON.stringify(m.didDocument()))
  })

  // Express would list the methods of a path to anybody who asks; strangers must not learn which paths there are.
  app.options('/{*path}', (_req, res) => void res.status(404).end())

  const router = Router()
  for (const mount of m.mounts) mount(router)
  app.use(BASE_PATH, router)

  app.use((_req, res) => void res.status(404).end())
  app.use(((cause, req, res, _next) => {
    // A path with a broken percent-encoding leads nowhere.
    if (cause instanceof URIError) return void res.status(404).end()
    m.exchange.log.error({ err: cause, path: req.path }, 'request failed')
    m.exchange.count('negotiation', 'InternalError')
    if (!res.headersSent)
      res.status(500).json({ reason: ['This connector failed while handling the message. Send it again.'] })
  }) as express.ErrorRequestHandler)
  return app
}
