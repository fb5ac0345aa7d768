import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, it } from 'vitest'
import { settingEntries } from '../connector/config/settings.js'
import { PROBLEMS } from '../connector/core/result.js'

/**
 * `main.ts`, `app.ts`, the folder they are split into, and the demonstration, which is a world of its own: they wire
 * everything together and are exempt from the map.
 */
const WIRING: readonly string[] = ['', 'assembly', 'demo']

/** Who may import whom. */
// biome-ignore format: a table reads best aligned
const MAY_IMPORT: Record<string, readonly string[]> = {
  core:       [],
  config:     ['core'],
  policy:     ['core'],
  domain:     ['core', 'policy'],
  crypto:     ['core'],
  identity:   ['core', 'crypto'],
  store:      ['core', 'domain'],
  services:   ['core', 'policy', 'domain', 'crypto', 'identity', 'store'],
  dsp:        ['core', 'domain', 'crypto', 'identity', 'services'],
  dispatch:   ['core', 'domain', 'services', 'store'],
  dataplane:  ['core', 'policy', 'crypto'],
  management: ['core', 'policy', 'services'],
  ui:         [],
  cli:        ['core', 'config', 'dataplane', 'policy'],
}

/** Longest file that still has one subject, lines. */
const MAX_LINES = 400

const files = readdirSync('connector', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({
    file,
    room: file.includes('/') ? (file.split('/')[0] ?? '') : '',
    text: readFileSync(join('connector', file), 'utf8'),
  }))

/** Static and dynamic imports. */
const IMPORT = /(?:from |import\()'([^']+)'/g

/** Code without comments, so that prose is no offence. */
const codeOf = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')

const offending = (isOffence: (file: (typeof files)[number]) => boolean): readonly string[] =>
  files.filter(isOffence).map(({ file }) => file)

it('keeps imports pointing inwards', () => {
  const offences = files.flatMap(({ file, room, text }) => {
    if (WIRING.includes(room)) return []
    return [...text.matchAll(IMPORT)].flatMap(([, specifier = '']) => {
      if (!specifier.startsWith('.')) return []
      const target = relative('connector', join('connector', dirname(file), specifier))
      const to = target.startsWith('..') ? target : (target.split('/')[0] ?? '')
      return to === room || MAY_IMPORT[room]?.includes(to) ? [] : [`${file} -> ${to}`]
    })
  })
  expect(offences).toEqual([])
})

it('knows every room', () => {
  const unknown = new Set(
    files.map(({ room }) => room).filter((room) => !WIRING.includes(room) && !(room in MAY_IMPORT)),
  )
  expect([...unknown]).toEqual([])
})

it('keeps the policy library free of packages and of everything that only Node has, but for its shelf of templates', () => {
  const foreign = (text: string) =>
    [...text.matchAll(IMPORT)].some(([, specifier = '']) => !specifier.startsWith('.'))
  expect(offending(({ room, text }) => room === 'policy' && foreign(codeOf(text)))).toEqual([
    'policy/templates/shelf.ts',
  ])
})

it('keeps SQL inside store/', () => {
  expect(
    offending(({ room, text }) => room !== 'store' && /\.(prepare\(\s*[`'"]|pragma\()/.test(codeOf(text))),
  ).toEqual([])
})

it('binds no LIMIT alone: SQLite would plan the statement anew for every value of it', () => {
  expect(
    offending(({ room, text }) => room === 'store' && /LIMIT (?:\?|@\w+\b)(?! \+ 0)/.test(codeOf(text))),
  ).toEqual([])
})

it('ends the process in main.ts only', () => {
  expect(offending(({ file, text }) => file !== 'main.ts' && /process\.exit\b/.test(codeOf(text)))).toEqual(
    [],
  )
})

it('reads the environment and the arguments where everything is wired together only', () => {
  expect(
    offending(({ room, text }) => !WIRING.includes(room) && /process\.(env|argv)\b/.test(codeOf(text))),
  ).toEqual([])
})

it('keeps every file readable in one sitting', () => {
  expect(offending(({ text }) => text.split('\n').length > MAX_LINES)).toEqual([])
})

it('leaves no open ends in the code', () => {
  // Split, so that this file is no offender itself.
  expect(offending(({ text }) => new RegExp(['TO', 'DO|FIX', 'ME|XX', 'X\\b'].join('')).test(text))).toEqual(
    [],
  )
})

it('does without any, enum and the non-null assertion', () => {
  expect(
    offending(({ text }) => {
      const code = codeOf(text).replaceAll(/'[^'\n]*'|`[^`]*`/g, "''")
      return /:\s*any\b|as any\b|<any>|any\[\]|^\s*(export )?(const )?enum /m.test(code)
    }),
  ).toEqual([])
})

it('opens every module by saying what it owns', () => {
  expect(offending(({ text }) => !text.replace(/^#!.*\n/, '').startsWith('/**'))).toEqual([])
})

it('loads nothing heavy at the top of a command line module', () => {
  const heavy =
    /^import (?!type ).*from '(express|@peculiar\/x509|mqtt|undici|ws|better-sqlite3|jose|ajv|pino|yaml|csv-parse)/m
  expect(offending(({ room, text }) => room === 'cli' && heavy.test(text))).toEqual([])
})

const REFERENCE = 'connector/REFERENCE.md'

it('documents every Problem code and every setting', () => {
  const text = readFileSync(REFERENCE, 'utf8')
  const words = [...Object.keys(PROBLEMS), ...settingEntries.flatMap(([name, { env }]) => [name, env])]
  expect(words.filter((word) => !text.includes(`\`${word}\``))).toEqual([])
})
