import { expect, it } from 'vitest'
import type { EpochMs } from '../../connector/core/types.js'
import { isNumbered, numbered } from '../../connector/services/numbered.js'

const AT = Date.parse('2027-01-04T12:00:00Z') as EpochMs
const BODY = '{"@type":"TransferSuspensionMessage"}'

it('changes the bytes with the moment and the turn, and never the JSON', () => {
  const bodies = [
    numbered(BODY, { updatedAt: AT }),
    numbered(BODY, { updatedAt: AT, turn: 1 }),
    numbered(BODY, { updatedAt: AT, turn: 2 }),
    numbered(BODY, { updatedAt: (AT + 1) as EpochMs }),
  ]
  expect(new Set(bodies).size).toBe(4)
  for (const body of bodies) {
    expect(JSON.parse(body)).toEqual(JSON.parse(BODY))
    expect(body.length).toBeLessThan(BODY.length + 64)
    expect(isNumbered(Buffer.from(body))).toBe(true)
  }
})

it.each([
  '',
  '\n',
  ' ',
  '  \t ',
  ' '.repeat(39),
])('takes a body that ends with %j for one without a number', (end) => {
  expect(isNumbered(Buffer.from(BODY + end))).toBe(false)
})
