import { expect, it } from 'vitest'
import { shortId } from '../../connector/cli/commands/ids.js'

/** Two processes of the same second: identifiers that begin with the time. */
const FIRST = 'urn:uuid:01a2131b-479b-772f-8412-9552ab054a89'
const SECOND = 'urn:uuid:01a2131b-479b-7524-80e2-5accb90f0e0a'

it('shortens an identifier that begins with the time to its end', () => {
  expect([shortId(FIRST, [FIRST, SECOND]), shortId(SECOND, [FIRST, SECOND])]).toEqual([
    'ab054a89',
    'b90f0e0a',
  ])
})

it('shows more where the end is the same', () => {
  const twin = 'urn:uuid:01a2131b-0000-7000-8000-0000ab054a89'
  expect(shortId(FIRST, [FIRST, twin])).toBe('9552ab054a89')
})

it('shortens other UUIDs to their beginning, and leaves other ids alone', () => {
  expect(shortId('urn:uuid:3f2a91c4-0000-4000-8000-000000000001')).toBe('3f2a91c4')
  expect(shortId('urn:example:contract')).toBe('urn:example:contract')
})
