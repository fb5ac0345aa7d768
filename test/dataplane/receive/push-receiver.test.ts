import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Problem, problem } from '../../../connector/core/result.js'
import {
  createPushReceiver,
  type Intake,
  type PushReceiver,
  type ReceiverDeps,
} from '../../../connector/dataplane/receive/push-receiver.js'
import { openBodyFile } from '../../../connector/dataplane/sinks/body-sink.js'
import { waitFor } from '../../support/wait-for.js'

const PID = 'urn:uuid:0e6d0b1c-6b3f-4c57-9a1e-5b6a4d1f0001'
const TOKEN = 'token-of-the-transfer'
const LIMIT = 1_000_000

type Served = AsyncDisposable & {
  readonly receiver: PushReceiver
  readonly url: string
  readonly port: number
  /** What the transfer is like from now on; undefined: there is none. */
  intake(next: Partial<Intake> | undefined): void
  readonly failures: Problem[]
}

let folder: string
let file: string
let open: Served[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'handschlag-receiver-'))
  file = join(folder, 'data')
})
afterEach(async () => {
  for (const served of open) await served[Symbol.asyncDispose]()
  open = []
  rmSync(folder, { recursive: true, force: true })
})

const SENDER = 'did:web:provider.example'

async function serve(more: Partial<Pick<ReceiverDeps, 'silenceMs' | 'admit'>> = {}): Promise<Served> {
  const tokenHash = createHash('sha256').update(TOKEN).digest('hex')
  let intake: Intake | undefined = { tokenHash, sender: SENDER }
  const failures: Problem[] = []
  const receiver = createPushReceiver({
    publicPath: '/data/push',
    intakeOf: (pid) => (pid === PID ? intake : undefined),
    openSink: () => openBodyFile(file, PID),
    maxBytes: LIMIT,
    log: { received: () => {}, repeated: () => {}, failed: (_pid, why) => failures.push(why) },
    ...more,
  })
  const server = createServer((req, res) => void receiver.handle(req, res))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const served: Served = {
    receiver,
    port,
    url: `http://127.0.0.1:${port}/data/push/${PID}`,
    intake: (next) => {
      intake = next === undefined ? undefined : { tokenHash, sender: SENDER, ...next }
    },
    failures,
    async [Symbol.asyncDispose]() {
      await receiver[Symbol.asyncDispose]()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  open.push(served)
  return served
}

const post = (
  { url }: Pick<Served, 'url'>,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) =>
  fetch(url, {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/x-ndjson', ...headers },
  })

const content = (): string => (existsSync(file) ? readFileSync(file, 'utf8') : '')

describe('who may deliver', () => {
  it('is whoever holds the token of the transfer; to everybody else all transfers look alike', async () => {
    const served = await serve()
    const answers = [
      await post(served, 'x\n', { authorization: 'Bearer wrong' }),
      await post(served, 'x\n', { authorization: '' }),
      await post({ url: served.url.replace('0001', '0002') }, 'x\n'),
      await post({ url: served.url.replace(PID, '%E0%A4') }, 'x\n'),
      await fetch(served.url),
    ]
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401])
    const bodies = await Promise.all(answers.map((answer) => answer.text()))
    expect(new Set(bodies).size).toBe(1)
    served.intake(undefined)
    expect((await post(served, 'x\n')).status).toBe(401)
    expect(existsSync(file)).toBe(false)
  })

  it('may send the token with and without its scheme', async () => {
    const served = await serve()
    expect((await post(served, 'a\n', { authorization: TOKEN })).status).toBe(200)
    expect((await post(served, 'b\n', { authorization: `bearer ${TOKEN}` })).status).toBe(200)
    expect(content()).toBe('a\nb\n')
  })

  it('is told 403 when the transfer is over, and to come back when it is only paused', async () => {
    const served = await serve()
    const problem: Problem = { code: 'GrantEnded', message: 'The transfer is over.' }
    served.intake({ barred: { problem, passing: false } })
    const over = await post(served, 'x\n')
    expect([over.status, ((await over.json()) as { reason: unknown }).reason]).toEqual([
      403,
      ['The transfer is over.'],
    ])
    served.intake({ barred: { problem, passing: true } })
    const paused = await post(served, 'x\n')
    expect([paused.status, paused.headers.get('retry-after')]).toEqual([503, '10'])
    expect(existsSync(file)).toBe(false)
  })
})

describe('a delivery', () => {
  it('is acknowledged when it is in the file with its number, and counted', async () => {
    const served = await serve()
    const answer = await post(served, '{"id":"1"}\n{"id":"2"}\n', { 'idempotency-key': '"1"' })
    expect([answer.status, await answer.json()]).toEqual([200, { batches: 1 }])
    expect(content()).toBe('{"id":"1"}\n{"id":"2"}\n')
    expect(JSON.parse(readFileSync(`${file}.state`, 'utf8'))).toEqual({
      subject: PID,
      size: 22,
      pushed: { batch: '1', batches: 1, records: 2, bytes: 22 },
    })
  })

  it('that comes again is acknowledged again and left out, also after a restart', async () => {
    const served = await serve()
    for (const number of ['"1"', '"2"', '"2"', '"1"']) {
      expect((await post(served, `batch ${number}\n`, { 'idempotency-key': number })).status).toBe(200)
    }
    await served[Symbol.asyncDispose]()
    open = []
    const again = await serve()
    expect((await post(again, 'batch "2"\n', { 'idempotency-key': '"2"' })).status).toBe(200)
    expect((await post(again, 'batch "3"\n', { 'idempotency-key': '"3"' })).status).toBe(200)
    expect(content()).toBe('batch "1"\nbatch "2"\nbatch "3"\n')
  })

  it('of anybody else than a connector like this one is taken byte for byte, on a connection of its own', async () => {
    const served = await serve()
    const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i % 256)
    const answer = await post(served, bytes, { 'content-type': 'application/octet-stream' })
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close'])
    expect(new Uint8Array(readFileSync(file))).toEqual(bytes)
    const numbered = await post(served, 'x\n', { 'idempotency-key': '"1"' })
    expect(numbered.headers.get('connection')).not.toBe('close')
  })

  it('that is too large leaves nothing behind, whether it says so beforehand or not', async () => {
    const served = await serve()
    expect((await post(served, 'kept\n')).status).toBe(200)
    const announced = await post(served, 'x'.repeat(LIMIT + 1))
    expect([announced.status, ((await announced.json()) as { code: unknown }).code]).toEqual([
      413,
      'MessageTooLarge',
    ])
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const outgoing = request(
        served.url,
        { method: 'POST', headers: { authorization: TOKEN, 'transfer-encoding': 'chunked' } },
        (res) => resolve(res.resume().statusCode),
      )
      outgoing.on('error', reject)
      for (let i = 0; i < 11; i++) outgoing.write('x'.repeat(100_000))
      outgoing.end()
    })
    expect(status).toBe(413)
    expect(content()).toBe('kept\n')
    expect((await post(served, 'more\n')).status).toBe(200)
    expect(content()).toBe('kept\nmore\n')
  })

  it.each([
    { 'idempotency-key': '"1"' },
    {},
  ])('that is far too large gets its answer although its sender is still writing: %j', async (numbered) => {
    const served = await serve()
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const outgoing = request(
        served.url,
        {
          method: 'POST',
          headers: { authorization: TOKEN, 'content-length': String(20 * LIMIT), ...numbered },
        },
        (res) => resolve(res.resume().statusCode),
      )
      outgoing.on('error', reject)
      const write = (): void => {
        while (!outgoing.destroyed && outgoing.write('x'.repeat(100_000))) {}
      }
      outgoing.on('drain', write)
      write()
    })
    expect(status).toBe(413)
    expect(content()).toBe('')
  })

  it('that breaks off leaves nothing behind, and comes again as a whole', async () => {
    const served = await serve()
    expect((await post(served, 'kept\n', { 'idempotency-key': '"1"' })).status).toBe(200)
    const outgoing = request(served.url, {
      method: 'POST',
      headers: { authorization: TOKEN, 'content-length': '1000', 'idempotency-key': '"2"' },
    })
    outgoing.on('error', () => {})
    outgoing.write('half of it\n')
    await waitFor(() => content() === 'kept\nhalf of it\n')
    outgoing.destroy()
    await waitFor(() => served.failures.length === 1)
    expect((await post(served, 'all of it\n', { 'idempotency-key': '"2"' })).status).toBe(200)
    expect(content()).toBe('kept\nall of it\n')
  })

  it('ends at once when its transfer ends, and leaves nothing behind', async () => {
    const served = await serve()
    const outgoing = request(served.url, {
      method: 'POST',
      headers: { authorization: TOKEN, 'content-length': '1000' },
    })
    const broken = new Promise((resolve) => outgoing.once('error', resolve))
    outgoing.write('half of it\n')
    await waitFor(() => content() === 'half of it\n')
    const problem: Problem = { code: 'GrantEnded', message: 'The contract was revoked.' }
    served.intake({ barred: { problem, passing: false } })
    served.receiver.stop(PID, problem)
    await broken
    await waitFor(() => content() === '')
    expect((await post(served, 'later\n')).status).toBe(403)
  })

  it('whose sender falls silent is given up', async () => {
    const served = await serve({ silenceMs: 50 })
    const outgoing = request(served.url, {
      method: 'POST',
      headers: { authorization: TOKEN, 'content-length': '1000' },
    })
    const broken = new Promise((resolve) => outgoing.once('error', resolve))
    outgoing.write('half of it\n')
    await broken
    await waitFor(() => served.failures.length === 1)
    expect(content()).toBe('')
  })

  it('waits for the one before it: two at once come one after the other', async () => {
    const served = await serve()
    const first = request(served.url, {
      method: 'POST',
      headers: { authorization: TOKEN, 'content-length': '6' },
    })
    const answered = new Promise((resolve) =>
      first.once('response', (res) => resolve(res.resume().statusCode)),
    )
    first.write('fir')
    await waitFor(() => content() === 'fir')
    const second = post(served, 'second\n')
    first.end('st\n')
    expect([await answered, (await second).status]).toEqual([200, 200])
    expect(content()).toBe('first\nsecond\n')
  })

  it('that is packed, or that is no delivery at all, is refused by name', async () => {
    const served = await serve()
    const packed = await post(served, 'x', { 'content-encoding': 'gzip' })
    expect([packed.status, ((await packed.json()) as { code: unknown }).code]).toEqual([
      415,
      'MediaTypeUnsupported',
    ])
    const read = await fetch(served.url, { headers: { authorization: TOKEN } })
    expect([read.status, read.headers.get('allow')]).toEqual([405, 'POST, PUT'])
  })

  it('that cannot be stored is to be sent again, and the operator is told why', async () => {
    const served = await serve()
    const { writeFileSync } = await import('node:fs')
    writeFileSync(file, 'not ours')
    const answer = await post(served, 'x\n')
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '10'])
    // Nothing of how it looks inside.
    expect(await answer.json()).toEqual({
      code: 'SinkUnavailable',
      reason: ['The receiver cannot store the data now.'],
      reasonDe: 'Der Empfänger kann die Daten im Augenblick nicht speichern.',
    })
    expect(served.failures.map(({ message }) => message)).toEqual([expect.stringContaining('exists already')])
    rmSync(file)
    expect((await post(served, 'x\n')).status).toBe(200)
    expect(served.failures).toHaveLength(1)
  })
})

it('takes nothing over a connection that is one too many for the sender, and says so', async () => {
  const asked: string[] = []
  const served = await serve({
    admit: (sender) => {
      asked.push(sender)
      return problem('TooManyConnections', 'You have 4 connections open here.')
    },
  })
  const answer = await post(served, '{"a":1}\n', { 'idempotency-key': '"1"' })
  expect([answer.status, answer.headers.get('connection')]).toEqual([429, 'close'])
  expect(await answer.json()).toEqual({
    code: 'TooManyConnections',
    reason: ['You have 4 connections open here.'],
  })
  expect(asked).toEqual([SENDER])
  expect(existsSync(file)).toBe(false)
})
