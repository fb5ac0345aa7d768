/**
 * A terminal and a connector for tests: commands run in this process against a real HTTP server that answers what was
 * laid out for it and remembers what it was asked.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { FollowDeps } from '../../connector/cli/commands/deps.js'
import { commandsWith } from '../../connector/cli/commands/table.js'
import { runCli } from '../../connector/cli/run.js'
import { systemClock } from '../../connector/core/types.js'

export type Asked = {
  readonly method: string
  /** Percent-decoded, without /api/v1. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
}

/** A value is answered as JSON with 200; a function answers itself. */
export type Answer = object | ((asked: Asked, response: ServerResponse) => void)

export const problem =
  (status: number, code: string, message: string) =>
  (_: Asked, response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ code, message }))
  }

/** The same answer first, and the others later; the last one stays. */
export function inTurn(...answers: readonly Answer[]): Answer {
  let turn = 0
  return (asked, response) => {
    const answer = answers[Math.min(turn++, answers.length - 1)] ?? {}
    if (typeof answer === 'function') answer(asked, response)
    else response.end(JSON.stringify(answer))
  }
}

export type Ran = { readonly code: number; readonly out: string; readonly err: string }

export type Desk = AsyncDisposable & {
  /** Routes are written like "GET /partners/did:web:a". */
  readonly routes: Record<string, Answer>
  readonly asked: Asked[]
  readonly folder: string
  /** Presses Ctrl-C in the running command. */
  interrupt(): void
  /** What the command printed so far. */
  printed(): string
  run(line: readonly string[], more?: { readonly stdin?: string; readonly env?: object }): Promise<Ran>
  requests(): readonly string[]
}

/** Not in the routes: 404, as the connector says it. */
const unknown = problem(404, 'NotFound', 'There is no such thing.')

export async function openDesk(clock: FollowDeps['clock'] = systemClock): Promise<Desk> {
  const folder = mkdtempSync(join(tmpdir(), 'handschlag-commands-'))
  const routes: Record<string, Answer> = {}
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const url = new URL(request.url ?? '', 'http://localhost')
    const one: Asked = {
      method: request.method ?? '',
      path: decodeURIComponent(url.pathname).replace('/api/v1', ''),
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
    }
    asked.push(one)
    const answer = routes[`${one.method} ${one.path}`] ?? unknown
    if (typeof answer === 'function') answer(one, response)
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  let react = (): void => {}
  let out = ''
  const commands = commandsWith({
    clock,
    onInterrupt: (next) => {
      react = next
      return () => {
        react = () => {}
      }
    },
  })
  return {
    routes,
    asked,
    folder,
    interrupt: () => react(),
    printed: () => out,
    requests: () => asked.map(({ method, path }) => `${method} ${path}`),
    async run(line, more = {}) {
      const stdin = new PassThrough()
      stdin.end(more.stdin ?? '')
      const stdout = new PassThrough()
      const stderr = new PassThrough()
      out = ''
      let err = ''
      stdout.on('data', (chunk: Buffer) => {
        out += chunk
      })
      stderr.on('data', (chunk: Buffer) => {
        err += chunk
      })
      const env = {
        HANDSCHLAG_PUBLIC_URL: 'https://connector.example.com',
        HANDSCHLAG_NAME: 'Example',
        HANDSCHLAG_TLS: 'off',
        HANDSCHLAG_DATA_DIR: folder,
        HANDSCHLAG_MANAGEMENT_PORT: String(port),
        HANDSCHLAG_TOKEN: 'hunter2',
        ...more.env,
      }
      const code = await runCli(line, { stdin, stdout, stderr, env, cwd: folder, isTTY: false }, commands)
      await new Promise((resolve) => setImmediate(resolve))
      return { code, out, err }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export const DID = 'did:web:maker.example.com'
export const PARTNER = {
  did: DID,
  name: 'Maker',
  address: 'https://maker.example.com/dsp',
  trust: 'trusted',
  access: 'did',
  seal: 'offer',
  fingerprint: 'ab12 cd34',
  addedAt: '2026-11-01T09:00:00.000Z',
}

export const CLAUSES = [
  {
    number: 1,
    text: { en: 'The recipient may use the data.', de: 'Der Empfänger darf die Daten nutzen.' },
    enforcement: {
      en: "enforced by the provider's connector",
      de: 'vom Connector des Anbieters durchgesetzt',
    },
  },
  {
    number: 2,
    text: { en: 'Until 31 December 2026.', de: 'Bis 31. Dezember 2026.' },
    enforcement: { en: 'agreed by contract only', de: 'nur vertraglich vereinbart' },
  },
]

export const CONTRACT_ID = 'urn:uuid:3f2a91c4-0000-4000-8000-000000000001'
export const CONTRACT = {
  id: CONTRACT_ID,
  role: 'consumer',
  partner: DID,
  partnerName: 'Maker',
  dataset: 'pump-7',
  status: 'active',
  agreedAt: '2026-11-20T10:00:00.000Z',
  negotiation: 'urn:uuid:11111111-0000-4000-8000-000000000001',
  signed: 'both',
}

export const TRANSFER_PID = 'urn:uuid:77aa0000-0000-4000-8000-000000000007'
export const TRANSFER = {
  pid: TRANSFER_PID,
  role: 'consumer',
  partner: DID,
  contract: CONTRACT_ID,
  dataset: 'pump-7',
  format: 'HttpData-PULL',
  state: 'STARTED',
  createdAt: '2026-11-20T10:00:00.000Z',
  updatedAt: '2026-11-20T10:00:01.000Z',
}

/** A contract with a STARTED transfer under it. */
export const RUNNING: Readonly<Record<string, Answer>> = {
  'GET /contracts': { contracts: [CONTRACT] },
  [`GET /contracts/${CONTRACT_ID}`]: CONTRACT,
  'GET /transfers': { transfers: [TRANSFER] },
  [`GET /transfers/${TRANSFER_PID}`]: TRANSFER,
}
