/** A live receiver over SSE or WebSocket that can stop reading, for tests of the delivering side. */
import { type IncomingMessage, request } from 'node:http'
import { WebSocket } from 'ws'
import { type Served, TOKEN } from './data-plane-server.js'

export type LiveClient = {
  readonly records: Record<string, unknown>[]
  readonly raw: () => string
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: () => string
  end(): { readonly code: string; readonly reason: readonly string[] } | undefined
  closed(): { readonly code?: number } | undefined
  pause(): void
  resume(): void
  close(): void
}

export type Kind = 'sse' | 'ws'

export const openLive = (
  kind: Kind,
  served: Served,
  query = '',
  headers: Record<string, string> = {},
): Promise<LiveClient> => (kind === 'sse' ? openSse(served, query, headers) : openWs(served, query, headers))

function openSse(served: Served, query: string, headers: Record<string, string>): Promise<LiveClient> {
  return new Promise((resolve, reject) => {
    const records: Record<string, unknown>[] = []
    let raw = ''
    let rest = ''
    let end: ReturnType<LiveClient['end']>
    let closed: ReturnType<LiveClient['closed']>
    const req = request(`${served.url}${query}`, {
      headers: { authorization: TOKEN, accept: 'text/event-stream', ...headers },
    })
    req.on('error', reject)
    req.on('response', (res) => {
      res.setEncoding('utf8')
      res.on('data', (chunk: string) => {
        raw += chunk
        rest += chunk
        for (let at = rest.indexOf('\n\n'); at >= 0; at = rest.indexOf('\n\n')) {
          const block = rest.slice(0, at)
          rest = rest.slice(at + 2)
          const data = /^data: (.*)$/m.exec(block)?.[1]
          if (data === undefined) continue
          if (/^event: end$/m.test(block)) end = JSON.parse(data)
          else records.push(JSON.parse(data))
        }
      })
      res.on('error', () => {})
      res.on('close', () => {
        closed = {}
      })
      resolve({
        records,
        raw: () => raw,
        status: res.statusCode ?? 0,
        headers: res.headers,
        body: () => raw,
        end: () => end,
        closed: () => closed,
        pause: () => void res.pause(),
        resume: () => void res.resume(),
        close: () => void req.destroy(),
      })
    })
    req.end()
  })
}

function openWs(served: Served, query: string, headers: Record<string, string>): Promise<LiveClient> {
  return new Promise((resolve, reject) => {
    const records: Record<string, unknown>[] = []
    let raw = ''
    let end: ReturnType<LiveClient['end']>
    let closed: ReturnType<LiveClient['closed']>
    let answer: IncomingMessage['headers'] = {}
    const ws = new WebSocket(`${served.url.replace('http', 'ws')}${query}`, {
      headers: { authorization: TOKEN, ...headers },
    })
    const client = (status: number): LiveClient => ({
      records,
      raw: () => raw,
      status,
      headers: answer,
      body: () => raw,
      end: () => end,
      closed: () => closed,
      pause: () => ws.pause(),
      resume: () => ws.resume(),
      close: () => ws.terminate(),
    })
    ws.on('message', (data) => {
      raw += String(data)
      const message = JSON.parse(String(data)) as Record<string, unknown>
      if ('end' in message) end = message.end as typeof end
      else records.push(message)
    })
    ws.on('close', (code) => {
      closed = { code }
    })
    ws.on('unexpected-response', (_req, res) => {
      answer = res.headers
      res.setEncoding('utf8')
      res.on('data', (chunk: string) => {
        raw += chunk
      })
      res.on('end', () => resolve(client(res.statusCode ?? 0)))
    })
    ws.on('upgrade', (res) => {
      answer = res.headers
    })
    ws.on('open', () => resolve(client(200)))
    ws.on('error', reject)
  })
}
