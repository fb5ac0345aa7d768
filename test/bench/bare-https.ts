/**
 * Yardstick for negotiations: one of two plain HTTPS servers that exchange the same number of bodies of the same sizes,
 * each with one durable insert per message. No protocol, no policy, no signature.
 */
import { readFileSync } from 'node:fs'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { Agent, request } from 'undici'
import { Sqlite } from '../../connector/store/sqlite/driver.js'
import { answerParent, childInput } from './child.js'
import type { NegotiateAnswer } from './member.js'

export type BareInput = {
  readonly file: string
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string }
  /** Bodies of one exchange, in turn from the asking and the answering side. */
  readonly sizes: readonly number[]
}
export type ExchangeInput = { readonly peer: string; readonly count: number; readonly inFlight: number }

/** About the size of an identity token. */
const AUTHORIZATION = `Bearer ${'x'.repeat(480)}`

const { file, tls, sizes } = childInput<BareInput>()
const db = new Sqlite(file)
db.pragma('journal_mode = WAL')
db.pragma('synchronous = FULL')
db.exec('CREATE TABLE message (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT')
const insert = db.prepare('INSERT INTO message (body) VALUES (?)')
const bodies = sizes.map((size) => JSON.stringify({ body: 'x'.repeat(Math.max(0, size - 11)) }))
const agent = new Agent({ connections: 16, connect: { ca: readFileSync(tls.ca, 'utf8') } })

let finished: (exchange: string) => void = () => {}

async function send(peer: string, exchange: string, step: number, own: string): Promise<void> {
  const body = bodies[step] ?? ''
  insert.run(body)
  const answer = await request(`${peer}/${exchange}/${step}`, {
    dispatcher: agent,
    method: 'POST',
    headers: { authorization: AUTHORIZATION, 'content-type': 'application/json', 'x-from': own },
    body,
  })
  await answer.body.dump()
}

const server = https.createServer(
  { cert: readFileSync(tls.cert), key: readFileSync(tls.key) },
  (req, res) => {
    const [, exchange = '', text = ''] = (req.url ?? '').split('/')
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      insert.run(Buffer.concat(chunks).toString())
      res.writeHead(200, { 'content-length': '0' }).end()
      const next = Number(text) + 1
      if (next === bodies.length) finished(exchange)
      else void send(String(req.headers['x-from']), exchange, next, own())
    })
  },
)
const own = (): string => `https://localhost:${(server.address() as AddressInfo).port}`
await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))

async function exchanges({ peer, count, inFlight }: ExchangeInput): Promise<NegotiateAnswer> {
  const waiting = new Map<string, () => void>()
  finished = (exchange) => {
    waiting.get(exchange)?.()
    waiting.delete(exchange)
  }
  const latencies: number[] = []
  let begun = 0
  const began = performance.now()
  const worker = async (): Promise<void> => {
    while (begun < count) {
      const exchange = String(++begun)
      const at = performance.now()
      const end = new Promise<void>((resolve) => waiting.set(exchange, resolve))
      await send(peer, exchange, 0, own())
      await end
      latencies.push(performance.now() - at)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  return { totalMs: performance.now() - began, latencies }
}

answerParent({ url: own, exchanges }, async () => {
  server.closeAllConnections()
  await agent.destroy()
  db.close()
})
