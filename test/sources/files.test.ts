import { readFileSync } from 'node:fs'
import { appendFile, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type EpochMs, systemClock } from '../../connector/core/types.js'
import { SourceError } from '../../connector/dataplane/ports.js'
import type { Signal } from '../../connector/dataplane/record.js'
import { createFileSource, type FilesDeps } from '../../connector/dataplane/sources/files.js'
import { parseFilesConfig } from '../../connector/dataplane/sources/files-config.js'
import { sharedPath, titled } from '../support/shared-data.js'
import { inTempDir, listen, number, readAll } from './support.js'

const csv = { format: 'csv', time: { column: 't', format: 'epoch-ms' }, signals: { n: 'n' } }
const T = 1_700_000_000_000

function open(json: Record<string, unknown>, deps: Partial<FilesDeps> = {}) {
  const signals = deps.signals ?? [number('n')]
  const config = parseFilesConfig(json, signals)
  if (!config.ok) throw new Error(config.error.message)
  const heard = listen()
  const source = createFileSource(config.value, {
    clock: systemClock,
    report: heard.report,
    pollMs: 50,
    ...deps,
    signals,
  })
  return { source, heard }
}
const rows = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `${T + from + index},${from + index}\n`).join('')
const values = (records: readonly { values: Record<string, unknown> }[]) => records.map((one) => one.values.n)
const problemOf = async (run: Promise<unknown>) => {
  const cause = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return cause instanceof SourceError ? `${cause.problem.code}: ${cause.problem.message}` : cause
}

describe('a CSV file', () => {
  it('gives records by column name, with positions behind each row', () =>
    inTempDir(async (dir) => {
      const file = join(dir, 'a.csv')
      await writeFile(file, '\ufefft,x,n\r\n1700000000000,a,1.5\r\n\r\n1700000001000,ü,-2e3\r\n')
      const { source } = open({ file, ...csv })
      expect(await readAll(source)).toEqual([
        { position: '1-31', time: T, series: '', values: { n: 1.5 } },
        { position: '1-56', time: T + 1_000, series: '', values: { n: -2000 } },
      ])
      expect(source.counters()).toMatchObject({ received: 2, logged: 2, malformed: 0 })
    }))

  it('reads declared separator, quote, decimal comma, columns, series, types and missing values', () =>
    inTempDir(async (dir) => {
      const file = join(dir, 'a.csv')
      await writeFile(
        file,
        [
          `'2023-11-14T22:13:20Z';press;1,5;3,0;true;'it''s; ''on'''`,
          `'2023-11-14T22:13:21Z';mill;NaN;4;0;'two\nlines'`,
          `'2023-11-14T22:13:22Z';mill;1.5;4;0;x`,
          '',
        ].join('\n'),
      )
      const signals: Signal[] = [
        number('a'),
        { name: 'b', type: 'integer' },
        { name: 'c', type: 'boolean' },
        { name: 'd', type: 'string' },
      ]
      const { source, heard } = open(
        {
          file,
          format: 'csv',
          separator: ';',
          quote: "'",
          decimal: ',',
          missing: ['NaN'],
          columns: ['t', 's', 'a', 'b', 'c', 'd'],
          time: { column: 't', format: 'iso' },
          series: { column: 's' },
          signals: { a: 'a', b: 'b', c: 'c', d: 'd' },
        },
        { signals },
      )
      expect(source.oneSeries).toBeUndefined()
      expect((await readAll(source)).map(({ position: _, ...one }) => one)).toEqual([
        { time: T, series: 'press', values: { a: 1.5, b: 3, c: true, d: "it's; 'on'" } },
        { time: T + 1_000, series: 'mill', values: { b: 4, c: false, d: 'two\nlines' } },
      ])
      expect(heard.malformed.map(({ sample }) => sample.reason)).toEqual([
        'Line 4 of a.csv was left out: its signal "a" is not a finite number.',
      ])
    }))

  it('leaves out malformed rows, names their lines, counts each once, and goes on', () =>
    inTempDir(async (dir) => {
      const file = join(dir, 'a.csv')
      const bad = ['soon,1', `${T},x`, `${T}`, `${T},1,2`, `${T},"1"2`, `${T},`]
      await writeFile(
        file,
        Buffer.concat([
          Buffer.from(`t,n\n${T},1\n${bad.join('\n')}\n`),
          Buffer.from([0x31, 0xff, 0x0a]),
          Buffer.from(`${T},2\n`),
        ]),
      )
      let now = 0
      // Far enough apart for each fault to be reported by itself.
      const ticking = () => {
        now += 5_000
        return now as EpochMs
      }
      const { source, heard } = open({ file, ...csv }, { clock: ticking })
      expect(values(await readAll(source))).toEqual([1, 2])
      expect(values(await readAll(source))).toEqual([1, 2])
      expect(heard.malformed.map(({ sample }) => sample.reason)).toEqual([
        'Line 3 of a.csv was left out: its time "soon" is not a number of milliseconds since 1970.',
        'Line 4 of a.csv was left out: its signal "n" is not a finite number.',
        'Line 5 of a.csv was left out: it has 1 cells instead of 2.',
        'Line 6 of a.csv was left out: it has 3 cells instead of 2.',
        'Line 7 of a.csv was left out: text follows a quoted cell.',
        'Line 8 of a.csv was left out: it has none of the declared signals.',
        'Line 9 of a.csv was left out: it is not UTF-8.',
      ])
      expect(source.counters()).toMatchObject({ received: 9, logged: 2, malformed: 7 })
    }))

  it('loses only the line of a stray quote', () =>
    inTempDir(async (dir) => {
      const file = join(dir, 'a.csv')
      await writeFile(file, `t,n\n${T},"1\n${rows(0, 300)}`)
      const { source } = open({ file, ...csv })
      expect(values(await readAll(source))).toEqual(Array.from({ length: 300 }, (_, index) => index))
      expect(source.counters().malformed).toBe(1)
    }))

  it('leaves out a row above 1 MiB and goes on', () =>
    inTempDir(async (dir) => {
      const file = join(dir, 'a.csv')
      await writeFile(file, `t,n\n${T},1\n${'x'.repeat(3_000_000)}\n${T},2\n`)
      const { source, heard } = open({ file, ...csv })
      expect(values(await readAll(source))).toEqual([1, 2])
      expect(heard.malformed.map(({ sample }) => sample.reason)).toEqual([
        'Line 3 of a.csv was left out: it is longer than 1 MiB.',
      ])
    }))

  it('goes on behind any position, over block borders, and knows the time at it', () =>
    inTempDir(async (dir) => {
      const file = join(dir, 'a.csv')
      await writeFile(file, `t,n\n${rows(0, 20_000)}`)
      const { source } = open({ file, ...csv })
      const all = await readAll(source)
      expect(values(all)).toEqual(Array.from({ length: 20_000 }, (_, index) => index))
      for (const at of [0, 1, 3_448, 3_449, 10_000, 19_998]) {
        const position = all[at]?.position ?? ''
        const fresh = open({ file, ...csv }).source
        expect((await readAll(fresh, { after: position }))[0]).toEqual(all[at + 1])
        expect(await fresh.timeOf(position)).toEqual({ ok: true, value: T + at })
      }
      expect(await readAll(source, { after: all.at(-1)?.position ?? '' })).toEqual([])
    }))

  it('seeks instead of reading from the start', () =>
    inTempDir(async (dir) => {
      const file = join(dir, 'a.csv')
      await writeFile(file, `t,n\n${rows(0, 20_000)}`)
      const { source } = open({ file, ...csv })
      const last = (await readAll(open({ file, ...csv }).source)).at(-2)?.position ?? ''
      expect(values(await readAll(source, { after: last }))).toEqual([19_999])
      expect(source.counters().received).toBe(0)
    }))

  it('leaves out nothing at or after `from`, on the first read and on one with an index', () =>
    inTempDir(async (dir) => {
      const file = join(dir, 'a.csv')
      await writeFile(file, `t,n\n${rows(0, 30_000)}${T + 5},-1\n${rows(30_000, 30_010)}`)
      const { source } = open({ file, ...csv })
      for (let round = 0; round < 2; round += 1) {
        const late = values(await readAll(source, { from: (T + 29_998) as EpochMs }))
        expect(late).toEqual([
          29_998,
          29_999,
          30_000,
          ...Array.from({ length: 9 }, (_, index) => 30_001 + index),
        ])
        expect(values(await readAll(source, { from: (T + 5) as EpochMs }))).toHaveLength(30_006)
      }
    }))

  it.each(['', '2-5', '1', '1-', '0-9', '1-99999', 'x'])('refuses the position "%s"', (position) =>
    inTempDir(async (dir) => {
      const file = join(dir, 'a.csv')
      await writeFile(file, `t,n\n${rows(0, 3)}`)
      const { source } = open({ file, ...csv })
      await readAll(source)
      expect(await problemOf(readAll(source, { after: position }))).toBe(
        'RangeInvalid: There is no such position in this dataset.',
      )
      expect((await source.timeOf(position)).ok).toBe(false)
    }))

  it('never reads half a row, even from a position that nobody gave', () =>
    inTempDir(async (dir) => {
      const file = join(dir, 'a.csv')
      await writeFile(file, `n,t\n123,${T}\n45,${T}\n`)
      const { source } = open({ file, ...csv })
      expect(values(await readAll(source, { after: '1-5' }))).toEqual([45])
      expect((await source.timeOf('1-10')).ok).toBe(false)
    }))

  it('stops at once when aborted', () =>
    inTempDir(async (dir) => {
      const file = join(dir, 'a.csv')
      await writeFile(file, `t,n\n${rows(0, 5_000)}`)
      const abort = new AbortController()
      let batches = 0
      for await (const batch of open({ file, ...csv }).source.read({ signal: abort.signal })) {
        batches += 1
        expect(batch.length).toBeLessThanOrEqual(512)
        abort.abort()
      }
      expect(batches).toBe(1)
    }))

  it('says which file is missing, or which column, and what to do', () =>
    inTempDir(async (dir) => {
      const file = join(dir, 'a.csv')
      expect(await problemOf(readAll(open({ file, ...csv }).source))).toBe(
        `SourceUnavailable: The file ${file} does not exist. Create it, or correct file in the source.`,
      )
      await writeFile(file, 'time,n\n')
      expect(await problemOf(readAll(open({ file, ...csv }).source))).toBe(
        `SourceUnavailable: The file ${file} cannot be read: it has no column t, which time needs; its columns are time, n. Correct the file, or the source.`,
      )
    }))
})

describe('a file that grows', () => {
  it('delivers a half-written line only when its newline has come', () =>
    inTempDir(async (dir) => {
      const file = join(dir, 'a.csv')
      await writeFile(file, `t,n\n${T},1\n${T},12`)
      await utimes(file, 1, 1)
      const { source } = open({ file, ...csv, growing: true })
      const abort = new AbortController()
      const first = await readAll(source, { signal: abort.signal })
      expect(values(first)).toEqual([1])
      const changed = source.changed(abort.signal)
      await appendFile(file, '3\n')
      await changed
      const after = first.at(-1)?.position ?? ''
      expect(values(await readAll(source, { after, signal: abort.signal }))).toEqual([123])
    }))

  it('delivers the last line of a finished file without its newline once nobody writes any more', () =>
    inTempDir(async (dir) => {
      const file = join(dir, 'a.csv')
      await writeFile(file, `t,n\n${T},1\n${T},12`)
      let now = (await stat(file)).mtimeMs + 4_999
      const { source } = open({ file, ...csv }, { clock: () => now as EpochMs })
      const abort = new AbortController()
      expect(values(await readAll(source, { signal: abort.signal }))).toEqual([1])
      const changed = source.changed(abort.signal)
      now += 1
      await changed
      const all = await readAll(source, { signal: abort.signal })
      expect(values(all)).toEqual([1, 12])
      const position = all.at(-1)?.position ?? ''
      expect(await source.timeOf(position)).toEqual({ ok: true, value: T })
      await appendFile(file, `\n${T},3\n`)
      expect(values(await readAll(source, { after: position }))).toEqual([3])
    }))

  it('wakes a reader for lines that come between its read and its wait', () =>
    inTempDir(async (dir) => {
      const file = join(dir, 'a.csv')
      await writeFile(file, `t,n\n${T},1\n`)
      const { source } = open({ file, ...csv, growing: true })
      const abort = new AbortController()
      await readAll(source, { signal: abort.signal })
      await appendFile(file, `${T},2\n`)
      await source.changed(abort.signal)
      expect(values(await readAll(source))).toEqual([1, 2])
    }))

  it('stops waiting when aborted', () =>
    inTempDir(async (dir) => {
      const file = join(dir, 'a.csv')
      await writeFile(file, `t,n\n${T},1\n`)
      const { source } = open({ file, ...csv, growing: true })
      const abort = new AbortController()
      await readAll(source, { signal: abort.signal })
      const changed = source.changed(abort.signal)
      abort.abort()
      await changed
    }))

  it.each(['emptied', 'replaced'])('reads a file that was %s anew, under another number', (how) =>
    inTempDir(async (dir) => {
      const file = join(dir, 'a.csv')
      await writeFile(file, `t,n\n${rows(0, 5)}`)
      const { source } = open({ file, ...csv, growing: true })
      const abort = new AbortController()
      const last = (await readAll(source, { signal: abort.signal })).at(-1)?.position ?? ''
      const changed = source.changed(abort.signal)
      if (how === 'emptied') await truncate(file, 0)
      else await rename(file, join(dir, 'old'))
      await writeFile(file, `t,n\n${rows(10, 20)}`)
      await changed
      const next = await readAll(source, { after: last })
      expect(values(next)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19])
      expect(next[0]?.position.startsWith('1-')).toBe(false)
      expect((await source.timeOf(last)).ok).toBe(false)
    }))
})

it('reads a file anew that was cut back to its beginning', () =>
  inTempDir(async (dir) => {
    const file = join(dir, 'a.csv')
    await writeFile(file, `t,n\n${rows(0, 500)}`)
    const { source } = open({ file, ...csv, growing: true })
    const last = (await readAll(source)).at(-1)?.position ?? ''
    await writeFile(file, `t,n\n${rows(0, 200)}`)
    expect(values(await readAll(source, { after: last }))).toHaveLength(200)
  }))

describe('a folder', () => {
  const folder = (dir: string) => ({ folder: dir, pattern: '*.csv', ...csv })

  it('reads its files by name and takes no others', () =>
    inTempDir(async (dir) => {
      await writeFile(join(dir, 'b.csv'), `t,n\n${rows(3, 5)}`)
      await writeFile(join(dir, 'a.csv'), `t,n\n${rows(0, 3)}`)
      await writeFile(join(dir, 'a.txt'), `t,n\n${rows(9, 10)}`)
      expect(values(await readAll(open(folder(dir)).source))).toEqual([0, 1, 2, 3, 4])
    }))

  it('keeps positions when files are added, over a restart', () =>
    inTempDir(async (dir) => {
      const stateFile = join(dir, 'state', 'files.json')
      await writeFile(join(dir, 'b.csv'), `t,n\n${rows(0, 2)}`)
      const first = await readAll(open(folder(dir), { stateFile }).source)
      await writeFile(join(dir, 'a.csv'), `t,n\n${rows(5, 6)}`)
      await appendFile(join(dir, 'b.csv'), rows(2, 3))
      const { source } = open(folder(dir), { stateFile })
      expect((await readAll(source)).slice(0, 2)).toEqual(first)
      expect(values(await readAll(source, { after: first.at(-1)?.position ?? '' }))).toEqual([2, 5])
      expect((await stat(stateFile)).mode & 0o777).toBe(0o600)
    }))

  it('notices new files and renamed ones, and does not deliver the renamed one again', () =>
    inTempDir(async (dir) => {
      await writeFile(join(dir, 'm.csv'), `t,n\n${rows(0, 2)}`)
      const { source } = open(folder(dir))
      const abort = new AbortController()
      const last = (await readAll(source, { signal: abort.signal })).at(-1)?.position ?? ''
      const changed = source.changed(abort.signal)
      await rename(join(dir, 'm.csv'), join(dir, 'm-1.csv'))
      await writeFile(join(dir, 'm.csv'), `t,n\n${rows(2, 4)}`)
      await changed
      expect(values(await readAll(source, { after: last }))).toEqual([2, 3])
    }))

  it('leaves out a file without the needed columns, says so, and reads the others', () =>
    inTempDir(async (dir) => {
      await writeFile(join(dir, 'a.csv'), 'x,y\n1,2\n')
      await writeFile(join(dir, 'b.csv'), `t,n\n${rows(0, 2)}`)
      const { source, heard } = open(folder(dir))
      expect(values(await readAll(source))).toEqual([0, 1])
      expect(heard.malformed[0]?.sample.reason).toBe(
        'File a.csv was left out: it has no column t, which time needs; its columns are x, y.',
      )
    }))

  it('tells the operator when an older file grows', () =>
    inTempDir(async (dir) => {
      for (const name of ['a.csv', 'b.csv']) await writeFile(join(dir, name), `t,n\n${rows(0, 1)}`)
      const { source, heard } = open(folder(dir))
      await readAll(source)
      await appendFile(join(dir, 'a.csv'), rows(1, 2))
      await readAll(source)
      expect(heard.problems).toEqual([
        'The file a.csv grew although b.csv is newer, so its new lines may not be delivered. Give files that grow at the same time a source each.',
      ])
    }))

  it('goes on behind a file that is gone', () =>
    inTempDir(async (dir) => {
      for (const [at, name] of ['a.csv', 'b.csv'].entries())
        await writeFile(join(dir, name), `t,n\n${rows(at, at + 1)}`)
      const { source } = open(folder(dir))
      const [first] = await readAll(source)
      await rm(join(dir, 'a.csv'))
      expect(values(await readAll(source, { after: first?.position ?? '' }))).toEqual([1])
    }))

  it('refuses a damaged list of numbers instead of numbering anew', () =>
    inTempDir(async (dir) => {
      const stateFile = join(dir, 'files.json')
      await writeFile(stateFile, '{"version":1,')
      expect(await problemOf(readAll(open(folder(dir), { stateFile }).source))).toBe(
        `SourceUnavailable: The file ${stateFile}, which remembers the files of this source, is damaged. Restore it from a backup, or delete it to have every file delivered anew.`,
      )
    }))
})

it('reads NDJSON with the mapping of messages', () =>
  inTempDir(async (dir) => {
    const file = join(dir, 'a.ndjson')
    await writeFile(
      file,
      `{"t":${T},"v":{"n":1}}\n\n{"t":"x","v":{"n":2}}\n{"t":${T + 1},"v":{"n":3,"secret":1}}\n`,
    )
    const mapping = { time: { path: 't', format: 'epoch-ms' }, series: 's', signals: { n: '/v/n' } }
    const { source, heard } = open({ file, format: 'ndjson', mapping })
    expect(await readAll(source)).toEqual([
      { position: '1-32', time: T, series: 's', values: { n: 1 } },
      { position: '1-98', time: T + 1, series: 's', values: { n: 3 } },
    ])
    expect(heard.malformed[0]?.sample).toMatchObject({ where: 'a.ndjson:3' })
  }))

it('reads a large file in small batches', () =>
  inTempDir(async (dir) => {
    const file = join(dir, 'a.csv')
    await writeFile(file, 't,n\n')
    const chunk = rows(0, 100_000)
    for (let round = 0; round < 6; round += 1) await appendFile(file, chunk)
    const { source } = open({ file, ...csv })
    let count = 0
    let largest = 0
    for await (const batch of source.read({ signal: new AbortController().signal })) {
      count += batch.length
      largest = Math.max(largest, batch.length)
    }
    expect(count).toBe(600_000)
    expect(largest).toBeLessThanOrEqual(512)
  }))

describe(titled('recorded machine data', 'data'), () => {
  const machine = sharedPath('data/machine_temperature.csv')
  it.skipIf(machine === undefined)('gives every row of machine_temperature.csv exactly', async () => {
    const { source } = open(
      {
        file: machine,
        format: 'csv',
        time: { column: 'timestamp', format: 'iso-local', timeZone: 'America/New_York' },
        signals: { temperature: 'value' },
      },
      { signals: [number('temperature')] },
    )
    const records = await readAll(source)
    const lines = readFileSync(machine ?? '', 'utf8')
      .trimEnd()
      .split('\n')
      .slice(1)
    expect(records).toHaveLength(22_695)
    // The recording lies wholly in winter time, five hours behind UTC.
    expect(records.map(({ time, values: { temperature } }) => [time, temperature])).toEqual(
      lines.map((line) => {
        const [time = '', value] = line.split(',')
        return [Date.parse(`${time.replace(' ', 'T')}-05:00`), Number(value)]
      }),
    )
    expect(source.counters()).toMatchObject({ received: 22_695, logged: 22_695, malformed: 0 })
  })

  const pump = sharedPath('data/pump_valve1_0.csv')
  it.skipIf(pump === undefined)('gives every row of the pump with its eight signals exactly', async () => {
    const columns = {
      acceleration1: 'Accelerometer1RMS',
      acceleration2: 'Accelerometer2RMS',
      current: 'Current',
      pressure: 'Pressure',
      motorTemperature: 'Temperature',
      fluidTemperature: 'Thermocouple',
      voltage: 'Voltage',
      flow: 'Volume Flow RateRMS',
    }
    const { source } = open(
      {
        file: pump,
        format: 'csv',
        separator: ';',
        time: { column: 'datetime', format: 'iso-local', timeZone: 'UTC' },
        series: 'pump-1',
        signals: columns,
      },
      { signals: Object.keys(columns).map(number) },
    )
    const records = await readAll(source)
    const lines = readFileSync(pump ?? '', 'utf8')
      .trimEnd()
      .split('\r\n')
      .slice(1)
    expect(records).toHaveLength(1_147)
    expect(records.map(({ time, values }) => [time, ...Object.values(values)])).toEqual(
      lines.map((line) => {
        const [time = '', ...cells] = line.split(';')
        return [Date.parse(`${time.replace(' ', 'T')}Z`), ...cells.slice(0, 8).map(Number)]
      }),
    )
    expect(source.counters().malformed).toBe(0)
  })
})
