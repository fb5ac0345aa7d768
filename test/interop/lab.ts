/**
 * A partner of a laboratory: plain HTTP, an id that is no DID, and the mock identity of EDC in the Authorization header.
 * It answers as a test tells it and remembers what it was sent.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { request } from 'undici'
import type { Answer, Member } from '../support/dataspace.js'
import { enc } from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'

export type Received = {
  readonly method: string
  /** Below the base address; other paths as they are. */
  readonly path: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly authorization: string
  readonly type: string
  readonly body: Answer
  readonly text: string
}

export type Reply = {
  readonly status?: number
  readonly body?: string | object
  readonly headers?: Readonly<Record<string, string>>
}

export type Sent = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly json: Answer
}

export type Lab = AsyncDisposable & {
  readonly id: string
  /** Root of the partner; its DSP base address is below. */
  readonly origin: string
  readonly address: string
  readonly received: readonly Received[]
  /** What to answer from now on; without a reply it is 200 and no body. */
  script(answer: (message: Received) => Reply | undefined | Promise<Reply | undefined>): void
  /** Waits for a message of that `@type` that holds `fields`. */
  message(type: string, fields?: Answer): Promise<Received>
  /** Sends to the DSP base address of the member, as this laboratory unless told otherwise. */
  send(
    to: Member,
    path: string,
    body?: object | string,
    more?: {
      readonly authorization?: string | undefined
      readonly headers?: Readonly<Record<string, string>>
      readonly method?: string
    },
  ): Promise<Sent>
}

export const BASE = '/protocol/2025-1'

/** How the member is reached without TLS. */
export const plainAddress = (member: Member): string => `http://127.0.0.1:${member.config.port}`

export const mockIdentity = (clientId: string, audience: string): string =>
  JSON.stringify({ region: 'eu', audience, clientId })

export async function startLab(id = 'edc'): Promise<Lab> {
  const received: Received[] = []
  let script: Parameters<Lab['script']>[0] = () => undefined
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    const path = req.url ?? ''
    const body = parsed(text)
    const arrived: Received = {
      method: req.method ?? '',
      path: path.startsWith(BASE) ? path.slice(BASE.length) : path,
      headers: req.headers,
      authorization: req.headers.authorization ?? '',
      type: String(body['@type'] ?? ''),
      body,
      text,
    }
    received.push(arrived)
    const reply = (await script(arrived)) ?? {}
    const content = typeof reply.body === 'object' ? JSON.stringify(reply.body) : (reply.body ?? '')
    res.writeHead(reply.status ?? 200, reply.headers ?? { 'content-type': 'application/json' }).end(content)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const origin = `http://localhost:${port}`
  const address = origin + BASE
  const messages = (type: string, fields: Answer): readonly Received[] =>
    received.filter(
      (one) => one.type === type && Object.entries(fields).every(([key, value]) => one.body[key] === value),
    )
  return {
    id,
    origin,
    address,
    received,
    script: (answer) => {
      script = answer
    },
    message: (type, fields = {}) =>
      waitFor(async () => messages(type, fields).at(-1), { what: `${type} at the laboratory` }),
    async send(to, path, body, more = {}) {
      const base = `${plainAddress(to)}/dsp`
      const authorization = 'authorization' in more ? more.authorization : mockIdentity(id, base)
      const answer = await request(base + path, {
        method: (more.method ?? (body === undefined ? 'GET' : 'POST')) as 'GET',
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
          ...(authorization === undefined ? {} : { authorization }),
          ...more.headers,
        },
        body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
      })
      const text = await answer.body.text()
      return { status: answer.statusCode, headers: answer.headers, text, json: parsed(text) }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function parsed(text: string): Answer {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'object' && value !== null ? (value as Answer) : {}
  } catch {
    return {}
  }
}

/** Makes the laboratory a partner of the member, which speaks plain HTTP to it. */
export async function introduceLab(
  member: Member,
  lab: Pick<Lab, 'id' | 'address'>,
  more: { readonly trusted?: boolean } & Answer = {},
): Promise<void> {
  const { trusted = true, ...rest } = more
  await member.post('/api/v1/partners', {
    did: lab.id,
    address: lab.address,
    name: lab.id,
    lab: true,
    ownId: 'handschlag',
    ownAddress: plainAddress(member),
    ...rest,
  })
  if (trusted) await member.post(`/api/v1/partners/${enc(lab.id)}/trust`)
}

/** Speaks plain HTTP, as behind a reverse proxy. */
export const PLAIN = { HANDSCHLAG_TLS: 'off' } as const
