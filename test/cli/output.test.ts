import { describe, expect, it } from 'vitest'
import { type BannerFacts, banner } from '../../connector/cli/banner.js'
import { explainStartFailure } from '../../connector/cli/errors.js'
import { renderPairs, renderTable } from '../../connector/cli/table.js'

const facts: BannerFacts = {
  version: '0.1.0',
  readyMs: 412,
  dspUrl: 'https://connector.example.com/dsp',
  listening: '0.0.0.0:8484',
  managementUrl: 'http://127.0.0.1:8485',
  participantId: 'did:web:connector.example.com',
  keyId: '2026-11-a',
  dataDir: '/var/lib/handschlag',
  schema: 4,
  datasets: 3,
  agreements: 1,
  owed: 0,
  setup: { url: 'http://127.0.0.1:8485/setup#b9f1c0ffee', validMinutes: 30 },
}

describe('the banner', () => {
  it('is a tree on a terminal', () => {
    expect(banner(facts, { isTTY: true, lang: 'en' })).toBe(
      `handschlag 0.1.0 ready in 0.4 s
├─ Partners (DSP)  https://connector.example.com/dsp       listening on 0.0.0.0:8484
├─ Management      http://127.0.0.1:8485                   API
├─ Identity        did:web:connector.example.com           key 2026-11-a
├─ Data            /var/lib/handschlag                     schema 4, 3 datasets, 1 agreement, 0 messages owed
└─ First visit     http://127.0.0.1:8485/setup#b9f1c0ffee  valid 30 minutes, works once`,
    )
  })

  it('ends with the data when there is no first visit to make', () => {
    const { setup: _, ...later } = facts
    const lines = banner(later, { isTTY: true, lang: 'de' }).split('\n')
    expect(lines[0]).toBe('handschlag 0.1.0 bereit in 0,4 s')
    expect(lines.at(-1)).toMatch(/^└─ Daten .* Schema 4, 3 Datensätze, 1 Vertrag, 0 Nachrichten zuzustellen$/)
  })

  it('is one JSON line elsewhere, without the secret of the setup link', () => {
    const line = banner(facts, { isTTY: false, lang: 'de' })
    expect(line).not.toContain('\n')
    expect(line).not.toContain('b9f1c0ffee')
    expect(JSON.parse(line)).toMatchObject({
      event: 'ready',
      listening: '0.0.0.0:8484',
      schema: 4,
      setupOpen: true,
    })
  })
})

describe('a failed start', () => {
  const config = {
    host: '0.0.0.0',
    port: 8484,
    managementHost: '127.0.0.1',
    managementPort: 8485,
    dataDir: '/data',
  }
  const failure = (code: string, more: object = {}): Error =>
    Object.assign(new Error(code), { code, ...more })
  const explain = (cause: unknown, lang: 'en' | 'de' = 'en') => explainStartFailure(cause, { lang, config })

  it('is told in the promised words when the port is taken', () => {
    expect(explain(failure('EADDRINUSE', { port: 8484 }))).toBe(
      "Port 8484 is taken by another program. Set HANDSCHLAG_PORT to a free port, or stop the other program (ss -ltnp 'sport = :8484').",
    )
    expect(explain(failure('EADDRINUSE', { port: 8485 }), 'de')).toBe(
      "Port 8485 ist von einem anderen Programm belegt. Setzen Sie HANDSCHLAG_MANAGEMENT_PORT auf einen freien Port, oder beenden Sie das andere Programm (ss -ltnp 'sport = :8485').",
    )
  })

  it('is told in the promised words when the database is damaged', () => {
    const sentence =
      'The database file failed its integrity check. Nothing was changed. Put the data directory of your newest backup in its place, then start again.'
    expect(explain(failure('SQLITE_CORRUPT'))).toBe(sentence)
    expect(explain(failure('SQLITE_CORRUPT_INDEX'))).toBe(sentence)
    expect(explain(failure('SQLITE_NOTADB'))).toBe(sentence)
  })

  it.each([
    ['EACCES', {}, 'The data directory /data is not writable for this user.'],
    ['EACCES', { port: 443 }, 'Port 443 needs rights that this user does not have.'],
    ['EROFS', {}, 'The data directory /data is on a read-only file system.'],
    [
      'ENOENT',
      {},
      'The data directory /data does not exist or is incomplete. Create it with: handschlag init.',
    ],
    ['ENOTDIR', {}, '/data is a file, but a data directory is needed there.'],
    ['SQLITE_CANTOPEN', {}, 'The data directory /data is not writable for this user.'],
    ['SQLITE_READONLY_DIRECTORY', {}, 'The data directory /data is not writable for this user.'],
    ['SQLITE_FULL', {}, 'There is no space left for /data.'],
    ['SQLITE_BUSY', {}, 'Another program is using the database in /data.'],
    [
      'EADDRNOTAVAIL',
      { port: 8485, address: '10.9.9.9' },
      'This machine does not have the address 10.9.9.9. Set HANDSCHLAG_MANAGEMENT_HOST',
    ],
  ])('%s is told with what to do', (code, more, beginning) => {
    const sentence = explain(failure(code, more))
    expect(sentence?.startsWith(beginning)).toBe(true)
    expect(explain(failure(code, more), 'de')).not.toBe(sentence)
  })

  it('names both schemas of a newer database', () => {
    const newer = Object.assign(new Error('newer'), { found: 7, known: 4 })
    expect(explain(newer)).toContain('has schema 7; this program knows up to 4. Nothing was changed.')
  })

  it('is found behind the error that carries it', () => {
    expect(explain(new Error('cannot start', { cause: failure('EADDRINUSE', { port: 8484 }) }))).toContain(
      'Port 8484',
    )
  })

  it('that is a bug is left to the stack', () => {
    expect(explain(new TypeError('x is not a function'))).toBeUndefined()
    expect(explain(failure('ERR_INTERNAL_ASSERTION'))).toBeUndefined()
  })
})

describe('tables', () => {
  it('align, without blanks at the end', () => {
    expect(
      renderTable(
        ['name', 'state'],
        [
          ['Müller', 'trusted'],
          ['机械', ''],
          ['x', 'blocked'],
        ],
      ),
    ).toBe('NAME    STATE\nMüller  trusted\n机械\nx       blocked')
  })

  it('print what a partner wrote without letting it steer the terminal', () => {
    expect(renderTable(['name'], [['a\u001b[2J\r\nb\u202e']])).toBe('NAME\na\ufffd[2J\ufffd\ufffdb\ufffd')
    expect(renderPairs([['k', 'a\u001b[2Jb']])).toBe('k  a\ufffd[2Jb')
  })

  it('keep the lines of a longer value below each other', () => {
    expect(
      renderPairs([
        ['id', '1'],
        ['clauses', 'first\nsecond'],
      ]),
    ).toBe('id       1\nclauses  first\n         second')
  })
})
