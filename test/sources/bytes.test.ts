import { appendFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { SourceError } from '../../connector/dataplane/ports.js'
import { createByteSource } from '../../connector/dataplane/sources/bytes.js'
import { inTempDir, listen } from './support.js'

const open = (file: string, mediaType?: string) =>
  createByteSource(mediaType === undefined ? { file } : { file, mediaType }, { report: listen().report })

it('describes a file and delivers any part of it', () =>
  inTempDir(async (dir) => {
    const file = join(dir, 'Drawing.PDF')
    const content = Buffer.alloc(700_000, 'abcdefg')
    await writeFile(file, content)
    const source = open(file)
    const described = await source.describe()
    expect(described).toMatchObject({
      ok: true,
      value: { size: 700_000, mediaType: 'application/pdf', fileName: 'Drawing.PDF' },
    })
    expect(content.equals(await buffer(source.open({ start: 0, end: 699_999 })))).toBe(true)
    expect(String(await buffer(source.open({ start: 7, end: 9 })))).toBe('abc')
    expect(String(await buffer(source.open({ start: 262_143, end: 262_145 })))).toBe(
      content.toString('utf8', 262_143, 262_146),
    )
  }))

it('calls unknown files octet-stream, unless the operator knows better', () =>
  inTempDir(async (dir) => {
    const file = join(dir, 'program.xyz')
    await writeFile(file, '')
    const type = async (mediaType?: string) => {
      const described = await open(file, mediaType).describe()
      return described.ok && described.value.mediaType
    }
    expect([await type(), await type('text/plain')]).toEqual(['application/octet-stream', 'text/plain'])
  }))

it('changes the entity tag with the content, even at equal size', () =>
  inTempDir(async (dir) => {
    const file = join(dir, 'a.txt')
    const tag = async () => {
      const described = await open(file).describe()
      return described.ok ? described.value.etag : ''
    }
    await writeFile(file, 'one')
    await utimes(file, 1, 1)
    const tags = [await tag(), await tag()]
    await writeFile(file, 'two')
    await utimes(file, 2, 2)
    tags.push(await tag())
    expect(tags[0]).toBe(tags[1])
    expect(tags[2]).not.toBe(tags[0])
    expect(tags[0]).toMatch(/^"[a-z0-9-]+"$/)
  }))

it('ends the delivery when the file is no longer the one described', () =>
  inTempDir(async (dir) => {
    const file = join(dir, 'a.txt')
    await writeFile(file, 'one')
    const source = open(file)
    await source.describe()
    await appendFile(file, 'two')
    const cause = await buffer(source.open({ start: 0, end: 2 })).catch((thrown: unknown) => thrown)
    expect(cause instanceof SourceError && cause.problem.message).toBe(
      'The file changed while it was being delivered. Ask for it again.',
    )
  }))

it('gives a small file at once, and never another version of it than was described', () =>
  inTempDir(async (dir) => {
    const file = join(dir, 'a.txt')
    const source = open(file)
    const tag = async () => {
      const described = await source.describe()
      return described.ok ? described.value.etag : ''
    }
    await writeFile(file, 'one two')
    const etag = await tag()
    expect(String(await source.take?.({ start: 0, end: 6, etag }))).toBe('one two')
    expect(String(await source.take?.({ start: 4, end: 6, etag }))).toBe('two')
    await writeFile(file, 'six')
    await utimes(file, 1, 1)
    const later = await tag()
    expect(String(await source.take?.({ start: 0, end: 2, etag: later }))).toBe('six')
    await expect(source.take?.({ start: 0, end: 2, etag })).rejects.toThrow('changed')
    await writeFile(file, Buffer.alloc(1_000_000))
    expect(await source.take?.({ start: 0, end: 9, etag: await tag() })).toBeUndefined()
  }))

it('says that the file is missing', () =>
  inTempDir(async (dir) => {
    const file = join(dir, 'a.txt')
    const missing = `The file ${file} does not exist. Create it, or correct file in the source.`
    expect(await open(file).describe()).toEqual({
      ok: false,
      error: { code: 'SourceUnavailable', message: missing },
    })
    const cause = await buffer(open(file).open({ start: 0, end: 1 })).catch((thrown: unknown) => thrown)
    expect(cause instanceof SourceError && cause.problem.message).toBe(missing)
  }))

it('is looked at once for all who ask within the time that a look counts, and never serves two versions as one', () =>
  inTempDir(async (dir) => {
    const file = join(dir, 'small.txt')
    await writeFile(file, 'first')
    const source = createByteSource({ file }, { report: listen().report, freshMs: 60_000 })
    const taken = async () => {
      const described = await source.describe()
      if (!described.ok) throw new Error(described.error.message)
      const { etag, size } = described.value
      return String(await source.take?.({ start: 0, end: size - 1, etag }))
    }
    expect(await taken()).toBe('first')
    await writeFile(file, 'second, and longer')
    expect(await taken()).toBe('first')

    const careful = createByteSource({ file }, { report: listen().report, freshMs: 0 })
    const before = await careful.describe()
    await writeFile(file, 'third')
    const after = await careful.describe()
    expect(before.ok && after.ok && before.value.etag !== after.value.etag).toBe(true)
  }))

it('is looked at each time while it is not kept in memory', () =>
  inTempDir(async (dir) => {
    const file = join(dir, 'large.bin')
    await writeFile(file, Buffer.alloc(100_000))
    const source = createByteSource({ file }, { report: listen().report, freshMs: 60_000 })
    const sizeNow = async () => {
      const described = await source.describe()
      return described.ok && described.value.size
    }
    expect(await sizeNow()).toBe(100_000)
    await writeFile(file, Buffer.alloc(200_000))
    expect(await sizeNow()).toBe(200_000)
  }))
