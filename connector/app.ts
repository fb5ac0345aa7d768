/**
 * Composition root: a configuration becomes a running connector. Everything is wired here and in assembly/, and nowhere
 * else; no decision about contracts or data is made here.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { assembleData } from './assembly/data.js'
import { assembleDutyNotes } from './assembly/duties.js'
import { assembleIdentity, loadSecrets } from './assembly/identity.js'
import { assembleManagement } from './assembly/management.js'
import { readTls, watchTls } from './assembly/tls.js'
import type { Config } from './config/load.js'
import type { Log } from './core/log.js'
import { createRegistry, type Registry } from './core/metrics.js'
import { createPartnerLimits, type PartnerLimits } from './core/partner-limits.js'
import { Resources } from './core/resources.js'
import { ok, problem, type Result } from './core/result.js'
import type { Clock, ParticipantId, Pid } from './core/types.js'
import { orderedUuid } from './core/uuid.js'
import { deriveToken, hashToken } from './crypto/tokens.js'
import type { DataPlane } from './dataplane/delivery/data-plane.js'
import { createDispatcher, type Dispatcher } from './dispatch/dispatcher.js'
import { mayUsePlainHttp } from './domain/partner.js'
import { createDspClient } from './dsp/client.js'
import { listen } from './dsp/listen.js'
import { catalogRoutes } from './dsp/routes/catalog.js'
import { dutyRoutes } from './dsp/routes/duties.js'
import type { ExchangeDeps } from './dsp/routes/exchange.js'
import { negotiationRoutes } from './dsp/routes/negotiation.js'
import { transferRoutes } from './dsp/routes/transfer.js'
import { BASE_PATH, createDspServer } from './dsp/server.js'
import { createValidator } from './dsp/validate.js'
import { createWire } from './dsp/wire.js'
import { parseDidWeb } from './identity/did-web.js'
import { createOutgoing } from './identity/outgoing.js'
import { type AgreementDeps, watchExpiry } from './services/agreements.js'
import { operatorRules } from './services/automation.js'
import { offerAudience } from './services/catalog.js'
import type { DatasetDeps } from './services/datasets.js'
import { type DeliveryDeps, delivered, undeliverable } from './services/delivery.js'
import { STATEMENT_EVENT, type StatementDeps, statementSettled } from './services/duty-statements.js'
import { type DutyWatch, watchDuties } from './services/duty-watch.js'
import { restoreFlows } from './services/flow.js'
import { noteProof, type PartnerDeps } from './services/partners.js'
import type { Automation } from './services/ports.js'
import { watchPseudonymKeys } from './services/pseudonym-keys.js'
import { noteRefusal } from './services/refusals.js'
import { watchTurns } from './services/turns.js'
import type { UserRequestDeps } from './services/user-requests.js'
import { watchConditions } from './services/watch-conditions.js'
import { openStore } from './store/sqlite/store.js'
import type { Store } from './store/store.js'

const DATA_PATH = '/data'

const TAKES_NO_STATEMENTS = problem('PartnerAnswerInvalid', {
  en: "The partner's connector takes no statements about duties: its DID document has no address for them.",
  de: 'Der Connector des Partners nimmt keine Erklärungen über Pflichten an: Sein DID-Dokument nennt keine Adresse dafür.',
})

export type StartOptions = {
  readonly clock: Clock
  readonly log: Log
  /** Development certificates are accepted. */
  readonly dev: boolean
  readonly version: string
  readonly newPid?: () => Pid
  /** What is done when a process enters a state; without it the operator's rules. */
  readonly automation?: Automation
  readonly random?: () => number
  /** What a partner is given for an answer, milliseconds. */
  readonly answerTimeoutMs?: number
  /** Writes that may share one commit; as many as wait when absent. */
  readonly groupSize?: number
  /** The way out and the way in; sockets of this machine when absent. */
  readonly network?: Network
  /** The embedded store when absent. */
  readonly openStore?: typeof openStore
}

/** How others are reached, and how we are. */
export type Network = { readonly createOutgoing: typeof createOutgoing; readonly listen: typeof listen }

export type Connector = AsyncDisposable & {
  readonly did: ParticipantId
  readonly dspAddress: string
  readonly listening: string
  readonly managementUrl: string
  readonly keyName: string
  readonly store: Store
  readonly dispatcher: Dispatcher
  readonly duties: Pick<DutyWatch, 'run'>
  /** Running flows of data by kind. */
  activeFlows(): ReturnType<DataPlane['active']>
  /** One-time code that creates the first token; absent when there is one. */
  readonly setupCode?: string
}

/**
 * Starts everything, or nothing: what was opened is closed again when a later part fails.
 * Rejects with the system's error when a port or the data directory cannot be had.
 */
export async function startConnector(config: Config, options: StartOptions): Promise<Result<Connector>> {
  await using started = new Resources()
  const { clock, log } = options
  const tls = readTls(config, options.dev)
  if (!tls.ok) return tls
  const secrets = await loadSecrets(config)
  if (!secrets.ok) return secrets
  const did = config.participantId
  const dspAddress = config.publicUrl + BASE_PATH
  const network = options.network ?? { createOutgoing, listen }

  const store = started.use(
    (options.openStore ?? openStore)(join(config.dataDir, 'handschlag.db'), {
      // The audiences follow from what this program understands of policies, so each version finds them anew.
      audience: { version: options.version, of: offerAudience },
      ...(options.groupSize === undefined ? {} : { groupSize: options.groupSize }),
    }),
  )
  const identity = started.use(
    assembleIdentity(config, secrets.value, {
      ...options,
      store,
      dspAddress,
      createOutgoing: network.createOutgoing,
    }),
  )
  const metrics = createRegistry()
  const limits = assembleLimits(config, clock, metrics)
  const openToken = (sealed: string, pid: string) => identity.box.open(sealed, `transfer:${pid}`)
  const notes = assembleDutyNotes({ store, clock, log })
  const data = await assembleData(config, {
    notes,
    outgoing: identity.outgoing,
    openToken,
    limits,
    clock,
    log,
    store,
    box: identity.box,
    metrics,
    dataPath: DATA_PATH,
  })
  started.use(data)

  const validate = createValidator()
  const wire = createWire(validate)
  const tokenKey = identity.box.deriveKey('data-token')
  const deps: DeliveryDeps & AgreementDeps & DatasetDeps & PartnerDeps & UserRequestDeps = {
    store,
    clock,
    log,
    wire,
    newPid: options.newPid ?? (() => `urn:uuid:${orderedUuid()}` as Pid),
    ownDid: did,
    callbackAddress: dspAddress,
    seals: identity.seals,
    requestSeals: identity.requestSeals,
    automation: options.automation ?? operatorRules(),
    dataPlane: data.port,
    pushEndpoint: (pid) => `${config.publicUrl}${DATA_PATH}/push/${pid}`,
    checkEndpoint: (url, partner) => identity.outgoing.checkUrl(url, { plainHttp: mayUsePlainHttp(partner) }),
    checkSink: data.checkSink,
    pushProgress: data.pushProgress,
    pushFailing: data.pushFailing,
    openToken,
    dataEndpoint: (pid) => `${config.publicUrl}${DATA_PATH}/${pid}`,
    dataToken: (pid, generation) => {
      const token = deriveToken(tokenKey, pid, generation)
      return { token, hash: hashToken(token) }
    },
    pseudonyms: {
      create: (id) => identity.box.seal(randomBytes(32).toString('base64url'), `pseudonym:${id}`),
      open: (sealed, id) => {
        const key = identity.box.open(sealed, `pseudonym:${id}`)
        return key.ok ? ok(new Uint8Array(Buffer.from(key.value, 'base64url'))) : key
      },
    },
    sealToken: (token, pid) => identity.box.seal(token, `transfer:${pid}`),
    sealSecret: (plaintext, context) => identity.box.seal(plaintext, context),
    sources: data.sources,
    parseDid: parseDidWeb,
    fingerprint: identity.partnerFingerprint,
    discover: (address) => client.discover(address),
  }
  const duties: StatementDeps = {
    ...deps,
    statementSeals: identity.statementSeals,
    newStatementId: () => `urn:uuid:${orderedUuid()}`,
  }
  const client = createDspClient({
    fetch: identity.outgoing.fetch,
    authorize: identity.authorize,
    validate,
    readError: wire.readError,
  })

  await data.sources.refresh()
  restoreFlows(deps)
  data.connect(deps)
  started.use(watchExpiry(deps))
  started.use(watchConditions(deps))
  started.use(watchPseudonymKeys(deps))
  started.use(watchTurns(deps))

  const messages = metrics.counter('handschlag_dsp_messages_total', 'DSP requests from partners.', [
    'protocol',
    'outcome',
  ])
  const exchange: ExchangeDeps = {
    log,
    clock,
    validate,
    authenticate: identity.verify,
    proved: (partner, profiles) => noteProof(deps, partner, profiles),
    partner: (sender) => store.partner(sender),
    limits,
    refused: (m) => noteRefusal(deps, m),
    count: (protocol, outcome) => messages.inc({ protocol, outcome }),
  }
  const app = createDspServer({
    exchange,
    ownDid: did,
    didDocument: identity.didDocument,
    mounts: [
      catalogRoutes(exchange, { services: deps, ownDid: did, baseUrl: dspAddress }),
      negotiationRoutes(exchange, deps),
      transferRoutes(exchange, deps),
      dutyRoutes(exchange, duties),
    ],
  })
  const onError = (cause: unknown) => log.error({ err: cause }, 'request failed')
  const publicSide = await network.listen({
    app,
    host: config.host,
    port: config.port,
    ...(tls.value === undefined ? {} : { tls: tls.value }),
    dataPath: DATA_PATH,
    longBodies: `${DATA_PATH}/push`,
    onData: data.doors.handle,
    onUpgrade: data.doors.upgrade,
    onError,
    maxConnections: config.maxConnections,
  })
  started.use(publicSide)
  if (publicSide.renew !== undefined)
    started.use(watchTls(config, { dev: options.dev, log, renew: publicSide.renew }))
  metrics.gauge('handschlag_connections', 'Open connections to the port for partners.', [], () => [
    { value: publicSide.connections() },
  ])
  metrics.counterFrom(
    'handschlag_connections_refused_total',
    'Connections closed at once because too many were open.',
    [],
    () => [{ value: publicSide.refused() }],
  )
  // Closed before the socket: streams get their end message while their connections are still there.
  started.use(data.doors)
  // After the socket: a partner looks at our DID document when it gets the first message.
  const dispatcher = createDispatcher({
    store,
    clock,
    log,
    post: async (owed, signal) => {
      if (owed.event !== STATEMENT_EVENT) return client.post(owed, signal)
      const url = await identity.dutyAddressOf(owed.partner as ParticipantId)
      if (!url.ok) return url
      return url.value === undefined ? TAKES_NO_STATEMENTS : client.post({ ...owed, url: url.value }, signal)
    },
    delivered: (owed, answer, status) =>
      owed.event === STATEMENT_EVENT ? statementSettled(deps, owed) : delivered(deps, owed, answer, status),
    undeliverable: (owed, why) =>
      owed.event === STATEMENT_EVENT ? statementSettled(deps, owed, why) : undeliverable(deps, owed, why),
    readError: wire.readError,
    random: options.random ?? Math.random,
  })
  started.use(dispatcher)
  const watch = started.use(watchDuties({ ...duties, deleteReceived: data.deleteReceived }))
  const management = await assembleManagement(config, {
    ...duties,
    ...deps,
    deletionFault: watch.fault,
    notes,
    identity,
    catalog: client,
    metrics,
    dispatcher,
    data,
    version: options.version,
    onError,
    listen: network.listen,
  })
  started.use(management)

  const resources = started.move()
  log.info({ did, dsp: dspAddress, port: publicSide.port }, 'connector ready')
  return ok({
    did,
    dspAddress,
    listening: `${publicSide.address}:${publicSide.port}`,
    managementUrl: management.url,
    keyName: identity.keys.name,
    store,
    dispatcher,
    duties: watch,
    activeFlows: () => data.active(),
    ...(management.setupCode === undefined ? {} : { setupCode: management.setupCode }),
    [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
  })
}

function assembleLimits(config: Config, clock: Clock, metrics: Registry): PartnerLimits {
  const met = metrics.counter('handschlag_limit_met_total', 'Limits that partners met.', ['partner', 'limit'])
  const limits = createPartnerLimits({
    clock,
    maxConnections: config.maxConnectionsPerPartner,
    maxRequestsPerSecond: config.maxRequestsPerSecond,
    onMet: (partner, limit) => met.inc({ partner, limit }),
  })
  metrics.gauge('handschlag_partner_connections', 'Open connections by partner.', ['partner'], () =>
    limits.open().map(({ partner, connections: value }) => ({ labels: { partner }, value })),
  )
  return limits
}
