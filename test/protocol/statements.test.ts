/** Every statement of the specification has tests that hold it, and every test that the table names is there. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CATALOG } from './statements/catalog.js'
import { COMMON } from './statements/common.js'
import { NEGOTIATION } from './statements/negotiation.js'
import { asDocument, COUNT, gapsIn, type Statement } from './statements/table.js'
import { titlesIn } from './statements/titles.js'
import { TRANSFER } from './statements/transfer.js'

const CHAPTERS = [COMMON, CATALOG, NEGOTIATION, TRANSFER]
const STATEMENTS = CHAPTERS.flatMap((chapter) => chapter.statements)
const DOCUMENT = 'connector/CONFORMANCE.md'

const read = (file: string): string | undefined => {
  const path = join('test', file)
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

it('holds each of the 66 statements with tests that exist and are run', () => {
  expect(gapsIn(STATEMENTS, read)).toEqual([])
})

it('counts the statements from the first to the last, in order', () => {
  expect(STATEMENTS.map(({ number }) => number)).toEqual(Array.from({ length: 66 }, (_, i) => i + 1))
})

it('is what the document says; npm run conformance writes it anew', async () => {
  await expect(asDocument(CHAPTERS, read)).toMatchFileSnapshot(join('../..', DOCUMENT))
})

describe('a gap is found', () => {
  const sources: Readonly<Record<string, string>> = {
    'a.test.ts': "it('works', () => {})\nit.skip('is skipped', () => {})\n",
    'b.test.ts': "describe('x', () => {\n  it('twice', f)\n})\ndescribe('y', () => {\n  it('twice', f)\n})\n",
  }
  const whole = Array.from(
    { length: COUNT },
    (_, i): Statement => ({
      number: i + 1,
      level: 'must',
      says: 'Something.',
      tests: { 'a.test.ts': ['works'] },
    }),
  )
  const gaps = (change: Partial<Statement>) =>
    gapsIn(
      whole.map((one) => (one.number === 7 ? { ...one, ...change } : one)),
      (file) => sources[file],
    )

  it.each<readonly [string, Partial<Statement>, readonly string[]]>([
    ['there is none', {}, []],
    ['a number is missing', { number: 8 }, ['7 is missing', '8 is there twice or does not exist']],
    ['a number does not exist', { number: 67 }, ['7 is missing', '67 is there twice or does not exist']],
    ['a statement says nothing', { says: ' ' }, ['7: says nothing']],
    ['a statement has no file', { tests: {} }, ['7: has no test']],
    ['a statement has no test', { tests: { 'a.test.ts': [] } }, ['7: has no test']],
    ['a file is gone', { tests: { 'c.test.ts': ['works'] } }, ['7: there is no file c.test.ts']],
    ['a test is gone', { tests: { 'a.test.ts': ['work'] } }, ['7: a.test.ts: there is no test "work"']],
    [
      'a test is skipped',
      { tests: { 'a.test.ts': ['works', 'is skipped'] } },
      ['7: a.test.ts: the test "is skipped" is skipped'],
    ],
    [
      'a title is not the only one',
      { tests: { 'b.test.ts': ['twice'] } },
      ['7: b.test.ts: "twice" is the title of several tests: x > twice; y > twice'],
    ],
    ['it says which one', { tests: { 'b.test.ts': ['y > twice'] } }, []],
  ])('%s', (_what, change, expected) => {
    expect(gaps(change)).toEqual(expected)
  })
})

it('reads titles however they are written', () => {
  const source = [
    "// it('in a comment', f)",
    "it('one', async () => {",
    '  const text = "it(\'in a text\')"',
    '})',
    'describe.each([[\'a)\', `b@{f(")")}`], // ends not here )',
    '])("group %s", (x) => {',
    '  it(`has @{x.map((y) => `@{y}`).length} and @{z}`, f)',
    '  it(',
    "    'on a line of its own, with a \\' in it',",
    '    f,',
    '  )',
    '  describe.skip("off", () => {',
    '    test("within", f)',
    '  })',
    '  test.each([1, 2])("%i of them", f)',
    '  it(title, f)',
    '})',
    'it.todo("later")',
  ]
    .join('\n')
    .replaceAll('@{', '$' + '{')
  expect(titlesIn(source).map(({ path, skipped }) => (skipped ? `(${path})` : path))).toEqual([
    'one',
    'group %s > has … and …',
    "group %s > on a line of its own, with a ' in it",
    '(group %s > off > within)',
    'group %s > %i of them',
    '(later)',
  ])
})
