import { readdirSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { Aedes } from 'aedes'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Desk, openDesk, RUNNING, TRANSFER_PID } from './support.js'

let desk: Desk
let broker: Aedes
let server: Server
let address: string
const open = new Set<Socket>()
const published: string[] = []

beforeEach(async () => {
  desk = await openDesk()
  Object.assign(desk.routes, RUNNING)
  published.length = 0
  broker = await Aedes.createBroker()
  broker.on('publish', ({ topic, payload }) => {
    if (!topic.startsWith('$SYS/')) published.push(`${topic} ${payload}`)
  })
  server = createServer((socket) => {
    open.add(socket)
    broker.handle(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  address = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}/partner/pump`
})
afterEach(async () => {
  for (const socket of open) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
  await new Promise<void>((resolve) => broker.close(() => resolve()))
  await desk[Symbol.asyncDispose]()
})

it('publishes each record to the broker, and a second run goes on behind the first', async () => {
  const record = (n: number): string => `{"id":"r${n}","ts":"2026-11-23T09:00:0${n}.000Z","t":${n}}`
  const events = [1, 2, 3].map((n) => `id: r${n}\ndata: ${record(n)}\n\n`)
  desk.routes[`GET /transfers/${TRANSFER_PID}/stream`] = ({ headers }, response) => {
    const seen = headers['last-event-id'] === 'r2' ? 2 : 0
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(events.slice(seen).join(''))
  }
  const command = ['stream', '3f2a91c4', '--to', address, '--count']
  expect(await desk.run([...command, '2'])).toEqual({ code: 0, out: '', err: `2 records -> ${address}\n` })
  expect(await desk.run([...command, '1'])).toEqual({ code: 0, out: '', err: `1 record -> ${address}\n` })
  expect(published).toEqual([1, 2, 3].map((n) => `partner/pump/record ${record(n)}`))
  expect(readdirSync(join(desk.folder, 'streams'))).toHaveLength(1)
})

it('says that the broker cannot be reached and asks the partner for nothing', async () => {
  const { code, err } = await desk.run(['stream', '3f2a91c4', '--to', 'mqtt://127.0.0.1:1/a'])
  expect(code).toBe(1)
  expect(err).toContain('The MQTT broker could not be reached')
  expect(desk.requests()).not.toContain(`GET /transfers/${TRANSFER_PID}/stream`)
})
