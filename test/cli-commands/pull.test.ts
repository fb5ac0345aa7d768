import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EpochMs } from '../../connector/core/types.js'
import { waitFor } from '../support/wait-for.js'
import {
  type Answer,
  type Asked,
  CONTRACT,
  type Desk,
  inTurn,
  openDesk,
  problem,
  RUNNING,
  TRANSFER,
  TRANSFER_PID,
} from './support.js'

process.env.TZ = 'Europe/Berlin'

const NOW = Date.parse('2026-11-23T10:00:00.000Z') as EpochMs
const DATA = `GET /transfers/${TRANSFER_PID}/data`

let desk: Desk
let now = NOW
beforeEach(async () => {
  now = NOW
  desk = await openDesk(() => now)
  Object.assign(desk.routes, RUNNING)
})
afterEach(() => desk[Symbol.asyncDispose]())

const line = (n: number): string => `{"id":"r${n}","ts":"2026-11-23T09:00:0${n}.000Z","t":${n}}\n`
const lines = (...numbers: readonly number[]): string => numbers.map(line).join('')

const records =
  (text: string, link?: string): Answer =>
  (_, response) => {
    response.writeHead(200, {
      'content-type': 'application/x-ndjson',
      ...(link === undefined ? {} : { link }),
    })
    response.end(text)
  }

/** Sends, then cuts the connection. */
const broken =
  (text: string): Answer =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    response.write(text, () => setTimeout(() => response.destroy(), 20))
  }

const file = (name: string): string => readFileSync(join(desk.folder, name), 'utf8')
const queries = (): readonly Asked['query'][] =>
  desk.asked.filter(({ path }) => path.endsWith('/data')).map(({ query }) => query)

describe('pull to stdout', () => {
  it('prints what the provider gives, and nothing else', async () => {
    desk.routes[DATA] = records(lines(1, 2))
    expect(await desk.run(['pull', '3f2a91c4'])).toEqual({ code: 0, out: lines(1, 2), err: '' })
    expect(desk.asked.at(-1)?.headers.accept).toBe('application/x-ndjson, */*;q=0.1')
    expect(queries()).toEqual([{}])
  })

  it('takes local times, and counts --last from now', async () => {
    desk.routes[DATA] = records('')
    await desk.run(['pull', '77aa0000', '--from', '2026-11-23T08:00', '--to', '2026-11-24'])
    await desk.run(['pull', '77aa0000', '--last', 'PT1H'])
    expect(queries()).toEqual([
      { from: '2026-11-23T07:00:00.000Z', to: '2026-11-23T23:00:00.000Z' },
      { from: '2026-11-23T09:00:00.000Z' },
    ])
  })

  it('turns pages until the limit', async () => {
    desk.routes[DATA] = inTurn(
      records(lines(1, 2), '<?after=r2&limit=3>; rel="next"'),
      records(lines(3), '<?after=r3&limit=1>; rel="next"'),
    )
    const { out } = await desk.run(['pull', '3f2a91c4', '--limit', '3'])
    expect(out).toBe(lines(1, 2, 3))
    expect(queries()).toEqual([{ limit: '3' }, { limit: '1', after: 'r2' }])
  })

  it('goes on behind the last whole record when the connection breaks', async () => {
    desk.routes[DATA] = inTurn(broken(`${lines(1, 2)}{"id":"r3","ts`), records(lines(3)))
    const { code, out } = await desk.run(['pull', '3f2a91c4'])
    expect([code, out]).toEqual([0, lines(1, 2, 3)])
    expect(queries()).toEqual([{}, { after: 'r2' }])
  })

  it('puts a JSON array together across a break', async () => {
    desk.routes[DATA] = inTurn(broken(lines(1, 2)), records(lines(3)))
    const { out } = await desk.run(['pull', '3f2a91c4', '--format', 'json'])
    expect(JSON.parse(out).map((record: { id: string }) => record.id)).toEqual(['r1', 'r2', 'r3'])
  })

  it('prints an empty array when there is nothing', async () => {
    desk.routes[DATA] = records('')
    expect((await desk.run(['pull', '3f2a91c4', '--format', 'json'])).out).toBe('[]\n')
  })

  it('prints the head of a CSV once, and takes a line end between quotes for no end', async () => {
    const head = 'id,ts,series,note\r\n'
    desk.routes[DATA] = inTurn(
      broken(`${head}r1,2026-11-23T09:00:00.000Z,,"a\r\nb"\r\nr2,2026-11-23T09:00:01.000Z,,"c\r\n`),
      records(`${head}r2,2026-11-23T09:00:01.000Z,,"c\r\nd"\r\n`),
    )
    const { out } = await desk.run(['pull', '3f2a91c4', '--format', 'csv'])
    expect(out).toBe(
      `${head}r1,2026-11-23T09:00:00.000Z,,"a\r\nb"\r\nr2,2026-11-23T09:00:01.000Z,,"c\r\nd"\r\n`,
    )
    expect(queries()).toEqual([{}, { after: 'r1' }])
  })

  it('says why the contract does not allow it', async () => {
    desk.routes[DATA] = problem(
      403,
      'PolicyDenied',
      'Refused: the contract allows use until 31 December 2026.',
    )
    expect(await desk.run(['pull', '3f2a91c4'])).toEqual({
      code: 1,
      out: '',
      err: 'Refused: the contract allows use until 31 December 2026.\nTry: handschlag transfer show 77aa0000\n',
    })
  })
})

describe('pull to a file', () => {
  it('appears only when it is whole, and leaves nothing beside it', async () => {
    let seen: readonly string[] = []
    let held: ServerResponse | undefined
    desk.routes[DATA] = (_, response) => {
      held = response
      response.writeHead(200, { 'content-type': 'application/x-ndjson' })
      response.write(lines(1))
    }
    const running = desk.run(['pull', '3f2a91c4', '--out', 'data.ndjson'])
    await waitFor(() => existsSync(join(desk.folder, 'data.ndjson.partial.state')))
    seen = readdirSync(desk.folder)
    held?.end(lines(2))
    const { code, out } = await running
    expect(seen).not.toContain('data.ndjson')
    expect([code, out]).toEqual([0, `2 records -> ${join(desk.folder, 'data.ndjson')}\n`])
    expect(file('data.ndjson')).toBe(lines(1, 2))
    expect(readdirSync(desk.folder)).toEqual(['data.ndjson'])
  })

  it('takes the format from the name', async () => {
    desk.routes[DATA] = records('id,ts,series,t\r\n')
    await desk.run(['pull', '3f2a91c4', '--out', 'data.csv'])
    expect(desk.asked.at(-1)?.headers.accept).toContain('text/csv')
  })

  it('overwrites nothing unless told to', async () => {
    writeFileSync(join(desk.folder, 'data.ndjson'), 'precious')
    desk.routes[DATA] = records(lines(1))
    const { code, err } = await desk.run(['pull', '3f2a91c4', '--out', 'data.ndjson'])
    expect(code).toBe(1)
    expect(err).toContain('exists already. Nothing was changed.')
    expect(file('data.ndjson')).toBe('precious')
    expect((await desk.run(['pull', '3f2a91c4', '--out', 'data.ndjson', '--replace'])).code).toBe(0)
    expect(file('data.ndjson')).toBe(line(1))
  })

  it('keeps what came before the quota was used up, and says where it is', async () => {
    const used = problem(403, 'QuotaExhausted', 'The agreed 2 deliveries are used up.')
    desk.routes[DATA] = inTurn(broken(lines(1, 2)), used)
    const { code, err } = await desk.run(['pull', '3f2a91c4', '--out', 'data.ndjson'])
    expect(code).toBe(1)
    expect(err).toContain(
      `The agreed 2 deliveries are used up.\nWhat came before is kept: 2 records in ${join(desk.folder, 'data.ndjson.partial')}.\n`,
    )
    expect(file('data.ndjson.partial')).toBe(lines(1, 2))
    expect(existsSync(join(desk.folder, 'data.ndjson'))).toBe(false)
  })

  it('leaves nothing behind when nothing came', async () => {
    desk.routes[DATA] = problem(403, 'PolicyDenied', 'Refused.')
    await desk.run(['pull', '3f2a91c4', '--out', 'data.ndjson'])
    expect(readdirSync(desk.folder)).toEqual([])
  })

  it('goes on with the same command after Ctrl-C, with the beginning it had', async () => {
    desk.routes[DATA] = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' }).write(lines(1, 2))
    }
    const command = ['pull', '3f2a91c4', '--last', '1h', '--out', 'data.ndjson']
    const first = desk.run(command)
    await waitFor(() => existsSync(join(desk.folder, 'data.ndjson.partial.state')))
    desk.interrupt()
    const stopped = await first
    expect(stopped.code).toBe(1)
    expect(stopped.err).toContain('The same command goes on behind it.')

    now = (NOW + 60_000) as EpochMs
    desk.routes[DATA] = records(lines(3))
    const { code } = await desk.run(command)
    expect([code, file('data.ndjson')]).toEqual([0, lines(1, 2, 3)])
    expect(queries().at(-1)).toEqual({ from: '2026-11-23T09:00:00.000Z', after: 'r2' })
  })

  it('cuts off what was written behind the last note before it goes on', async () => {
    const wish = JSON.stringify({ contract: CONTRACT.id, format: 'ndjson' })
    const state = { wish, records: 1, lastId: 'r1', size: line(1).length }
    writeFileSync(join(desk.folder, 'data.ndjson.partial'), `${lines(1, 2)}{"id":"r`)
    writeFileSync(join(desk.folder, 'data.ndjson.partial.state'), JSON.stringify(state))
    desk.routes[DATA] = records(lines(2, 3))
    await desk.run(['pull', '3f2a91c4', '--out', 'data.ndjson'])
    expect(file('data.ndjson')).toBe(lines(1, 2, 3))
  })

  it('does not mix two pulls', async () => {
    const state = { wish: 'another', records: 1, size: 3 }
    writeFileSync(join(desk.folder, 'data.ndjson.partial'), 'abc')
    writeFileSync(join(desk.folder, 'data.ndjson.partial.state'), JSON.stringify(state))
    const { code, err } = await desk.run(['pull', '3f2a91c4', '--out', 'data.ndjson', '--lang', 'de'])
    expect(code).toBe(1)
    expect(err).toContain('stammt von einem anderen Abruf.')
    expect(file('data.ndjson.partial')).toBe('abc')
  })
})

describe('a dataset that is a file', () => {
  const bytes =
    (from: number, text: string): Answer =>
    (_, response) => {
      const head = { 'content-type': 'application/pdf', 'accept-ranges': 'bytes', etag: '"v1"' }
      if (from === 0) response.writeHead(200, { ...head, 'content-length': 10 })
      else
        response.writeHead(206, {
          ...head,
          'content-range': `bytes ${from}-9/10`,
          'content-length': 10 - from,
        })
      if (from + text.length === 10) response.end(text)
      else response.write(text, () => setTimeout(() => response.destroy(), 20))
    }

  it('is written as it is, also when a foreign provider says nothing about byte ranges', async () => {
    desk.routes[DATA] = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end('\u0000\u0001no record')
    }
    const { code, out } = await desk.run(['pull', '3f2a91c4', '--out', 'raw.bin'])
    expect([code, out]).toEqual([0, `11 bytes -> ${join(desk.folder, 'raw.bin')}\n`])
    expect(file('raw.bin')).toBe('\u0000\u0001no record')
  })

  it('is gone on with at the byte where it broke off', async () => {
    desk.routes[DATA] = inTurn(bytes(0, '01234'), bytes(5, '56789'))
    const { code, out } = await desk.run(['pull', '3f2a91c4', '--out', 'plan.pdf'])
    expect([code, out]).toEqual([0, `10 bytes -> ${join(desk.folder, 'plan.pdf')}\n`])
    expect(file('plan.pdf')).toBe('0123456789')
    expect(desk.asked.at(-1)?.headers).toMatchObject({ range: 'bytes=5-', 'if-range': '"v1"' })
  })

  it('is not put together from two versions', async () => {
    desk.routes[DATA] = inTurn(bytes(0, '01234'), bytes(0, 'abcdefghij'))
    expect((await desk.run(['pull', '3f2a91c4', '--out', 'plan.pdf'])).code).toBe(0)
    expect(file('plan.pdf')).toBe('abcdefghij')
  })

  it('cannot be taken back from stdout when it changed', async () => {
    desk.routes[DATA] = inTurn(bytes(0, '01234'), bytes(0, 'abcdefghij'))
    const { code, out, err } = await desk.run(['pull', '3f2a91c4'])
    expect([code, out]).toEqual([1, '01234'])
    expect(err).toContain('changed while it was received. Pull it again.')
  })
})

describe('the transfer of a pull', () => {
  it('is started when none runs under the contract', async () => {
    desk.routes['GET /transfers'] = { transfers: [{ ...TRANSFER, state: 'TERMINATED' }] }
    desk.routes['POST /transfers'] = { ...TRANSFER, state: 'NEW' }
    desk.routes[`GET /transfers/${TRANSFER_PID}`] = inTurn({ ...TRANSFER, state: 'REQUESTED' }, TRANSFER)
    desk.routes[DATA] = records(lines(1))
    expect(await desk.run(['pull', '3f2a91c4'])).toEqual({ code: 0, out: lines(1), err: '' })
    expect(desk.asked.find(({ method }) => method === 'POST')?.body).toEqual({ contract: CONTRACT.id })
  })

  it('is not replaced by a new one while it is paused', async () => {
    const paused = { ...TRANSFER, state: 'SUSPENDED', suspendedBy: 'partner', reason: 'Maintenance.' }
    desk.routes['GET /transfers'] = { transfers: [paused] }
    desk.routes[`GET /transfers/${TRANSFER_PID}`] = paused
    const { code, err } = await desk.run(['pull', '3f2a91c4', '--lang', 'de'])
    expect([code, err]).toEqual([1, 'Die Übertragung ist vom Partner angehalten: Maintenance.\n'])
    expect(desk.requests()).not.toContain('POST /transfers')
  })

  it('is not asked for under a revoked contract', async () => {
    const revoked = { ...CONTRACT, status: 'revoked', statusBy: 'partner', statusReason: 'Machine sold.' }
    desk.routes['GET /contracts'] = { contracts: [revoked] }
    const { code, err } = await desk.run(['pull', '3f2a91c4'])
    expect([code, err]).toEqual([1, 'The contract was revoked by the partner: Machine sold.\n'])
  })

  it('is not ours to pull when we are the provider', async () => {
    desk.routes['GET /contracts'] = { contracts: [{ ...CONTRACT, role: 'provider' }] }
    const { code, err } = await desk.run(['pull', '3f2a91c4'])
    expect(code).toBe(1)
    expect(err).toContain('Here you are the provider')
  })
})

it.each([
  [['--last', '1h', '--from', '2026-01-01'], '--last and --from say the same thing.'],
  [['--last', 'soon'], '--last takes a duration'],
  [['--from', '2026-02-31'], '--from takes a time'],
  [['--limit', '0'], '--limit takes a whole number from 1 up.'],
  [['--format', 'xml'], '--format takes one of ndjson, csv, json.'],
])('refuses %j before it asks for anything', async (flags, sentence) => {
  const { code, err } = await desk.run(['pull', '3f2a91c4', ...flags])
  expect([code, desk.asked]).toEqual([2, []])
  expect(err).toContain(sentence)
})
