/** Whole connectors in this process: real files, real HTTPS on loopback, real keys; operated through their API. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeDevelopmentCertificates } from '../../certs-dev/generate.js'
import { type Connector, startConnector } from '../../connector/app.js'
import { createManagementClient, findToken, type ManagementClient } from '../../connector/cli/client.js'
import { type Config, resolveConfig } from '../../connector/config/load.js'
import { type Log, silentLog } from '../../connector/core/log.js'
import type { Result } from '../../connector/core/result.js'
import { type Clock, type Json, systemClock } from '../../connector/core/types.js'
import { createKeys } from '../../connector/crypto/keys.js'
import { createSecretKey } from '../../connector/crypto/secret-box.js'
import { freePorts } from '../../connector/demo/world.js'
import { waitFor } from './wait-for.js'

export type Answer = { readonly [key: string]: Json }

export type Member = AsyncDisposable & {
  readonly name: string
  readonly did: string
  readonly config: Config
  readonly connector: () => Connector
  readonly api: ManagementClient
  get(path: string): Promise<Answer>
  post(path: string, body?: object): Promise<Answer>
  put(path: string, body: object): Promise<Answer>
  /** The problem of a call that must fail. */
  refused(call: Promise<Result<Json>>): Promise<{ readonly code: string; readonly message: string }>
  stop(): Promise<void>
  start(): Promise<void>
}

export type Dataspace = AsyncDisposable & {
  readonly folder: string
  readonly ca: string
  readonly members: readonly Member[]
}

export type MemberOptions = {
  readonly name: string
  readonly clock?: Clock
  readonly log?: Log
  readonly settings?: Readonly<Record<string, string>>
  readonly answerTimeoutMs?: number
}

/** Starts members that know and trust each other. */
export async function startDataspace(members: readonly MemberOptions[]): Promise<Dataspace> {
  const folder = await mkdtemp(join(tmpdir(), 'handschlag-test-'))
  const ports = await freePorts(members.length * 2)
  const files = await writeDevelopmentCertificates(join(folder, 'certs'), ['localhost'])
  const tls = files.servers.localhost
  if (tls === undefined) throw new Error('no certificate')
  const started: Member[] = []
  for (const [index, options] of members.entries()) {
    const port = ports[index * 2] ?? 0
    const dataDir = join(folder, options.name)
    const resolved = resolveConfig({
      cwd: folder,
      env: {
        HANDSCHLAG_NAME: options.name,
        HANDSCHLAG_PUBLIC_URL: `https://localhost:${port}`,
        HANDSCHLAG_HOST: '127.0.0.1',
        HANDSCHLAG_PORT: String(port),
        HANDSCHLAG_MANAGEMENT_PORT: String(ports[index * 2 + 1]),
        HANDSCHLAG_DATA_DIR: dataDir,
        HANDSCHLAG_TLS_CERT: tls.cert,
        HANDSCHLAG_TLS_KEY: tls.key,
        HANDSCHLAG_TRUSTED_CA: files.ca,
        HANDSCHLAG_ALLOW_PRIVATE_ADDRESSES: 'localhost,127.0.0.0/8,::1/128',
        HANDSCHLAG_LOG_LEVEL: 'silent',
        ...options.settings,
      },
    })
    if (!resolved.ok) throw new Error(JSON.stringify(resolved.error))
    started.push(await startMember(resolved.value.config, options))
  }
  for (const from of started) {
    for (const to of started) {
      if (from === to) continue
      await from.post('/api/v1/partners', {
        did: to.did,
        address: to.config.publicUrl,
        name: to.name,
        seal: 'require',
      })
      await from.post(`/api/v1/partners/${encodeURIComponent(to.did)}/trust`)
    }
  }
  return {
    folder,
    ca: files.ca,
    members: started,
    async [Symbol.asyncDispose]() {
      for (const member of started) await member[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export async function startPair(
  provider: Partial<MemberOptions> = {},
  consumer: Partial<MemberOptions> = {},
): Promise<Dataspace & { readonly provider: Member; readonly consumer: Member }> {
  const space = await startDataspace([
    { name: 'provider', ...provider },
    { name: 'consumer', ...consumer },
  ])
  const [first, second] = space.members
  if (first === undefined || second === undefined) throw new Error('no members')
  return { ...space, provider: first, consumer: second }
}

async function startMember(config: Config, options: MemberOptions): Promise<Member> {
  const keysDir = join(config.dataDir, 'keys')
  const secret = await createSecretKey(keysDir)
  const keys = await createKeys(keysDir, systemClock)
  if (!secret.ok || !keys.ok) throw new Error('keys')
  let running: Connector | undefined
  const start = async () => {
    const outcome = await startConnector(config, {
      clock: options.clock ?? systemClock,
      log: options.log ?? silentLog,
      dev: true,
      version: 'test',
      ...(options.answerTimeoutMs === undefined ? {} : { answerTimeoutMs: options.answerTimeoutMs }),
    })
    if (!outcome.ok) throw new Error(outcome.error.message)
    running = outcome.value
  }
  const stop = async () => {
    const ending = running
    running = undefined
    await ending?.[Symbol.asyncDispose]()
  }
  await start()
  const token = findToken({}, config.dataDir, 'en')
  if (!token.ok) throw new Error(token.error.message)
  const api = createManagementClient({ url: running?.managementUrl ?? '', token: token.value, lang: 'en' })
  const wanted = async (answer: Promise<Result<Json>>): Promise<Answer> => {
    const result = await answer
    if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`)
    return (result.value ?? {}) as Answer
  }
  return {
    name: options.name,
    did: config.participantId,
    config,
    connector: () => {
      if (running === undefined) throw new Error(`${options.name} is stopped`)
      return running
    },
    api,
    get: (path) => wanted(api.get(path)),
    post: (path, body) => wanted(api.post(path, body)),
    put: (path, body) => wanted(api.put(path, body)),
    async refused(call) {
      const result = await call
      if (result.ok) throw new Error(`was not refused: ${JSON.stringify(result.value)}`)
      return result.error
    },
    stop,
    start,
    [Symbol.asyncDispose]: stop,
  }
}

export const enc = encodeURIComponent

/** The list under a key of an answer. */
export const list = (answer: Answer, key: string): readonly Answer[] =>
  (answer[key] ?? []) as unknown as readonly Answer[]

/** The history of a process without what changes nothing: messages that we refused, and attempts that failed. */
export const applied = (answer: Answer): readonly Answer[] =>
  list(answer, 'timeline').filter(({ result }) => result !== 'refused' && result !== 'attempt failed')

/** Negotiates until the end and answers the consumer's negotiation. */
export async function negotiate(
  consumer: Member,
  provider: Member,
  dataset: string,
  offer?: string,
): Promise<Answer> {
  const begun = await consumer.post('/api/v1/negotiations', {
    partner: provider.did,
    dataset,
    ...(offer === undefined ? {} : { offer }),
  })
  return ended(consumer, `/api/v1/negotiations/${enc(String(begun.pid))}`, ['FINALIZED', 'TERMINATED'])
}

/** A contract id, or a failure with the reason. */
export async function contractOn(
  consumer: Member,
  provider: Member,
  dataset: string,
  offer?: string,
): Promise<string> {
  const done = await negotiate(consumer, provider, dataset, offer)
  if (done.state !== 'FINALIZED') throw new Error(String(done.reason))
  return String(done.contract)
}

export async function transferUnder(consumer: Member, contract: string): Promise<string> {
  const begun = await consumer.post('/api/v1/transfers', { contract })
  const done = await ended(consumer, `/api/v1/transfers/${enc(String(begun.pid))}`, ['STARTED', 'TERMINATED'])
  if (done.state !== 'STARTED') throw new Error(String(done.reason))
  return String(done.pid)
}

export const ended = (member: Member, path: string, states: readonly string[]): Promise<Answer> =>
  waitFor(
    async () => {
      const answer = await member.get(path)
      return states.includes(String(answer.state)) && answer.pending === undefined ? answer : undefined
    },
    { what: `${path} to be ${states.join(' or ')}` },
  )

/** Lines of a pull through the consumer's management API, with status and headers. */
export async function pullLines(
  consumer: Member,
  transfer: string,
  query = '',
): Promise<{
  readonly status: number
  readonly lines: readonly string[]
  readonly headers: Readonly<Record<string, unknown>>
}> {
  const answer = await consumer.api.stream(`/api/v1/transfers/${enc(transfer)}/data${query}`)
  if (!answer.ok) return { status: 0, lines: [answer.error.message], headers: {} }
  const chunks: Buffer[] = []
  for await (const chunk of answer.value.body) chunks.push(chunk as Buffer)
  const lines = Buffer.concat(chunks)
    .toString()
    .split('\n')
    .filter((line) => line !== '')
  return { status: answer.value.status, lines, headers: answer.value.headers }
}
