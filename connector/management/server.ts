/**
 * The management API as an Express application. Every route comes from the table; what is done for all of them stands
 * here, in this order: host name, token, size, JSON, schema, then the use case.
 */
import express, { type Express, type Request, type RequestHandler, type Response } from 'express'
import { parseJson } from '../core/json.js'
import type { Log } from '../core/log.js'
import { METRICS_TYPE } from '../core/metrics.js'
import { ok, problem, type Result } from '../core/result.js'
import type { Clock } from '../core/types.js'
import type { Operations } from '../services/operator.js'
import type { Setup } from '../services/operator-tokens.js'
import { type OpenData, passData } from './data.js'
import { failureOf, sendProblem } from './errors.js'
import { createFailureLimit, isLocal, refuseForeignHosts, secureHeaders, signedIn } from './guard.js'
import { type Names, sendSaid } from './language.js'
import { openApiDocument } from './openapi.js'
import type { Call, JsonRoute, OwnRoute, Route } from './route.js'
import { ROUTES } from './routes.js'
import type { RequestName } from './schemas-requests.js'
import { type Checks, createChecks } from './validate.js'

export type Health = {
  /** The process works; otherwise it should be restarted. */
  readonly live: boolean
  /** Partners can be served. */
  readonly ready: boolean
  readonly reasons: readonly string[]
  /** So that a check on this machine can tell this connector from another program on the same port. */
  readonly participantId: string
}

export type ManagementDeps = {
  readonly operations: Operations
  readonly authenticate: (token: string) => { readonly name: string } | undefined
  /** Absent when there is a token already. */
  readonly setup?: Setup
  readonly openData: OpenData
  readonly health: () => Health
  readonly metrics: () => string
  /** How this operator calls participants. */
  readonly names: Names
  /** Host names and addresses besides loopback under which this API is reached. */
  readonly hosts: readonly string[]
  readonly version: string
  readonly clock: Clock
  readonly log: Log
}

/** Bytes of a request. The largest legitimate one declares thousands of signals. */
const MAX_BODY = 1024 * 1024
const BODY_LIMITS = { maxBytes: MAX_BODY, maxDepth: 32 }

export function createManagementServer(deps: ManagementDeps): Express {
  const { log } = deps
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', 'simple')
  app.use(secureHeaders, refuseForeignHosts(deps.hosts))

  const checks = createChecks()
  const authorize = authorizer(deps)
  const answerOwn = ownAnswers(deps)
  for (const route of ROUTES) {
    const checkQuery = checks.query(route.query ?? {})
    const handler: RequestHandler = async (req, res, next) => {
      if (req.method === 'HEAD' && route.kind === 'data') return next()
      const caller = authorize(route, req, res)
      if (caller === undefined) return
      const query = checkQuery(req.query)
      if (!query.ok) return sendProblem(res, query.error)
      if (route.kind === 'own') return answerOwn[route.says](req, res)
      if (route.kind === 'data') return passData({ ...deps, as: route.as, pid: param(req, 'pid') }, req, res)
      return runJson(deps, checks, route, caller, req, res)
    }
    app[route.method](expressPath(route.path), handler)
  }

  for (const [path, methods] of methodsByPath(ROUTES)) {
    app.all(expressPath(path), (req, res) => {
      res.set('Allow', methods.join(', '))
      sendProblem(res, {
        code: 'MethodNotAllowed',
        message: `${req.method} is not possible here. Possible: ${methods.join(', ')}.`,
        messageDe: `${req.method} ist hier nicht möglich. Möglich: ${methods.join(', ')}.`,
      })
    })
  }
  app.use((_req, res) => {
    sendProblem(res, {
      code: 'NotFound',
      message: 'There is nothing at this address. See: /api/v1/openapi.json',
      messageDe: 'Unter dieser Adresse gibt es nichts. Siehe: /api/v1/openapi.json',
    })
  })
  app.use(((cause, req, res, _next) => {
    if (res.headersSent) return void res.destroy()
    if (cause instanceof URIError) {
      return sendProblem(res, {
        code: 'InvalidInput',
        message: 'The address is not correctly percent-encoded.',
        messageDe: 'Die Adresse ist nicht richtig prozentkodiert.',
      })
    }
    log.error({ err: cause, method: req.method, path: req.path }, 'management request failed')
    sendProblem(res, failureOf(cause))
  }) as express.ErrorRequestHandler)
  return app
}

const expressPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1')

const param = (req: Request, name: string): string => {
  const value = req.params[name]
  return typeof value === 'string' ? value : ''
}

function methodsByPath(routes: readonly Route[]): ReadonlyMap<string, readonly string[]> {
  const methods = new Map<string, string[]>()
  for (const { path, method, kind } of routes) {
    const names = [method.toUpperCase(), ...(method === 'get' && kind !== 'data' ? ['HEAD'] : [])]
    methods.set(path, [...(methods.get(path) ?? []), ...names])
  }
  return methods
}

/** Answers the name of the caller, or undefined after the refusal has been sent. */
function authorizer({ authenticate, clock, log }: ManagementDeps) {
  const failures = createFailureLimit(clock)
  return (route: Route, req: Request, res: Response): string | undefined => {
    if (route.access === 'open' || (route.access === 'local' && isLocal(req))) return ''
    const caller = signedIn(req.headers.authorization, authenticate)
    if (caller.ok) return caller.value
    const address = req.socket.remoteAddress ?? ''
    if (failures.allows(address)) {
      log.warn({ address, method: req.method, path: req.path }, 'management sign-in refused')
      sendProblem(res, caller.error)
    } else {
      res.set('Retry-After', '60')
      sendProblem(res, {
        code: 'TooManyAttempts',
        message: 'Too many requests came without a valid access token. Wait a minute, and check the token.',
        messageDe:
          'Zu viele Anfragen kamen ohne gültiges Zugangstoken. Warten Sie eine Minute, und prüfen Sie das Token.',
      })
    }
    return undefined
  }
}

async function runJson(
  deps: ManagementDeps,
  checks: Checks,
  route: JsonRoute,
  by: string,
  req: Request,
  res: Response,
): Promise<void> {
  const body = route.request === undefined ? ok({}) : await readBody(checks, route.request, req, res)
  if (!body.ok) return sendProblem(res, body.error)
  const outcome = await route.run({
    ops: deps.operations,
    setup: deps.setup,
    param: (name) => param(req, name),
    query: req.query as Readonly<Record<string, string>>,
    body: body.value as Call<RequestName>['body'],
    by,
  })
  if (!outcome.ok) {
    const { code, message, detail } = outcome.error
    deps.log.info(
      { by, method: req.method, path: req.path, code, why: message, detail },
      'management request refused',
    )
    return sendProblem(res, outcome.error)
  }
  if (route.status === 204) return void res.status(204).end()
  res.status(route.status)
  sendSaid(res, outcome.value, deps.names)
}

const collect = express.raw({ type: () => true, limit: MAX_BODY })

async function readBody(
  checks: Checks,
  name: RequestName,
  req: Request,
  res: Response,
): Promise<Result<unknown>> {
  const bytes = await new Promise<Result<Buffer>>((resolve) => {
    collect(req, res, (failure?: unknown) => {
      if (failure === undefined) return resolve(ok(Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0)))
      const tooLarge = (failure as { readonly type?: string }).type === 'entity.too.large'
      resolve(
        tooLarge
          ? problem('MessageTooLarge', {
              en: 'The body of the request is larger than 1 MB, which is the limit here.',
              de: 'Der Inhalt der Anfrage ist größer als 1 MB; mehr ist hier nicht erlaubt.',
            })
          : problem('InvalidMessage', {
              en: 'The body of the request could not be read.',
              de: 'Der Inhalt der Anfrage ließ sich nicht lesen.',
            }),
      )
    })
  })
  if (!bytes.ok) return bytes
  if (bytes.value.length === 0) return checks.body(name, {})
  // A form or a script of a foreign page can send other types here without asking; this one it cannot.
  if (!req.is('application/json')) {
    return problem('MediaTypeUnsupported', {
      en: 'The body has to be JSON. Send it with: Content-Type: application/json',
      de: 'Der Inhalt muss JSON sein. Senden Sie ihn mit: Content-Type: application/json',
    })
  }
  const json = parseJson(bytes.value, BODY_LIMITS)
  return json.ok ? checks.body(name, json.value) : json
}

type Answer = (req: Request, res: Response) => void

function ownAnswers({
  health,
  metrics,
  version,
}: ManagementDeps): Readonly<Record<OwnRoute['says'], Answer>> {
  let document: string | undefined
  return {
    openapi(_req, res) {
      document ??= JSON.stringify(openApiDocument(ROUTES, version))
      res.type('application/json').send(document)
    },
    live(_req, res) {
      const { live, participantId } = health()
      res.status(live ? 200 : 503).json({ live, participantId })
    },
    ready(_req, res) {
      const { ready, reasons } = health()
      res.status(ready ? 200 : 503).json({ ready, reasons })
    },
    metrics: (_req, res) => void res.set('Content-Type', METRICS_TYPE).end(metrics()),
    setup: (req, res) => void res.type('text/plain').send(setupText(req.headers.host ?? '')),
  }
}

/** `host` has passed the check of host names. The code is behind the # of the address, which no browser sends. */
const setupText = (host: string): string => `First visit
Exchange the code behind the # of this address for an access token, once and within 30 minutes:

  curl http://${host}/api/v1/setup -H 'Content-Type: application/json' -d '{"code": "<code>", "name": "admin"}'

The handschlag commands on this machine need no token from you.

Erster Besuch
Tauschen Sie den Code hinter dem # dieser Adresse gegen ein Zugangstoken, einmal und innerhalb von 30 Minuten, mit dem
Befehl oben. Die handschlag-Befehle auf dieser Maschine brauchen kein Token von Ihnen.
`
