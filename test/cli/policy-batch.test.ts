/** Batches as other programs write them, and as nobody should. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { type Line, readLines } from '../../connector/cli/commands/batch-lines.js'
import { cli } from './support.js'

const cwd = mkdtempSync(join(tmpdir(), 'handschlag-batch-'))
afterAll(() => rmSync(cwd, { recursive: true }))

const USE = { action: 'use' }
const line = (id: unknown, more: object = {}): string =>
  JSON.stringify({ id, policy: { permission: [USE] }, request: USE, ...more })

type Answer = {
  readonly id: unknown
  readonly line?: number
  readonly decision?: string
  readonly relation?: string
  readonly error?: { readonly code: string; readonly message: string }
}

async function batch(command: 'evaluate' | 'compare', content: string | Uint8Array) {
  writeFileSync(join(cwd, 'lines.ndjson'), content)
  const { code, out, err } = await cli(['policy', command, '--batch', 'lines.ndjson'], { cwd })
  expect([code, err]).toEqual([0, ''])
  return out.split('\n').flatMap((text) => (text === '' ? [] : [JSON.parse(text) as Answer]))
}
const told = (answers: readonly Answer[]) =>
  answers.map(({ id, line, decision, error }) => [id, line, decision ?? error?.code])

describe('a batch', () => {
  it('reads lines that end as on Windows, and a byte order mark', async () => {
    expect(told(await batch('evaluate', `\uFEFF${line(1)}\r\n\r\n${line(2)}\r\n`))).toEqual([
      [1, undefined, 'permit'],
      [2, undefined, 'permit'],
    ])
  })

  it('takes only a line feed for the end of a line', async () => {
    const texts = ['\u2028', '\u2029', '\u0085'].map((sign) => line(`a${sign}b`))
    expect(told(await batch('evaluate', texts.join('\n')))).toEqual([
      ['a\u2028b', undefined, 'permit'],
      ['a\u2029b', undefined, 'permit'],
      ['a\u0085b', undefined, 'permit'],
    ])
  })

  it('refuses bytes that are no text, instead of reading something else', async () => {
    const bad = Buffer.concat([Buffer.from(line('x').slice(0, 8)), Buffer.from([0xff]), Buffer.from('"}')])
    const answers = await batch('evaluate', Buffer.concat([bad, Buffer.from(`\n${line(2)}`)]))
    expect(told(answers)).toEqual([
      [null, 1, 'InvalidMessage'],
      [2, undefined, 'permit'],
    ])
    expect(answers[0]?.error?.message).toBe('The line is not valid UTF-8.')
  })

  it('answers equal names twice, and tells the number of a line that has none', async () => {
    expect(
      told(await batch('evaluate', `${line('a')}\n${line('a')}\n\nnonsense\n[]\n${line(true)}\n`)),
    ).toEqual([
      ['a', undefined, 'permit'],
      ['a', undefined, 'permit'],
      [null, 4, 'InvalidMessage'],
      [null, 5, 'InvalidMessage'],
      [null, 6, 'permit'],
    ])
  })

  it('names what a line lacks', async () => {
    const [noPolicy, noRequest] = await batch('evaluate', `{"id":1,"request":{}}\n{"id":2,"policy":{}}\n`)
    expect(noPolicy?.error?.message).toBe('The line has no "policy".')
    expect(noRequest?.error?.message).toBe('The line has no "request".')
    const [noB] = await batch('compare', `{"id":3,"a":{"permission":[]}}\n`)
    expect(noB).toMatchObject({ id: 3, error: { message: 'The line needs "a" and "b", or "policies".' } })
  })

  it('reads an empty file, and one without an end of its last line', async () => {
    expect(await batch('evaluate', '')).toEqual([])
    expect(await batch('evaluate', '\n\n')).toEqual([])
    expect(told(await batch('evaluate', line(1)))).toEqual([[1, undefined, 'permit']])
  })
})

async function linesOf(chunks: readonly (string | Uint8Array)[], maxBytes: number): Promise<readonly Line[]> {
  const lines: Line[] = []
  async function* input() {
    yield* chunks
  }
  for await (const one of readLines(input(), maxBytes)) lines.push(one)
  return lines
}

describe('lines of bytes', () => {
  it('are the same however the input is cut into pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 9 }),
        async (parts, size) => {
          const texts = parts.map((part) => part.replaceAll('\n', '').replaceAll('\uFEFF', ''))
          const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(''))
          const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
            bytes.subarray(n * size, (n + 1) * size),
          )
          const lines = await linesOf(chunks, 1000)
          expect(lines.map((one) => (one.kind === 'text' ? one.text : one.kind))).toEqual(texts)
        },
      ),
      { numRuns: 100 },
    )
  })

  it('throw away what is longer than the limit, and go on behind it', async () => {
    const lines = await linesOf(['1234\n', '1234', '5678\n', '12345\n1\n'], 4)
    expect(lines).toEqual([
      { number: 1, kind: 'text', text: '1234' },
      { number: 2, kind: 'too long' },
      { number: 3, kind: 'too long' },
      { number: 4, kind: 'text', text: '1' },
    ])
  })

  it('keep nothing of a line that never ends', async () => {
    let held = 0
    const piece = Buffer.alloc(1 << 20, 0x61)
    async function* endless() {
      for (let n = 0; n < 256; n += 1) yield piece
      held = process.memoryUsage().rss
      yield Buffer.from('\n')
    }
    const before = process.memoryUsage().rss
    for await (const { kind } of readLines(endless(), 1 << 20)) expect(kind).toBe('too long')
    expect(held - before).toBeLessThan(64 * (1 << 20))
  })
})
