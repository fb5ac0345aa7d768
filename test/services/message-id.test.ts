import { expect, it } from 'vitest'
import type { EpochMs, Pid } from '../../connector/core/types.js'
import { identified, isIdentified, sentAt } from '../../connector/services/message-id.js'

const AT = Date.parse('2027-01-04T12:00:00Z') as EpochMs
const PID = 'urn:uuid:0197a1b2-0000-7000-8000-000000000001' as Pid
const BODY = '{"@type":"TransferSuspensionMessage"}'

it('names each message after its process, the turn and the moment, and changes nothing else', () => {
  const bodies = [
    identified(BODY, { pid: PID, updatedAt: AT }),
    identified(BODY, { pid: PID, updatedAt: AT, turn: 1 }),
    identified(BODY, { pid: PID, updatedAt: AT, turn: 2 }),
    identified(BODY, { pid: PID, updatedAt: (AT + 1) as EpochMs }),
  ]
  expect(new Set(bodies).size).toBe(4)
  expect(JSON.parse(bodies[1] ?? '')).toEqual({
    '@type': 'TransferSuspensionMessage',
    '@id': `${PID}#1-1799064000000`,
  })
})

it.each([
  [{ '@id': 'urn:uuid:1' }, true],
  [{ '@id': '' }, false],
  [{ '@id': 1 }, false],
  [{}, false],
  [{ '@id': 'urn:p', providerPid: 'urn:p', consumerPid: 'urn:c' }, false],
  [{ '@id': 'urn:c', providerPid: 'urn:p', consumerPid: 'urn:c' }, false],
])('takes %j for a message with a name of its own: %s', (message, expected) => {
  expect(isIdentified(message)).toBe(expected)
})

it('reads back when a message of this make was made, and reads nothing out of other names', () => {
  const body = `{"providerPid":"${PID}","consumerPid":"urn:c"}`
  const message = JSON.parse(identified(body, { pid: PID, updatedAt: AT, turn: 7 }))
  expect(sentAt(message)).toEqual({ turn: 7, at: AT })
  for (const id of ['urn:uuid:1', `${PID}#7`, 'urn:other#7-1', `${PID}#7-1x`, `${PID}#-1-1`, 7, undefined]) {
    expect(sentAt({ ...message, '@id': id })).toBeUndefined()
  }
})
