/**
 * Makes hostile messages out of valid ones: knows the shape of what it is given, and breaks it in one to three places.
 * The same seed makes the same messages, on every machine.
 */
import type { Json, JsonObject } from '../../connector/core/types.js'

/** 0 <= x < 1, from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Values that programs stumble over, whatever stands there otherwise. */
const AWKWARD: readonly Json[] = [
  null,
  true,
  0,
  -1,
  1e308,
  '',
  ' ',
  '\u0000',
  '\u202e\u0007\ufeff',
  'null',
  '../../../etc/passwd',
  "' OR 1=1 --",
  '%00%2e%2e%2f',
  '$' + '{jndi:ldap://localhost/a}',
  '<script>alert(1)</script>',
  'toString',
  'hasOwnProperty',
  'urn:uuid:00000000-0000-0000-0000-000000000000',
  'http://169.254.169.254/latest/meta-data/',
  'https://localhost:1/',
  'file:///etc/passwd',
  'P1D',
  '9999-99-99T99:99:99Z',
  [],
  {},
  [[]],
  [{}],
  ['a', 1, null],
  { '@id': 'x' },
  { '@value': 'x', '@type': 'http://www.w3.org/2001/XMLSchema#dateTime' },
  { toString: 'x', valueOf: 1 },
]

const pick = <T>(random: () => number, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T

type Spot = { readonly holder: JsonObject | Json[]; readonly key: string | number }

/** Every place in the message, as holder and key. */
function spots(value: Json, into: Spot[] = []): Spot[] {
  if (Array.isArray(value)) {
    value.forEach((item, key) => {
      into.push({ holder: value, key })
      spots(item, into)
    })
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      into.push({ holder: value as JsonObject, key })
      spots(item, into)
    }
  }
  return into
}

const at = ({ holder, key }: Spot): Json => (holder as { [key: string]: Json })[key] ?? null
const put = ({ holder, key }: Spot, value: Json): void => {
  ;(holder as { [key: string]: Json })[key] = value
}

type Mutation = (random: () => number, spot: Spot, all: readonly Spot[]) => void

const MUTATIONS: readonly Mutation[] = [
  (random, spot) => put(spot, structuredClone(pick(random, AWKWARD))),
  (_random, { holder, key }) => {
    if (Array.isArray(holder)) holder.splice(Number(key), 1)
    else delete (holder as { [key: string]: Json })[key]
  },
  (_random, spot) => put(spot, [at(spot)]),
  (_random, spot) => put(spot, { '@value': at(spot) }),
  (_random, spot) => put(spot, { '@id': at(spot) }),
  (random, spot) => put(spot, 'x'.repeat(Math.floor(random() * 60_000))),
  (random, spot) => {
    let nested: Json = at(spot)
    for (let depth = Math.floor(random() * 40); depth > 0; depth--)
      nested = random() < 0.5 ? [nested] : { a: nested }
    put(spot, nested)
  },
  (random, spot) =>
    put(
      spot,
      Array.from({ length: Math.floor(random() * 100) }, () => structuredClone(at(spot))),
    ),
  (random, spot, all) => put(spot, structuredClone(at(pick(random, all)))),
  (_random, spot) => {
    const value = at(spot)
    if (typeof value === 'string') put(spot, `${value}\u0000`)
    else put(spot, JSON.stringify(value))
  },
  (random, { holder }) => {
    const names = ['constructor', 'prototype', 'toString', '@graph', '@reverse', 'https://example.com/#x', '']
    if (!Array.isArray(holder))
      (holder as { [key: string]: Json })[pick(random, names)] = structuredClone(pick(random, AWKWARD))
  },
  (_random, { holder, key }) => {
    if (Array.isArray(holder)) return
    const value = (holder as { [key: string]: Json })[key]
    delete (holder as { [key: string]: Json })[key]
    ;(holder as { [key: string]: Json })[`dspace:${String(key)}`] = value ?? null
  },
]

/** A text in place of the message: mostly JSON of the right kind that is wrong somewhere, sometimes not even JSON. */
export function mutated(random: () => number, message: object): string | Uint8Array {
  const copy = structuredClone(message) as JsonObject
  for (let times = 1 + Math.floor(random() * 3); times > 0; times--) {
    // Larger than any limit is large enough.
    if (JSON.stringify(copy).length > 500_000) break
    const all = spots(copy)
    if (all.length === 0) break
    pick(random, MUTATIONS)(random, pick(random, all), all)
  }
  const text = JSON.stringify(copy)
  const kind = random()
  if (kind < 0.8) return text
  if (kind < 0.84) return text.slice(0, Math.floor(random() * text.length))
  if (kind < 0.87) return text.replace('{', '{"@type":"Offer","__proto__":{"admin":true},')
  if (kind < 0.9) return text.replace(/"([^"]+)":/, '"$1":1,"$1":')
  if (kind < 0.93) return text.replaceAll('e', '\\u0065')
  if (kind < 0.96)
    return Buffer.concat([Buffer.from(text.slice(0, 20)), Buffer.from([0xc3, 0x28, 0xff, 0xed, 0xa0, 0x80])])
  return Buffer.from(text, 'utf16le')
}
