import http from 'node:http'
import { connect } from 'node:net'
import express from 'express'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Listening, listen } from '../../connector/dsp/listen.js'

let server: Listening
const errors: unknown[] = []

beforeEach(async () => {
  const app = express()
  app.get('/features', (req, res) => {
    res
      .cookie('a', 'b')
      .status(201)
      .json({
        same: req.res === res && res.req === req,
        ip: req.ip,
        protocol: req.protocol,
        accepts: req.accepts('json', 'html'),
        query: req.query,
        isRequest: Object.getPrototypeOf(req) === app.request,
        isResponse: Object.getPrototypeOf(res) === app.response,
      })
  })
  app.post('/slow', (req) => void req.resume())
  server = await listen({
    app,
    bodyTimeoutMs: 100,
    longBodies: '/data/push',
    host: '127.0.0.1',
    port: 0,
    dataPath: '/data',
    onData: async (req, res) => {
      if (req.url === '/data/broken') throw new Error('broken')
      for await (const _ of req) if (!req.url?.startsWith('/data/push/')) break
      res.end(`data ${req.url}`)
    },
    onUpgrade: async (_req, socket) => void socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
    onError: (cause) => errors.push(cause),
    drainMs: 100,
  })
  errors.length = 0
})
afterEach(() => server[Symbol.asyncDispose]())

const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${server.port}${path}`)

it("makes requests and responses with Express's own prototypes, and every feature of Express is there", async () => {
  const answer = await get('/features?x=1')
  expect(answer.status).toBe(201)
  expect(answer.headers.get('set-cookie')).toContain('a=b')
  expect(await answer.json()).toEqual({
    same: true,
    ip: '127.0.0.1',
    protocol: 'http',
    accepts: 'json',
    query: { x: '1' },
    isRequest: true,
    isResponse: true,
  })
})

it('hands what is below the data path to the data plane, and nothing else', async () => {
  expect(await (await get('/data/urn:uuid:1')).text()).toBe('data /data/urn:uuid:1')
  expect((await get('/database')).status).toBe(404)
  await expect(get('/data/broken')).rejects.toThrow()
  expect(errors).toHaveLength(1)
})

it('upgrades below the data path only', async () => {
  const upgrade = (path: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(server.port, '127.0.0.1', () =>
        socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`),
      )
      let text = ''
      socket.on('data', (chunk) => {
        text += String(chunk)
      })
      socket.on('close', () => resolve(text))
    })
  expect(await upgrade('/data/x')).toContain('101 Switching Protocols')
  expect(await upgrade('/features')).toBe('')
})

it('refuses oversized headers and tells who asks for a taken port', async () => {
  const status = await new Promise((resolve) => {
    http.get(
      { port: server.port, host: '127.0.0.1', path: '/', headers: { 'x-big': 'a'.repeat(20_000) } },
      (res) => {
        resolve(res.statusCode)
        res.resume()
      },
    )
  })
  expect(status).toBe(431)
  const second = listen({ app: express(), host: '127.0.0.1', port: server.port, onError: () => {} })
  await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE' })
})

/** Sends half a body, and the rest when it is told to; answers what comes back until the connection ends. */
function halfBody(path: string): { readonly ended: Promise<string>; finish(): void } {
  const socket = connect(server.port, '127.0.0.1')
  socket.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 8\r\n\r\nhalf`)
  return {
    ended: new Promise((resolve) => {
      let text = ''
      socket.on('data', (chunk) => {
        text += chunk
      })
      socket.on('error', () => {})
      socket.on('close', () => resolve(text))
    }),
    finish: () => void socket.write('body'),
  }
}

it('ends a body that is not complete in time, except where bodies may take long', async () => {
  const long = halfBody('/data/push/a')
  const short = await halfBody('/slow').ended
  expect(short).toMatch(/^HTTP\/1\.1 408 /)
  // The other one is older, and still there.
  long.finish()
  expect(await long.ended).toContain('data /data/push/a')
})
