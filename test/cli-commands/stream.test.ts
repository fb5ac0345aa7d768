import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EpochMs } from '../../connector/core/types.js'
import { waitFor } from '../support/wait-for.js'
import {
  type Answer,
  CONTRACT,
  CONTRACT_ID,
  type Desk,
  inTurn,
  openDesk,
  problem,
  RUNNING,
  TRANSFER,
  TRANSFER_PID,
} from './support.js'

const STREAM = `GET /transfers/${TRANSFER_PID}/stream`
const SHOW = `GET /transfers/${TRANSFER_PID}`

let desk: Desk
beforeEach(async () => {
  desk = await openDesk()
  Object.assign(desk.routes, RUNNING)
})
afterEach(() => desk[Symbol.asyncDispose]())

const record = (n: number): string => `{"id":"r${n}","ts":"2026-11-23T09:00:0${n}.000Z","t":${n}}`
const lines = (...numbers: readonly number[]): string => numbers.map((n) => `${record(n)}\n`).join('')
const events = (...numbers: readonly number[]): string =>
  numbers.map((n) => `id: r${n}\ndata: ${record(n)}\n\n`).join('')
const end = (code: string, reason: string): string =>
  `event: end\ndata: ${JSON.stringify({ code, reason: [reason] })}\n\n`

const opened =
  (text: string, more: 'stays' | 'ends' | 'breaks' = 'ends'): Answer =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`retry: 2000\n\n${text}`, () => {
      if (more === 'ends') response.end()
      if (more === 'breaks') setTimeout(() => response.destroy(), 20)
    })
  }

const streamed = () => desk.asked.filter(({ path }) => path.endsWith('/stream'))

describe('stream to stdout', () => {
  it('stops after the wanted number of records with exit code 0', async () => {
    desk.routes[STREAM] = opened(events(1, 2, 3), 'stays')
    expect(await desk.run(['stream', '3f2a91c4', '--count', '2'])).toEqual({
      code: 0,
      out: lines(1, 2),
      err: '',
    })
  })

  it('stops on Ctrl-C with exit code 0', async () => {
    desk.routes[STREAM] = opened(events(1), 'stays')
    const running = desk.run(['stream', '3f2a91c4'])
    await waitFor(() => desk.printed() === lines(1))
    desk.interrupt()
    expect(await running).toEqual({ code: 0, out: lines(1), err: '' })
  })

  it('asks for what was told: after a record, or with history', async () => {
    desk.routes[STREAM] = opened(events(1), 'stays')
    await desk.run(['stream', '3f2a91c4', '--after', 'r0', '--from', '2026-11-23T08:00:00Z', '--count', '1'])
    expect(streamed()[0]).toMatchObject({
      query: { from: '2026-11-23T08:00:00.000Z' },
      headers: { accept: 'text/event-stream', 'last-event-id': 'r0' },
    })
  })

  it('connects again when the connection breaks, and prints no record twice', async () => {
    desk.routes[STREAM] = inTurn(opened(events(1, 2), 'breaks'), opened(events(2, 3), 'stays'))
    const { code, out, err } = await desk.run(['stream', '3f2a91c4', '--count', '3'])
    expect([code, out]).toEqual([0, lines(1, 2, 3)])
    expect(streamed()[1]?.headers['last-event-id']).toBe('r2')
    expect(err).toBe(
      'The stream broke off without a reason.\nTrying again until it works.\nConnected again.\n',
    )
  })

  it('goes on when the provider restarts', async () => {
    desk.routes[STREAM] = inTurn(
      opened(events(1) + end('Stopping', 'The connector is shutting down.')),
      problem(504, 'PartnerUnreachable', 'The partner could not be reached.'),
      opened(events(2), 'stays'),
    )
    const { out, err } = await desk.run(['stream', '3f2a91c4', '--count', '2', '--lang', 'de'])
    expect(out).toBe(lines(1, 2))
    expect(err).toContain('Es wird weiter versucht, bis es geht.\nWieder verbunden.\n')
  })
})

describe('the end of a stream', () => {
  const ended = (transfer: object, contract: object = CONTRACT): void => {
    desk.routes[STREAM] = opened(events(1) + end('GrantEnded', 'The transfer is not running any more.'))
    desk.routes[SHOW] = inTurn(TRANSFER, { ...TRANSFER, ...transfer })
    desk.routes[`GET /contracts/${CONTRACT_ID}`] = contract
  }

  it('by revocation is told with the reason of the partner, exit code 1', async () => {
    ended(
      { state: 'TERMINATED' },
      { ...CONTRACT, status: 'revoked', statusBy: 'partner', statusReason: 'Machine sold.' },
    )
    const { code, out, err } = await desk.run(['stream', '3f2a91c4'])
    expect([code, out]).toEqual([1, lines(1)])
    expect(err).toBe(
      'The stream ended. The contract was revoked by the partner: Machine sold.\nTry: handschlag transfer show 77aa0000\n',
    )
  })

  it('by suspension is told with the reason, exit code 1', async () => {
    ended({ state: 'SUSPENDED', suspendedBy: 'partner', reason: 'Maintenance.' })
    const { code, err } = await desk.run(['stream', '3f2a91c4', '--lang', 'de'])
    expect(code).toBe(1)
    expect(err).toContain(
      'Der Datenstrom ist zu Ende. Die Übertragung ist vom Partner angehalten: Maintenance.\n',
    )
  })

  it('by completion is no failure', async () => {
    ended({ state: 'COMPLETED' })
    expect(await desk.run(['stream', '3f2a91c4'])).toEqual({
      code: 0,
      out: lines(1),
      err: 'The transfer is complete.\n',
    })
  })

  it.each([
    ['QuotaExhausted', 'The agreed 1 deliveries are used up.'],
    ['PolicyDenied', 'Refused: the contract allows use until 31 December 2026.'],
  ])('by %s is told with its reason, exit code 1', async (code, reason) => {
    desk.routes[STREAM] = opened(events(1) + end(code, reason))
    const ran = await desk.run(['stream', '3f2a91c4'])
    expect([ran.code, ran.out]).toEqual([1, lines(1)])
    expect(ran.err).toContain(`The stream ended. ${reason}\n`)
  })

  it('is none when the transfer was started anew', async () => {
    // The state is looked at until it explains the end; here it never does, and the stream is asked for again.
    let seconds = 0
    const clock = () => {
      seconds += 2_000
      return seconds as EpochMs
    }
    await desk[Symbol.asyncDispose]()
    desk = await openDesk(clock)
    Object.assign(desk.routes, RUNNING)
    desk.routes[STREAM] = inTurn(
      opened(events(1) + end('GrantEnded', 'The transfer was started anew; use the new token.')),
      opened(events(2), 'stays'),
    )
    const { code, out } = await desk.run(['stream', '3f2a91c4', '--count', '2'])
    expect([code, out]).toEqual([0, lines(1, 2)])
    expect(streamed()[1]?.headers['last-event-id']).toBe('r1')
  })
})

describe('what is no stream', () => {
  it('is refused and not asked for again', async () => {
    desk.routes[STREAM] = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')
    }
    const { code, err } = await desk.run(['stream', '3f2a91c4'])
    expect([code, streamed().length]).toEqual([1, 1])
    expect(err).toContain('The partner sent something that is not a record stream.')
  })
})

describe('stream to a file', () => {
  it('goes on where it was when the command is started again', async () => {
    desk.routes[STREAM] = inTurn(opened(events(1, 2), 'stays'), opened(events(2, 3), 'stays'))
    await desk.run(['stream', '3f2a91c4', '--out', 'live.ndjson', '--count', '2'])
    const { code } = await desk.run(['stream', '3f2a91c4', '--out', 'live.ndjson', '--count', '1'])
    expect(code).toBe(0)
    expect(streamed()[1]?.headers['last-event-id']).toBe('r2')
    expect(readFileSync(join(desk.folder, 'live.ndjson'), 'utf8')).toBe(lines(1, 2, 3))
    expect(readdirSync(desk.folder).sort()).toEqual(['live.ndjson', 'live.ndjson.state'])
  })

  it('of another contract is refused', async () => {
    desk.routes[STREAM] = opened(events(1), 'stays')
    await desk.run(['stream', '3f2a91c4', '--out', 'live.ndjson', '--count', '1'])
    const other = { ...TRANSFER, pid: 'urn:uuid:88bb0000-0000-4000-8000-000000000008', contract: 'another' }
    desk.routes['GET /transfers'] = { transfers: [other] }
    const { code, err } = await desk.run(['stream', '88bb0000', '--out', 'live.ndjson'])
    expect(code).toBe(1)
    expect(err).toContain('Name another target.')
  })

  it('that cannot be written asks for nothing', async () => {
    const { code, err } = await desk.run(['stream', '3f2a91c4', '--out', 'no/such/folder/live.ndjson'])
    expect([code, streamed()]).toEqual([1, []])
    expect(err).toContain('cannot be opened for writing')
    expect(existsSync(join(desk.folder, 'no'))).toBe(false)
  })
})

it.each([
  [['--out', 'a', '--to', 'mqtt://b/c'], 'Give either --out or --to.'],
  [['--to', 'mqtt://u:s3cret@b/c'], '--to takes mqtt://HOST[:PORT]/TOPIC'],
  [['--to', 'mqtt://b'], '--to takes mqtt://HOST[:PORT]/TOPIC'],
  [['--after', 'not an id'], '--after takes the id of a record that you received.'],
  [['--count', '-1'], ''],
  [['--count', '0'], '--count takes a whole number from 1 up.'],
])('refuses %j before it asks for anything', async (flags, sentence) => {
  const { code, err } = await desk.run(['stream', '3f2a91c4', ...flags])
  expect([code, desk.asked]).toEqual([2, []])
  expect(err).toContain(sentence)
  expect(err).not.toContain('s3cret')
})
