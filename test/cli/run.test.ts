import { describe, expect, it } from 'vitest'
import { type Command, say } from '../../connector/cli/command.js'
import { cli } from './support.js'

const echo: Command = {
  name: 'partner add',
  summary: { en: 'add a partner', de: 'Partner hinzufügen' },
  usage: '<did> [--note TEXT]',
  operands: [1, 1],
  options: {
    note: { type: 'string', about: { en: 'a note', de: 'eine Notiz' } },
    tag: { type: 'string', multiple: true, about: { en: 'tags', de: 'Schlagwörter' } },
    now: { type: 'boolean', about: { en: 'at once', de: 'sofort' } },
  },
  json: true,
  run: async (call) => {
    say(
      call,
      JSON.stringify([
        call.operands,
        call.value('note'),
        call.values('tag'),
        call.flag('now'),
        call.json,
        call.lang,
      ]),
    )
    return 0
  },
}
const list: Command = { ...echo, name: 'partner list', operands: [0, 0] }
const commands = [echo, list]

describe('finding the command', () => {
  it('hands over operands, options and the language', async () => {
    const call = [
      'partner',
      'add',
      'did:web:x',
      '--note',
      'hi',
      '--tag',
      'a',
      '--tag=b',
      '--now',
      '--json',
      '--lang',
      'de',
    ]
    const { code, out } = await cli(call, { commands })
    expect([code, JSON.parse(out)]).toEqual([0, [['did:web:x'], 'hi', ['a', 'b'], true, true, 'de']])
  })

  it('suggests the command that was probably meant', async () => {
    expect(await cli(['docter'])).toEqual({
      code: 2,
      out: '',
      err: 'There is no command "docter". Did you mean "doctor"?\nSee: handschlag help\n',
    })
    expect((await cli(['partner', 'ad'], { commands })).err).toContain('partner add')
    expect((await cli(['patner', 'add'], { commands })).err).toContain('Did you mean "partner add"?')
  })

  it('names the second word when only the first was given', async () => {
    const { code, err } = await cli(['partner'], { commands })
    expect([code, err.split('\n')[0]]).toEqual([
      2,
      '"partner" needs a second word: handschlag partner add, handschlag partner list.',
    ])
  })
})

describe('a wrong command line', () => {
  it.each([
    [['partner', 'add'], 'Something is missing. Usage: handschlag partner add <did> [--note TEXT]'],
    [['partner', 'add', 'a', 'b'], '"b" is one word too many.'],
    [['partner', 'add', 'a', '--nota', 'x'], 'There is no option --nota. Did you mean --note?'],
    [['partner', 'add', 'a', '--note'], '--note needs a value.'],
    [['partner', 'add', 'a', '--now=1'], '--now takes no value.'],
    [['partner', 'add', 'a', '--lang', 'fr'], '--lang takes en or de.'],
  ])('%j is answered in words, with exit code 2', async (argv, sentence) => {
    const { code, out, err } = await cli(argv, { commands })
    expect([code, out, err]).toEqual([2, '', `${sentence}\nSee: handschlag help partner add\n`])
  })

  it('is answered in German when the locale is German', async () => {
    const { err } = await cli(['docter'], { env: { LANG: 'de_DE.UTF-8' } })
    expect(err).toBe('Es gibt keinen Befehl „docter“. Meinten Sie „doctor“?\nSiehe: handschlag help\n')
  })
})

describe('help', () => {
  it('lists every command with its summary, and the exit codes', async () => {
    const { code, out } = await cli(['help'])
    expect(code).toBe(0)
    for (const line of [
      'init create configuration, keys and data directory',
      'config print print every setting and where it comes from',
      '78 the configuration needs attention',
    ]) {
      expect(out.split('\n').map((told) => told.trim().replaceAll(/ {2,}/g, ' '))).toContain(line)
    }
  })

  it('is the same by --help, and goes to stderr with exit code 2 when nothing was asked', async () => {
    const asked = await cli(['--help'])
    const empty = await cli([])
    expect([asked.out === empty.err, asked.code, empty.code, empty.out]).toEqual([true, 0, 2, ''])
  })

  it('shows the options of a command, by help and by --help', async () => {
    const { out } = await cli(['help', 'partner', 'add'], { commands })
    expect(out).toBe((await cli(['partner', 'add', '--help'], { commands })).out)
    expect(out).toContain('Usage: handschlag partner add <did> [--note TEXT]')
    expect(out).toContain('--json')
    expect((await cli(['help', 'partner'], { commands })).out).toContain('handschlag partner list')
  })

  it('speaks German', async () => {
    expect((await cli(['help', '--lang', 'de'])).out).toContain('Exit-Codes:')
    expect((await cli(['help', 'init', '--lang=de'])).out).toContain('Aufruf: handschlag init')
  })
})

it('prints the version, by word and by option', async () => {
  expect((await cli(['version'])).out).toBe('handschlag 1.2.3\n')
  expect((await cli(['--version'])).out).toBe('handschlag 1.2.3\n')
  expect(JSON.parse((await cli(['version', '--json'])).out)).toMatchObject({ version: '1.2.3' })
})
