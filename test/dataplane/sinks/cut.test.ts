import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type BodySink, openBodyFile } from '../../../connector/dataplane/sinks/body-sink.js'
import { cutFront } from '../../../connector/dataplane/sinks/cut.js'

const SUBJECT = 'urn:uuid:t-1'
const line = (n: number): string =>
  `{"id":"${n}","ts":"2027-01-01T00:00:0${n}.000Z","series":"","value":${n}}\n`
const LENGTH = line(1).length
const sha = (text: string): string => createHash('sha256').update(text).digest('hex')

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cut-'))
  path = join(folder, 'data.ndjson')
})
afterEach(() => rmSync(folder, { recursive: true }))

const open = async (): Promise<BodySink> => {
  const sink = await openBodyFile(path, SUBJECT)
  if (!sink.ok) throw new Error(sink.error.message)
  return sink.value
}
async function* bodyOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}
const receive = async (...bodies: readonly string[]): Promise<void> => {
  await using sink = await open()
  for (const body of bodies) await sink.take(bodyOf(body), { isRecords: true })
}
const cut = async (from: number, upTo: number) => {
  const outcome = await cutFront(path, SUBJECT, { from, upTo })
  if (!outcome.ok) throw new Error(outcome.error.message)
  return outcome.value
}
const content = (): string => readFileSync(path, 'utf8')
const state = () => JSON.parse(readFileSync(`${path}.state`, 'utf8'))

describe('deleting the oldest part of received data', () => {
  it('leaves every younger byte, says what is gone, and receives on behind it', async () => {
    await receive(line(1) + line(2), line(3))
    expect(await cut(0, 2 * LENGTH)).toEqual({
      upTo: 2 * LENGTH,
      bytes: 2 * LENGTH,
      records: 2,
      sha256: sha(line(1) + line(2)),
      firstEvent: '2027-01-01T00:00:01.000Z',
      lastEvent: '2027-01-01T00:00:02.000Z',
    })
    expect(content()).toBe(line(3))
    await receive(line(4))
    expect(content()).toBe(line(3) + line(4))
    expect(state().pushed).toMatchObject({ batches: 3, records: 4, bytes: 4 * LENGTH })
    expect(await cut(2 * LENGTH, 3 * LENGTH)).toMatchObject({ records: 1, sha256: sha(line(3)) })
    expect(content()).toBe(line(4))
  })

  it('takes the file away with its last byte, and begins a new one with the next', async () => {
    await receive(line(1))
    expect(await cut(0, LENGTH)).toMatchObject({ records: 1, bytes: LENGTH })
    expect(existsSync(path)).toBe(false)
    await receive(line(2))
    expect(content()).toBe(line(2))
  })

  it('deletes a delivered file that is no records as a whole', async () => {
    const bytes = 'no line end, no record'
    await using sink = await open()
    await sink.take(bodyOf(bytes), { isRecords: false })
    const proof = await cut(0, bytes.length)
    expect(proof).toEqual({ upTo: bytes.length, bytes: bytes.length, records: 0, sha256: sha(bytes) })
  })

  it('answers again with the proof of what is gone already, and deletes nothing more', async () => {
    await receive(line(1), line(2), line(3))
    const first = await cut(0, LENGTH)
    expect(await cut(0, 2 * LENGTH)).toEqual(first)
    expect(content()).toBe(line(2) + line(3))
  })

  it('leaves alone what a crash had written behind the part that is accounted for', async () => {
    await receive(line(1), line(2))
    writeFileSync(path, `${line(1)}${line(2)}{"half`)
    expect(await cut(0, LENGTH)).toMatchObject({ sha256: sha(line(1)) })
    await receive(line(3))
    expect(content()).toBe(line(2) + line(3))
  })
})

describe('a crash in the middle', () => {
  it('before the new file took its place leaves the old one, and the cut is made again', async () => {
    await receive(line(1), line(2))
    const before = state()
    writeFileSync(`${path}.state`, JSON.stringify({ ...before, cutting: LENGTH, cut: proofOf(LENGTH) }))
    writeFileSync(`${path}.rest`, 'half of it')
    await receive(line(3))
    expect(content()).toBe(line(1) + line(2) + line(3))
    expect(existsSync(`${path}.rest`)).toBe(false)
    expect(await cut(0, LENGTH)).toMatchObject({ sha256: sha(line(1)) })
    expect(content()).toBe(line(2) + line(3))
  })

  it('after the new file took its place is completed, and the proof is still there', async () => {
    await receive(line(1), line(2))
    const before = state()
    const proof = proofOf(LENGTH)
    writeFileSync(`${path}.state`, JSON.stringify({ ...before, cutting: LENGTH, cut: proof }))
    writeFileSync(path, line(2))
    expect(await cut(0, LENGTH)).toEqual(proof)
    await receive(line(3))
    expect(content()).toBe(line(2) + line(3))
  })

  it('after the last byte was taken away is completed as well', async () => {
    await receive(line(1))
    writeFileSync(`${path}.state`, JSON.stringify({ ...state(), cutting: LENGTH, cut: proofOf(LENGTH) }))
    rmSync(path)
    await receive(line(2))
    expect(content()).toBe(line(2))
    expect(state().pushed.bytes).toBe(2 * LENGTH)
  })

  const proofOf = (upTo: number) => ({ upTo, bytes: upTo, records: 1, sha256: sha(line(1)) })
})

describe('what cannot be deleted', () => {
  it('stays as it is when there is no place for the rest, with a sentence', async () => {
    await receive(line(1), line(2))
    mkdirSync(`${path}.rest`)
    const outcome = await cutFront(path, SUBJECT, { from: 0, upTo: LENGTH })
    expect(outcome).toMatchObject({ ok: false, error: { code: 'SinkUnavailable' } })
    expect(content()).toBe(line(1) + line(2))
    rmSync(`${path}.rest`, { recursive: true })
    expect(await cut(0, LENGTH)).toMatchObject({ records: 1 })
  })

  it('is named when somebody has shortened the file, and nothing of it is touched', async () => {
    await receive(line(1), line(2))
    writeFileSync(path, line(2))
    const outcome = await cutFront(path, SUBJECT, { from: 0, upTo: LENGTH })
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: 'Conflict', message: expect.stringContaining('somebody has changed it') },
    })
    expect(content()).toBe(line(2))
    rmSync(path)
    expect(await cut(0, LENGTH)).toMatchObject({ missing: true })
  })

  it('leaves no copy that a crash or a full disk has left half written', async () => {
    await receive(line(1), line(2))
    writeFileSync(`${path}.rest`, line(2).slice(0, 9))
    await cut(0, 2 * LENGTH)
    expect(existsSync(path)).toBe(false)
    expect(existsSync(`${path}.rest`)).toBe(false)
  })

  it('because somebody took the file away, is said to be missing, and later data is taken', async () => {
    await receive(line(1))
    rmSync(path)
    expect(await cut(0, LENGTH)).toMatchObject({ bytes: 0, records: 0, missing: true })
    await receive(line(2))
    expect(content()).toBe(line(2))
  })

  it('because its state is lost is named, until the file is gone as well', async () => {
    await receive(line(1))
    rmSync(`${path}.state`)
    const outcome = await cutFront(path, SUBJECT, { from: 0, upTo: LENGTH })
    expect(outcome).toMatchObject({ ok: false, error: { code: 'Conflict' } })
    expect(content()).toBe(line(1))
    rmSync(path)
    expect(await cut(0, LENGTH)).toMatchObject({ upTo: LENGTH, bytes: 0, missing: true })
  })

  it('belongs to another transfer', async () => {
    await receive(line(1))
    const outcome = await cutFront(path, 'urn:uuid:t-2', { from: 0, upTo: LENGTH })
    expect(outcome).toMatchObject({ ok: false, error: { code: 'Conflict' } })
    expect(content()).toBe(line(1))
  })
})

it('tells of a body before it counts as taken, and takes it again when that could not be noted', async () => {
  const told: unknown[] = []
  let fails = true
  const opened = await openBodyFile(path, SUBJECT, async (before, after) => {
    if (fails) throw new Error('the disk is full')
    told.push([before.bytes, after.bytes])
  })
  if (!opened.ok) throw new Error(opened.error.message)
  await using sink = opened.value
  await expect(sink.take(bodyOf(line(1)), { isRecords: true })).rejects.toThrow('Is the disk full?')
  expect(content()).toBe('')
  fails = false
  await sink.take(bodyOf(line(1)), { isRecords: true })
  await sink.take(bodyOf(line(2)), { isRecords: true })
  expect(content()).toBe(line(1) + line(2))
  expect(told).toEqual([
    [0, LENGTH],
    [LENGTH, 2 * LENGTH],
  ])
})
