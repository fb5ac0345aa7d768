/** Wires the operator's side: the API on its own socket, the token of the command line, health and metrics. */

import { existsSync, readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Config } from '../config/load.js'
import { observeProcess, type Registry } from '../core/metrics.js'
import { Resources } from '../core/resources.js'
import { err, ok, problem, type Result } from '../core/result.js'
import type { Pid } from '../core/types.js'
import { request } from '../core/undici.js'
import { equalsConstantTime, hashToken, randomToken } from '../crypto/tokens.js'
import { openGate } from '../dataplane/stages/gate.js'
import type { Dispatcher } from '../dispatch/dispatcher.js'
import { mayUsePlainHttp } from '../domain/partner.js'
import { isFinal } from '../domain/process.js'
import { TRANSFER, type Transfer } from '../domain/transfer.js'
import type { listen } from '../dsp/listen.js'
import { describeFailure } from '../identity/outgoing-failure.js'
import type { DataAnswer, OpenData } from '../management/data.js'
import { namesOf } from '../management/language.js'
import { createManagementServer } from '../management/server.js'
import { dutyCounts } from '../services/duties.js'
import { type OperatorDeps, operatorOperations } from '../services/operator.js'
import { createSetup, tokenOperations } from '../services/operator-tokens.js'
import { trustedPartner } from '../services/partners.js'
import type { TransferDeps } from '../services/transfer.js'
import type { DataSide } from './data.js'
import type { DutyNotes } from './duties.js'
import type { Identity } from './identity.js'

/** The token that commands of this machine's own user read from the data directory. */
const CLI_TOKEN = 'command line'
const CLI_TOKEN_FILE = 'cli.token'

export type ManagementSide = AsyncDisposable & { readonly url: string; readonly setupCode?: string }

export async function assembleManagement(
  config: Config,
  deps: Omit<OperatorDeps, 'about' | 'sourceStatus' | 'gate'> & {
    readonly identity: Identity
    readonly metrics: Registry
    readonly dispatcher: Dispatcher
    readonly data: DataSide
    readonly notes: DutyNotes
    readonly version: string
    readonly onError: (cause: unknown) => void
    readonly listen: typeof listen
  },
): Promise<ManagementSide> {
  await using started = new Resources()
  const { store, clock, metrics, identity, data } = deps
  await writeCliToken(config, deps)
  const operations = operatorOperations({
    ...deps,
    sourceStatus: data.status,
    gate: openGate,
    about: {
      name: config.name,
      did: config.participantId,
      version: deps.version,
      publicUrl: config.publicUrl,
      dspAddress: deps.callbackAddress,
      dataDir: config.dataDir,
      fingerprint: identity.fingerprint,
      keyName: identity.keys.name,
      startedAt: clock(),
    },
  })
  started.use(observeProcess(metrics))
  observeStore(metrics, deps)

  const setup = store.apiTokens().every((token) => token.name === CLI_TOKEN) ? createSetup(clock) : undefined
  const app = createManagementServer({
    operations,
    authenticate: tokenOperations(deps).authenticate,
    ...(setup === undefined ? {} : { setup }),
    openData: openData(deps),
    health: () => {
      const fault = store.writeFault()
      const reasons = [
        ...(store.isOpen() ? [] : ['The database is closed.']),
        ...(fault === undefined ? [] : [`The database cannot be written (${fault}).`]),
      ]
      return { live: true, ready: reasons.length === 0, reasons, participantId: config.participantId }
    },
    metrics: () => metrics.text(),
    names: namesOf(config.participantId, (did) => store.partner(did)?.name),
    hosts: [config.managementHost],
    version: deps.version,
    clock,
    log: deps.log,
  })
  const socket = await deps.listen({
    app,
    host: config.managementHost,
    port: config.managementPort,
    onError: deps.onError,
    drainMs: 1000,
  })
  started.use(socket)
  const open = started.move()
  const host = socket.address.includes(':') ? `[${socket.address}]` : socket.address
  return {
    url: `http://${host}:${socket.port}`,
    ...(setup === undefined ? {} : { setupCode: setup.code }),
    [Symbol.asyncDispose]: () => open[Symbol.asyncDispose](),
  }
}

/** Made once; it survives restarts, so that a command that follows a stream goes on. Deleting the file makes a new one. */
async function writeCliToken(config: Config, { store, clock }: TokenDeps): Promise<void> {
  const file = join(config.dataDir, CLI_TOKEN_FILE)
  const written = existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined
  const known = store.apiTokens().find((token) => token.name === CLI_TOKEN)
  if (written !== undefined && known !== undefined && equalsConstantTime(known.hash, hashToken(written)))
    return
  const token = randomToken()
  await store.putApiToken({ name: CLI_TOKEN, hash: hashToken(token), createdAt: clock() })
  await writeFile(`${file}.new`, `${token}\n`, { mode: 0o600 })
  await rename(`${file}.new`, file)
}

type TokenDeps = Pick<OperatorDeps, 'store' | 'clock'>

function observeStore(metrics: Registry, { store, clock }: TokenDeps): void {
  for (const kind of ['negotiation', 'transfer'] as const) {
    metrics.gauge(`handschlag_${kind}s`, `Known ${kind}s by state.`, ['state'], () =>
      store.countByState(kind).map(({ state, count }) => ({ labels: { state }, value: count })),
    )
  }
  metrics.gauge(
    'handschlag_duties',
    'Duties under contracts that are not settled.',
    ['whose', 'state'],
    () => {
      const { open, dueSoon, overdue, theirsOverdue } = dutyCounts({ store, clock })
      return [
        { labels: { whose: 'ours', state: 'open' }, value: open },
        { labels: { whose: 'ours', state: 'due soon' }, value: dueSoon },
        { labels: { whose: 'ours', state: 'overdue' }, value: overdue },
        { labels: { whose: 'theirs', state: 'overdue' }, value: theirsOverdue },
      ]
    },
  )
  metrics.gauge('handschlag_owed_messages', 'Messages that partners have not acknowledged yet.', [], () => [
    { value: store.owedCount().count },
  ])
  metrics.gauge('handschlag_owed_oldest_seconds', 'Age of the oldest message that is owed.', [], () => {
    const { oldest } = store.owedCount()
    return [{ value: oldest === undefined ? 0 : (clock() - oldest) / 1000 }]
  })
}

function whyNoAddress({ state, reason }: Transfer): string {
  if (state === 'STARTED') {
    return 'The partner started the transfer without a data address and token, so nothing can be read. Ask the partner, or end the transfer.'
  }
  return isFinal(TRANSFER, state)
    ? `Nothing can be read under this transfer any more; it is ${state}${reason === undefined ? '' : `: ${reason}`}`
    : `The transfer is ${state}: the partner has not said yet where the data is. Wait until it is STARTED.`
}

/** Asks the provider of one of our transfers for its data, with the token that only this process can read. */
function openData(deps: TransferDeps & { readonly identity: Identity; readonly notes: DutyNotes }): OpenData {
  return async (pid, wanted): Promise<Result<DataAnswer>> => {
    const transfer = deps.store.find({ kind: 'transfer', pid: pid as Pid, role: 'consumer' })
    if (transfer === undefined)
      return problem('NotFound', {
        en: `There is no transfer ${pid} that you receive.`,
        de: `Es gibt keine Übertragung ${pid}, bei der Sie der Empfänger sind.`,
      })
    if (transfer.endpoint === undefined || transfer.sealedToken === undefined) {
      return problem('GrantEnded', whyNoAddress(transfer))
    }
    const token = deps.identity.box.open(transfer.sealedToken, `transfer:${transfer.pid}`)
    if (!token.ok) return token
    const known = trustedPartner(deps.store, transfer.partner)
    if (!known.ok) return known
    const partner = known.value
    const plainHttp = mayUsePlainHttp(partner)
    const bare = partner.bearerForData !== true || /^bearer /i.test(token.value)
    const authorization = bare ? token.value : `Bearer ${token.value}`
    const url = deps.identity.outgoing.checkUrl(transfer.endpoint, { plainHttp })
    if (!url.ok) return url
    for (const [name, value] of new URLSearchParams(wanted.search)) url.value.searchParams.set(name, value)
    try {
      const answer = await request(url.value, {
        dispatcher: deps.identity.outgoing.dispatcher,
        headers: { ...wanted.headers, authorization },
        signal: wanted.signal,
        headersTimeout: 60_000,
        bodyTimeout: 60_000,
      })
      const { statusCode: status } = answer
      const got = answer.body as Readable
      const body = status === 200 || status === 206 ? deps.notes.passing(pid, got) : got
      return ok({ status, headers: answer.headers, body })
    } catch (cause) {
      if (wanted.signal.aborted)
        return problem(
          'Stopping',
          { en: 'The reader has gone.', de: 'Der Leser hat die Verbindung beendet.' },
          cause,
        )
      return err(describeFailure(cause, url.value.host, 60_000))
    }
  }
}
