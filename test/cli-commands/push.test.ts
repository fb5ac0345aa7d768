import { afterEach, beforeEach, expect, it } from 'vitest'
import { CONTRACT_ID, type Desk, openDesk, RUNNING, TRANSFER, TRANSFER_PID } from './support.js'

const PUSHED = {
  ...TRANSFER,
  format: 'HttpData-PUSH',
  push: {
    to: '/var/lib/handschlag/received/pump.ndjson',
    batches: 3,
    records: 2500,
    bytes: 123_456,
    lastError: 'The data cannot be stored now.',
  },
}

let desk: Desk
beforeEach(async () => {
  desk = await openDesk()
  Object.assign(desk.routes, RUNNING, {
    'GET /transfers': { transfers: [PUSHED] },
    [`GET /transfers/${TRANSFER_PID}`]: PUSHED,
    'POST /transfers': { ...PUSHED, state: 'NEW' },
  })
})
afterEach(() => desk[Symbol.asyncDispose]())

const wished = (): unknown =>
  desk.asked.find(({ method, path }) => method === 'POST' && path === '/transfers')?.body

it('asks for the delivery into a file and says where the data goes', async () => {
  const { code, out, err } = await desk.run(['push', '3f2a91c4', '--to', 'pump.ndjson'])
  expect(code).toBe(0)
  expect(wished()).toEqual({
    contract: CONTRACT_ID,
    format: 'HttpData-PUSH',
    sink: { to: 'file:pump.ndjson' },
  })
  expect(out).toContain('The data is delivered to /var/lib/handschlag/received/pump.ndjson\n')
  expect(err).toContain('Next: handschlag transfer show 77aa0000\n')
})

it('asks for the delivery to a broker, whose password never stands on the command line', async () => {
  const line = ['push', '3f2a91c4', '--to', 'mqtt://127.0.0.1/partner/pump', '--username', 'me']
  const { code } = await desk.run(line, { env: { HANDSCHLAG_MQTT_PASSWORD: 'hunter2' } })
  expect(code).toBe(0)
  expect(wished()).toMatchObject({
    sink: { to: 'mqtt://127.0.0.1/partner/pump', username: 'me', password: 'hunter2' },
  })
})

it('asks for a stretch of time, and leaves the name of the file to the connector', async () => {
  await desk.run(['push', '3f2a91c4', '--from', '2026-11-01T00:00:00Z', '--until', '2026-12-01T00:00:00Z'])
  expect(wished()).toEqual({
    contract: CONTRACT_ID,
    format: 'HttpData-PUSH',
    from: '2026-11-01T00:00:00.000Z',
    to: '2026-12-01T00:00:00.000Z',
  })
})

it('says what is wrong with its words, in both languages, and asks for nothing', async () => {
  const time = await desk.run(['push', '3f2a91c4', '--until', 'soon'])
  expect([time.code, time.err]).toEqual([2, expect.stringContaining('--until takes a time')])
  const order = await desk.run(['push', '3f2a91c4', '--from', '2026-11-25', '--until', '2026-11-24'])
  expect([order.code, order.err]).toEqual([
    2,
    expect.stringContaining('--until has to be later than --from.'),
  ])
  const user = await desk.run(['push', '3f2a91c4', '--username', 'me'], {
    env: { HANDSCHLAG_LANGUAGE: 'de' },
  })
  expect([user.code, user.err]).toEqual([2, expect.stringContaining('--username gehört zu einem Broker')])
  expect(desk.asked).toEqual([])
})

it('shows in a transfer how much was delivered, where to, and what failed last', async () => {
  const { out } = await desk.run(['transfer', 'show', '77aa0000'])
  expect(out).toMatch(/Delivered to +\/var\/lib\/handschlag\/received\/pump\.ndjson/)
  expect(out).toMatch(/Delivered +2,500 records, 123,456 bytes in 3 deliveries/)
  expect(out).toMatch(/Last failure +The data cannot be stored now\./)
  expect(out).not.toContain('handschlag pull')
  const german = await desk.run(['transfer', 'show', '77aa0000'], { env: { HANDSCHLAG_LANGUAGE: 'de' } })
  expect(german.out).toMatch(/Zugestellt +2\.500 Einträge, 123\.456 Byte in 3 Zustellungen/)
})

it('leaves a push alone when data is pulled: it asks for a transfer of its own', async () => {
  desk.routes['POST /transfers'] = { ...TRANSFER, pid: 'urn:uuid:88bb0000-0000-4000-8000-000000000008' }
  await desk.run(['pull', '3f2a91c4'])
  expect(wished()).toEqual({ contract: CONTRACT_ID })
})

it('marks a push whose deliveries fail, in the list and on its own', async () => {
  const failing = { since: '2026-11-23T10:06:19.000Z', lastError: 'The broker refuses connections.' }
  desk.routes['GET /transfers'] = { transfers: [{ ...PUSHED, failing }] }
  desk.routes[`GET /transfers/${TRANSFER_PID}`] = { ...PUSHED, failing }
  expect((await desk.run(['transfer', 'list'])).out).toContain(' STARTED, deliveries fail ')
  const german = await desk.run(['transfer', 'list', '--lang', 'de'])
  expect(german.out).toContain(' STARTED, Zustellungen schlagen fehl ')
  expect((await desk.run(['transfer', 'show', TRANSFER_PID])).out).toMatch(/^Failing since +23 Nov 2026/m)
})

it('shows the reason that stands where an operator gave none in the language of the reader', async () => {
  const ended = {
    ...PUSHED,
    state: 'TERMINATED',
    endedBy: 'partner',
    reason: 'The operator ended the transfer.',
  }
  desk.routes[`GET /transfers/${TRANSFER_PID}`] = ended
  const shown = async (lang: string) =>
    (await desk.run(['transfer', 'show', TRANSFER_PID, '--lang', lang])).out
  expect(await shown('en')).toContain('TERMINATED by the partner: The operator ended the transfer.')
  expect(await shown('de')).toContain('TERMINATED vom Partner: Der Betreiber hat die Übertragung beendet.')
  desk.routes[`GET /transfers/${TRANSFER_PID}`] = { ...ended, reason: 'Machine sold.' }
  expect(await shown('de')).toContain('TERMINATED vom Partner: Machine sold.')
})
