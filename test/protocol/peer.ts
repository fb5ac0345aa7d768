/**
 * A scripted partner: it speaks DSP 2025-1 over HTTPS with an identity of its own, writes every message by hand, and
 * answers as a test tells it. What our connector sends is checked against our schemas as it arrives.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Agent, request } from 'undici'
import { issueServerCertificate } from '../../certs-dev/generate.js'
import { type Clock, type EpochMs, type ParticipantId, systemClock } from '../../connector/core/types.js'
import { createKeys, type KeyRing } from '../../connector/crypto/keys.js'
import { createValidator } from '../../connector/dsp/validate.js'
import { didDocument } from '../../connector/identity/did-web.js'
import { createTokenIssuer } from '../../connector/identity/token.js'
import type { Answer, Dataspace, Member } from '../support/dataspace.js'
import { enc } from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'

/** A request that reached the peer. */
export type Received = {
  readonly method: string
  readonly path: string
  /** `@type` of the body. */
  readonly type: string
  readonly body: Answer
  readonly text: string
  readonly authorization: string
  /** Accept-Encoding. */
  readonly encodings: string
  readonly contentType: string
  readonly accept: string
}

/** Without a reply the peer acknowledges as DSP 2025-1 says. */
export type Reply = {
  readonly status?: number
  readonly body?: string | object | Buffer
  readonly headers?: Readonly<Record<string, string>>
  /** Instead of an answer: closes the connection, or keeps it open for ever. */
  readonly instead?: 'close' | 'silence'
}

export type Sent = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly json: Answer
}

export type SendOptions = {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Instead of a fresh token for the receiver; `undefined` sends no header. */
  readonly authorization?: string | undefined
}

export type Peer = AsyncDisposable & {
  readonly did: ParticipantId
  readonly keys: KeyRing
  /** Root of the peer, where its version document is. */
  readonly publicUrl: string
  /** DSP base address; also its callbackAddress. */
  readonly address: string
  /** Every DSP request so far, the newest last. */
  readonly received: readonly Received[]
  /** Trusts the development authority; for requests that `fetch` cannot make. */
  readonly agent: Agent
  /** Requests for documents that everybody may read, with what they brought for identification. */
  readonly documents: readonly { readonly path: string; readonly authorization: string }[]
  /** Requests for the DID document so far. */
  readonly didReads: () => number
  /** Messages of ours that do not match the schemas we promise. */
  readonly violations: readonly string[]
  /** What to answer from now on; what it leaves open is acknowledged. Returns what was set before. */
  script(answer: (message: Received) => Reply | undefined | Promise<Reply | undefined>): void
  /** Waits for a message of that `@type` that holds `fields`. */
  message(type: string, fields?: Answer): Promise<Received>
  /** Messages of that `@type` that hold `fields`, which came so far. */
  messages(type: string, fields?: Answer): readonly Received[]
  send(to: Member, path: string, body?: object | string, options?: SendOptions): Promise<Sent>
  /** Sends a message outside the DSP base address. */
  fetch(url: string, options?: SendOptions & { readonly body?: string }): Promise<Sent>
  /** `profiles`: policy profiles whose duties it claims to carry out; none, as connectors of other makes. */
  token(audience: string, at?: number, profiles?: readonly string[]): string
  /** Shows another TLS certificate from the next connection on, and ends the present ones. */
  present(tls: { readonly cert: string; readonly key: string }): void
}

export type PeerOptions = {
  readonly name?: string
  readonly clock?: Clock
  /** Path of the DSP base below the public address. */
  readonly base?: string
  /** The version it speaks; without one its version document is none. */
  readonly version?: string
  /** Instead of that version: all entries of its version document. */
  readonly versions?: readonly object[]
  /** Another certificate than a good one of the development authority. */
  readonly tls?: { readonly cert: string; readonly key: string }
}

const CONTEXT = 'https://w3id.org/dspace/2025/1/context.jsonld'

/** A message as this peer writes it. */
export const message = (type: string, fields: object): object => ({
  '@context': [CONTEXT],
  '@type': type,
  ...fields,
})

let peers = 0

export async function startPeer(space: Dataspace, options: PeerOptions = {}): Promise<Peer> {
  const { base = '/partner/v1/dsp', clock = systemClock, version = '2025-1' } = options
  const number = ++peers
  const certs = join(space.folder, 'certs')
  const ca = { cert: readFileSync(space.ca, 'utf8'), key: readFileSync(join(certs, 'ca.key'), 'utf8') }
  const tls = options.tls ?? (await issueServerCertificate(ca, { dnsNames: ['localhost'] }))
  const made = await createKeys(join(space.folder, `${options.name ?? 'peer'}-${number}`), systemClock)
  if (!made.ok) throw new Error(made.error.message)
  const keys = made.value
  const validate = createValidator()
  const received: Received[] = []
  const violations: string[] = []
  const documents: { readonly path: string; readonly authorization: string }[] = []
  let script: (message: Received) => Reply | undefined | Promise<Reply | undefined> = () => undefined

  const server = createServer(tls, async (req, res): Promise<void> => {
    const path = req.url ?? ''
    const json = (status: number, body: object): void => {
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    if (path.includes('/.well-known/'))
      documents.push({ path, authorization: req.headers.authorization ?? '' })
    if (path === '/.well-known/did.json') {
      return json(200, didDocument({ did, keys, dspBase: address }))
    }
    if (path === '/.well-known/dspace-version') {
      return json(
        200,
        version === ''
          ? {}
          : { protocolVersions: options.versions ?? [{ version, path: base, binding: 'HTTPS' }] },
      )
    }
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    const body = (text === '' ? {} : JSON.parse(text)) as Answer
    const type = String(body['@type'] ?? '')
    const arrived: Received = {
      method: req.method ?? '',
      path,
      type,
      body,
      text,
      authorization: req.headers.authorization ?? '',
      encodings: String(req.headers['accept-encoding'] ?? ''),
      contentType: req.headers['content-type'] ?? '',
      accept: req.headers.accept ?? '',
    }
    if (text !== '') {
      const checked = validate(type as 'Catalog', body, 'outgoing')
      if (!checked.ok) violations.push(checked.error.message)
    }
    received.push(arrived)
    const reply = { ...acknowledgement(arrived), ...(await script(arrived)) }
    if (reply.instead === 'close') return void req.socket.destroy()
    if (reply.instead === 'silence') return
    const { body: said = '' } = reply
    const content = typeof said === 'string' || Buffer.isBuffer(said) ? said : JSON.stringify(said)
    res.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers }).end(content)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const publicUrl = `https://localhost:${port}`
  const address = publicUrl + base
  const did = `did:web:localhost%3A${port}` as ParticipantId
  const agent = new Agent({ connect: { ca: ca.cert } })

  const fetch: Peer['fetch'] = async (url, { method = 'GET', headers = {}, authorization, body } = {}) => {
    const answer = await request(url, {
      dispatcher: agent,
      method: method as 'GET',
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(authorization === undefined ? {} : { authorization }),
        ...headers,
      },
      body: body ?? null,
    })
    const text = await answer.body.text()
    return { status: answer.statusCode, headers: answer.headers, text, json: parsed(text) }
  }
  const token: Peer['token'] = (audience, at, profiles = []) => {
    const issuer = createTokenIssuer({
      did,
      authKey: keys.auth,
      profiles,
      clock: at === undefined ? clock : () => at as EpochMs,
    })
    return `Bearer ${issuer.tokenFor(audience as ParticipantId)}`
  }
  const messages: Peer['messages'] = (type, fields = {}) =>
    received.filter(
      (one) => one.type === type && Object.entries(fields).every(([key, value]) => one.body[key] === value),
    )

  return {
    did,
    keys,
    publicUrl,
    address,
    agent,
    received,
    documents,
    didReads: () => documents.filter(({ path }) => path === '/.well-known/did.json').length,
    violations,
    script(answer) {
      script = answer
    },
    messages,
    message: (type, fields = {}) =>
      waitFor(() => messages(type, fields)[0], { what: `${type} ${JSON.stringify(fields)}` }),
    send: (to, path, body, more = {}) =>
      fetch(to.config.publicUrl + (path.startsWith('//') ? path.slice(1) : `/dsp${path}`), {
        method: body === undefined ? 'GET' : 'POST',
        authorization: token(to.did),
        ...more,
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    fetch,
    token,
    present(shown) {
      server.setSecureContext(shown)
      server.closeAllConnections()
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await Promise.all([agent.destroy(), new Promise((resolve) => server.close(resolve))])
    },
  }
}

function parsed(text: string): Answer {
  try {
    return JSON.parse(text) as Answer
  } catch {
    return {}
  }
}

/** The peer names its side of a process after ours, so that tests can tell them apart and together. */
export const pidAtPeer = (ours: unknown): string => String(ours).replace('urn:uuid:', 'urn:peer:')

/** DSP 2025-1: what opens a process is answered with the process, everything else with 200. */
function acknowledgement({ type, path, body }: Received): Reply {
  if (type === 'ContractRequestMessage' && path.endsWith('/negotiations/request')) {
    return {
      status: 201,
      body: message('ContractNegotiation', {
        providerPid: pidAtPeer(body.consumerPid),
        consumerPid: body.consumerPid,
        state: 'REQUESTED',
      }),
    }
  }
  if (type === 'ContractOfferMessage' && path.endsWith('/negotiations/offers')) {
    return {
      status: 201,
      body: message('ContractNegotiation', {
        providerPid: body.providerPid,
        consumerPid: pidAtPeer(body.providerPid),
        state: 'OFFERED',
      }),
    }
  }
  if (type === 'TransferRequestMessage') {
    return {
      status: 201,
      body: message('TransferProcess', {
        providerPid: pidAtPeer(body.consumerPid),
        consumerPid: body.consumerPid,
        state: 'REQUESTED',
      }),
    }
  }
  return { status: 200 }
}

/** Makes the peer a partner of the member. */
export async function introduce(
  member: Member,
  peer: Peer,
  more: {
    readonly seal?: 'off' | 'offer' | 'require'
    readonly trusted?: boolean
    readonly name?: string
  } = {},
): Promise<void> {
  await member.post('/api/v1/partners', {
    did: peer.did,
    address: peer.publicUrl,
    name: more.name ?? 'peer',
    seal: more.seal ?? 'off',
  })
  if (more.trusted !== false) await member.post(`/api/v1/partners/${enc(peer.did)}/trust`)
}
