import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { readDescription } from '../../connector/cli/commands/file-input.js'
import { freePorts, openBroker } from '../../connector/demo/world.js'
import { type Answer, startPair } from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'
import { blocksOf } from './markdown.js'

type Outcome = { readonly code: number; readonly out: string; readonly err: string }

const run = (program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Outcome> =>
  new Promise((done) => {
    execFile(program, args, { env, encoding: 'utf8' }, (cause, out, err) => {
      done({ code: cause === null ? 0 : typeof cause.code === 'number' ? cause.code : -1, out, err })
    })
  })

const outside = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('HANDSCHLAG_')),
)

const isFree = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const server = createServer()
    server.once('error', () => done(false))
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)))
  })

/** Two free ports in a row, below those that the system gives away by itself. */
async function freePair(from: number): Promise<number> {
  for (let port = from; port < 32_000; port += 2) {
    if ((await isFree(port)) && (await isFree(port + 1))) return port
  }
  throw new Error('no two free ports in a row')
}

it('shares the CSV file, and shows what the description shows', { timeout: 120_000 }, async () => {
  const first = await freePair(20_000)
  const second = await freePair(first + 2)
  const { code, out, err } = await run('bash', ['examples/csv-file.sh'], {
    ...outside,
    LC_ALL: 'C.UTF-8',
    PORT_A: String(first),
    PORT_B: String(second),
  })
  expect(code, `${out}\n${err}`).toBe(0)
  expect(out).toContain('60 records -> ')
  const csv = blocksOf(readFileSync('examples/csv-file.md', 'utf8')).find(({ info }) => info === 'csv')
  expect(out.replaceAll('\r\n', '\n')).toContain(csv?.text ?? 'nothing')
  expect(err).toContain('The contract was revoked by the partner: The trial is over')
})

const described = async (file: string): Promise<Record<string, unknown>> => {
  const read = await readDescription({ io: { cwd: process.cwd() } as never, lang: 'en' }, file)
  if (!read.ok) throw new Error(read.error.message)
  return read.value
}

it('takes the MQTT source and the dataset as they stand, and a program follows them', {
  timeout: 60_000,
}, async () => {
  const [port = 0] = await freePorts(1)
  await using broker = await openBroker(undefined, port)
  await using space = await startPair()
  const { provider, consumer } = space
  const { kind, ...config } = await described('examples/mqtt.yaml')
  await provider.put('/api/v1/sources/press-3', { kind, config: { ...config, url: broker.url } })
  await provider.put('/api/v1/datasets/press-3', await described('examples/mqtt-dataset.yaml'))
  await provider.post('/api/v1/datasets/press-3/offers', {
    id: 'press',
    terms: { agreementAge: 'P90D', deliveryDelay: 'PT15M' },
  })
  await provider.post('/api/v1/datasets/press-3/publish')
  const follower = await followedBy(consumer, provider.did)

  const [message] = blocksOf(readFileSync('examples/mqtt.md', 'utf8')).filter(({ info }) => info === 'json')
  const [shown] = blocksOf(readFileSync('examples/mqtt.md', 'utf8')).filter(({ info }) => info === 'ndjson')
  const { connectAsync } = await import('mqtt')
  const machine = await connectAsync(broker.url)
  // Published again until the source listens and the program follows.
  const publishing = setInterval(
    () => machine.publish('plant/press-3/state', message?.text ?? '', { qos: 1 }),
    200,
  )
  try {
    const lines = await waitFor(
      () => {
        const seen = follower.out().trim().split('\n')
        return seen.length >= 2 ? seen.slice(0, 2) : undefined
      },
      { timeoutMs: 30_000, what: 'two records' },
    )
    const withoutId = lines.map((line) => line.replace(/"id":"[^"]*",/, ''))
    expect(withoutId).toEqual(shown?.text.trimEnd().split('\n'))
    await provider.post(`/api/v1/contracts/${encodeURIComponent(follower.contract)}/revoke`, {
      reason: 'enough',
    })
    expect(await follower.ended).toBe(0)
    expect(follower.err()).toContain('enough')
  } finally {
    clearInterval(publishing)
    await machine.endAsync()
    follower.child.kill()
  }
})

/** Makes the contract and starts examples/follow.mjs on its transfer. */
async function followedBy(consumer: Awaited<ReturnType<typeof startPair>>['consumer'], partner: string) {
  const settled = (path: string, state: string): Promise<Answer> =>
    waitFor(
      async () => {
        const answer = await consumer.get(path)
        return answer.state === state ? answer : undefined
      },
      { what: `${path} ${state}` },
    )
  const begun = await consumer.post('/api/v1/negotiations', { partner, dataset: 'press-3' })
  const made = await settled(`/api/v1/negotiations/${encodeURIComponent(String(begun.pid))}`, 'FINALIZED')
  const contract = String(made.contract)
  const { pid } = await consumer.post('/api/v1/transfers', { contract })
  await settled(`/api/v1/transfers/${encodeURIComponent(String(pid))}`, 'STARTED')
  const { token } = await consumer.post('/api/v1/tokens', { name: 'follower' })
  const child = execFile(process.execPath, [resolve('examples/follow.mjs'), String(pid)], {
    env: { ...outside, HANDSCHLAG_TOKEN: String(token), MANAGEMENT_URL: consumer.connector().managementUrl },
  })
  const said = { out: '', err: '' }
  child.stdout?.on('data', (chunk: string) => {
    said.out += chunk
  })
  child.stderr?.on('data', (chunk: string) => {
    said.err += chunk
  })
  const ended = new Promise<number | null>((done) => child.once('exit', done))
  return { contract, child, ended, out: () => said.out, err: () => said.err }
}
