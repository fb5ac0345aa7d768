import { expect, it } from 'vitest'
import { parseJson } from '../../connector/core/json.js'

const parse = (text: string) => parseJson(Buffer.from(text))
const sentence = (text: string) => {
  const result = parse(text)
  return result.ok ? undefined : result.error.message
}

it('reads every kind of value as JSON.parse does', () => {
  const text = ' {"a":[1,-2.5e3,true,false,null,"x\\"y\\\\",{}],"b":{"a":"ü"},"":"\\u00e9"} '
  expect(parse(text)).toEqual({ ok: true, value: JSON.parse(text) })
  for (const bare of ['1', '"x"', 'null', '[]', '""', '1e2']) {
    expect(parse(bare)).toEqual({ ok: true, value: JSON.parse(bare) })
  }
})

it('refuses a key that appears twice, however it is spelled', () => {
  expect(sentence('{"a":1,"b":2,"a":3}')).toBe('The key "a" appears twice.')
  expect(sentence('{"a":1,"\\u0061":2}')).toBe('The key "a" appears twice.')
  expect(sentence('{"x":[{"k":{"a":1},"k":2}]}')).toBe('The key "k" appears twice.')
  expect(sentence('{"x":{},"y":[],"x":1}')).toBe('The key "x" appears twice.')
  const many = Array.from({ length: 50 }, (_, i) => `"k${i}":${i}`).join(',')
  expect(sentence(`{${many},"k49":0}`)).toBe('The key "k49" appears twice.')
})

it('lets the same key stand in different objects, and as a value', () => {
  expect(parse('[{"a":"a"},{"a":{"a":["a","a","b"]}}]').ok).toBe(true)
  expect(parse('{"a":"b","b":"a","c":"a"}').ok).toBe(true)
  // A quote behind an escaped backslash ends the string.
  expect(parse('{"a\\\\":1,"a":2}').ok).toBe(true)
  expect(parse('{"a\\"":1,"a":"\\","}').ok).toBe(true)
})

it('refuses keys that name parts of every object', () => {
  expect(sentence('{"__proto__":{"admin":true}}')).toBe('The key "__proto__" is not allowed.')
  expect(sentence('[{"constructor":1}]')).toBe('The key "constructor" is not allowed.')
  expect(sentence('{"\\u0070rototype":1}')).toBe('The key "prototype" is not allowed.')
  expect(parse('{"a":"__proto__"}').ok).toBe(true)
})

it('refuses what nests deeper than the limit, and only that', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
  expect(parse(nested(32)).ok).toBe(true)
  expect(sentence(nested(33))).toBe('The body nests deeper than 32 levels.')
  expect(sentence('{"a":'.repeat(33))).toBe('The body nests deeper than 32 levels.')
  expect(sentence('['.repeat(200_000))).toBe('The body nests deeper than 32 levels.')
  expect(parse('"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["').ok).toBe(true)
  expect(parse(`[${'[],'.repeat(100)}[]]`).ok).toBe(true)
})

it('refuses what is not UTF-8', () => {
  const result = parseJson(Uint8Array.from([0x22, 0xc3, 0x28, 0x22]))
  expect(result).toMatchObject({ ok: false, error: { code: 'InvalidMessage' } })
  expect(result.ok ? '' : result.error.message).toBe('The body is not JSON: it is not valid UTF-8.')
})

it('refuses half a character and a number beyond double precision', () => {
  expect(sentence('{"a":"\\ud800"}')).toBe('A text contains half of a character (a lone surrogate).')
  expect(sentence('{"\\uDC00x":1}')).toBe('A text contains half of a character (a lone surrogate).')
  expect(parse('"\\ud83d\\ude00"')).toEqual({ ok: true, value: '😀' })
  expect(sentence('[1e999]')).toBe('The number 1e999 is too large.')
  expect(sentence(`{"a":-${'9'.repeat(400)}}`)).toMatch(/^The number -9+\.\.\. is too large\.$/)
})

it('says where a text stops being JSON and never quotes it', () => {
  expect(sentence('')).toBe('The body is not JSON: it ends too early.')
  expect(sentence('{"password":"hunter2"')).not.toContain('hunter2')
  expect(sentence('hunter2 hunter2')).toBe("The body is not JSON: unexpected token 'h'.")
  expect(sentence('{"a":1,"a":2')).toMatch(/^The body is not JSON: /)
  for (const broken of [
    '{',
    '"',
    '"\\',
    '{"a":}',
    '{"a" 1}',
    '[1,]',
    '{,}',
    "{'a':1}",
    ']',
    '01',
    '1 2',
    '{"\\q":1}',
    '"\\u12"',
  ]) {
    expect(sentence(broken), broken).toMatch(/^The body is not JSON: /)
  }
})

it('refuses a body above the size limit before looking into it', () => {
  expect(parseJson(Buffer.alloc(11, 0x20), { maxBytes: 10, maxDepth: 4 })).toMatchObject({
    ok: false,
    error: { code: 'MessageTooLarge', message: 'The body has 11 bytes; at most 10 are accepted.' },
  })
  expect(parseJson(Buffer.from('12345678901'), { maxBytes: 11, maxDepth: 0 }).ok).toBe(true)
})

it('comes to an end with hostile texts of the largest size', () => {
  const size = 256 * 1024 - 16
  const texts = [
    `{${Array.from({ length: 20_000 }, (_, i) => `"${i}":0`).join(',')}}`,
    `"${'\\\\'.repeat(size / 2 - 1)}"`,
    `"${'\\"'.repeat(size / 2 - 1)}"`,
    `[${'"a",'.repeat(size / 4 - 4)}1]`,
    `{"a":"${'x'.repeat(size - 10)}`,
    '"\\'.repeat(size / 2),
  ]
  expect(texts.map((text) => parse(text).ok)).toEqual([true, true, true, true, false, false])
})
