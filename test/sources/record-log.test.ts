import { statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { EpochMs } from '../../connector/core/types.js'
import type { RecordLog } from '../../connector/dataplane/ports.js'
import { Sqlite } from '../../connector/store/sqlite/driver.js'
import { openRecordLog } from '../../connector/store/sqlite/record-log.js'
import { waitFor } from '../support/wait-for.js'
import { inTempDir } from './support.js'

const record = (time: number, value = time) => ({ time: time as EpochMs, series: 's', values: { value } })
const ms = (value: number) => value as EpochMs

function handClock(start = 1_000) {
  const clock = { now: start, read: () => clock.now as EpochMs }
  return clock
}

const withLog = (
  run: (log: ReturnType<typeof openRecordLog>, file: string, clock: { now: number }) => Promise<void>,
) =>
  inTempDir(async (dir) => {
    const clock = handClock()
    const file = join(dir, 'history.db')
    await using log = openRecordLog(file, { clock: clock.read })
    await run(log, file, clock)
  })

it('gives back what was appended, in order, with positions from 1', () =>
  withLog(async (log) => {
    const port: RecordLog = log
    await port.append('pump', [
      { time: ms(10), series: 'a', values: { text: 'ä', on: true, n: 1.5 } },
      { time: ms(5), series: 'b', values: {} },
    ])
    await port.append('other', [record(1)])
    expect(port.read('pump', { limit: 10 })).toEqual([
      { position: '1', time: 10, series: 'a', values: { text: 'ä', on: true, n: 1.5 } },
      { position: '2', time: 5, series: 'b', values: {} },
    ])
    expect(port.read('pump', { after: '1', limit: 10 }).map((one) => one.position)).toEqual(['2'])
    expect(port.read('other', { limit: 10 }).map((one) => one.position)).toEqual(['1'])
    expect(port.read('unknown', { limit: 10 })).toEqual([])
    expect([port.timeOf('pump', '2'), port.timeOf('pump', '3'), port.timeOf('pump', '02')]).toEqual([
      5,
      undefined,
      undefined,
    ])
  }))

it('leaves out nothing at or after `from`, even when event times go back', () =>
  withLog(async (log) => {
    await log.append('s', [record(10), record(30), record(20), record(25), record(40)])
    const from = (time: number) => log.read('s', { from: ms(time), limit: 10 }).map((one) => one.time)
    expect(from(21)).toEqual([30, 20, 25, 40])
    expect(from(31)).toEqual([40])
    expect(from(41)).toEqual([])
    expect(log.read('s', { after: '4', from: ms(0), limit: 10 }).map((one) => one.time)).toEqual([40])
  }))

it('limits a read and goes on behind the last position', () =>
  withLog(async (log) => {
    await log.append(
      's',
      Array.from({ length: 7 }, (_, index) => record(index)),
    )
    expect(log.read('s', { limit: 3 }).map((one) => one.position)).toEqual(['1', '2', '3'])
    expect(log.read('s', { after: '6', limit: 3 }).map((one) => one.position)).toEqual(['7'])
    expect(log.tail('s', 2).map((one) => one.position)).toEqual(['6', '7'])
  }))

it('never gives a position twice, not after pruning everything and not after a restart', () =>
  inTempDir(async (dir) => {
    const clock = handClock()
    const file = join(dir, 'history.db')
    {
      await using log = openRecordLog(file, { clock: clock.read })
      await log.append('s', [record(1), record(2)])
      clock.now = 5_000
      expect(await log.prune('s', ms(5_000))).toBe(2)
    }
    await using log = openRecordLog(file, { clock: clock.read })
    await log.append('s', [record(3)])
    expect(log.read('s', { limit: 9 }).map((one) => one.position)).toEqual(['3'])
    expect(await log.drop('s')).toBe(1)
    await log.append('s', [record(4)])
    expect(log.read('s', { limit: 9 }).map((one) => one.position)).toEqual(['4'])
  }))

it('prunes by arrival, not by event time, and in more than one step', () =>
  withLog(async (log, _file, clock) => {
    await log.append(
      's',
      Array.from({ length: 4_500 }, (_, index) => record(9_000_000 + index)),
    )
    clock.now = 2_000
    await log.append('s', [record(1)])
    expect(await log.prune('s', ms(2_000))).toBe(4_500)
    expect(log.read('s', { limit: 9 }).map((one) => one.time)).toEqual([1])
    // What was removed is remembered by its latest event time, which sampling needs, also over a restart.
    expect(log.removedUntil('s')).toBe(9_004_499)
    expect(log.removedUntil('t')).toBeUndefined()
  }))

it('resolves an append only when another connection can read it', () =>
  withLog(async (log, file) => {
    const other = new Sqlite(file, { readonly: true })
    const count = () => other.prepare('SELECT count(*) FROM records').pluck().get()
    const appended = log.append('s', [record(1)])
    expect(count()).toBe(0)
    await appended
    expect(count()).toBe(1)
    other.close()
  }))

it('writes many waiting appends in one transaction and tells each stream once', () =>
  withLog(async (log, file) => {
    const other = new Sqlite(file, { readonly: true })
    const version = () => other.pragma('data_version', { simple: true })
    let told = 0
    const stop = log.onAppend('s', () => {
      told += 1
    })
    const before = version()
    await Promise.all(Array.from({ length: 200 }, (_, index) => log.append('s', [record(index)])))
    await waitFor(() => told > 0)
    expect(version()).not.toBe(before)
    expect(told).toBe(1)
    stop()
    await log.append('s', [record(1)])
    expect(told).toBe(1)
    expect(
      log
        .read('s', { limit: 500 })
        .map((one) => one.time)
        .slice(0, 3),
    ).toEqual([0, 1, 2])
    other.close()
  }))

it('rejects an append that could not be written and goes on counting where it was', () =>
  withLog(async (log, file) => {
    await log.append('s', [record(1)])
    const other = new Sqlite(file)
    other.exec("CREATE TRIGGER full BEFORE INSERT ON records BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    await expect(log.append('s', [record(2)])).rejects.toThrow('disk full')
    other.exec('DROP TRIGGER full')
    await log.append('s', [record(3)])
    expect(log.read('s', { limit: 9 }).map((one) => [one.position, one.time])).toEqual([
      ['1', 1],
      ['2', 3],
    ])
    other.close()
  }))

it('writes what is waiting before it closes, and takes nothing afterwards', () =>
  inTempDir(async (dir) => {
    const file = join(dir, 'history.db')
    const log = openRecordLog(file, { clock: handClock().read })
    const waiting = log.append('s', [record(1)])
    await log[Symbol.asyncDispose]()
    await waiting
    await expect(log.append('s', [record(2)])).rejects.toThrow('closed')
    await using again = openRecordLog(file, { clock: handClock().read })
    expect(again.read('s', { limit: 9 })).toHaveLength(1)
  }))

it('is readable by its owner only and syncs fully', () =>
  withLog(async (log, file) => {
    await log.append('s', [record(1)])
    for (const suffix of ['', '-wal', '-shm']) expect(statSync(file + suffix).mode & 0o777).toBe(0o600)
    const other = new Sqlite(file)
    expect(other.pragma('journal_mode', { simple: true })).toBe('wal')
    other.close()
  }))

it('refuses a file of a newer version and changes nothing in it', () =>
  inTempDir(async (dir) => {
    const file = join(dir, 'history.db')
    const newer = new Sqlite(file)
    newer.exec('CREATE TABLE theirs (a)')
    newer.pragma('user_version = 7')
    newer.close()
    expect(() => openRecordLog(file, { clock: handClock().read })).toThrow(
      `The history file ${file} was written by a newer version of this program (schema 7, this one knows 1). Nothing was changed.`,
    )
    const after = new Sqlite(file)
    expect(after.pragma('user_version', { simple: true })).toBe(7)
    expect(after.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all()).toEqual([
      'theirs',
    ])
    after.close()
  }))

it('says what to do when the file is no database', () =>
  inTempDir(async (dir) => {
    const file = join(dir, 'history.db')
    await writeFile(file, 'this is not a database, whatever its name says')
    expect(() => openRecordLog(file, { clock: handClock().read })).toThrow('is damaged or is no database')
  }))
