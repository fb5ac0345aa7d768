/** What an entry of the table says, how the table is checked against the tests it names, and how it reads as a document. */
import { type Title, titlesIn } from './titles.js'

export type Statement = {
  /** The number under which the table is referred to; never given to another statement. */
  readonly number: number
  /** How binding the specification is about it. */
  readonly level: 'must' | 'should' | 'may'
  /** In our own words, what DSP 2025-1 asks for. */
  readonly says: string
  /** What this connector does where that leaves a choice, or where it does not apply to a connector like this one. */
  readonly here?: string
  /** File below `test/` and titles of the tests that fail when it is broken. */
  readonly tests: Readonly<Record<string, readonly string[]>>
}

export type Chapter = { readonly title: string; readonly statements: readonly Statement[] }

/** As many as the checklist of the specification has. */
export const COUNT = 66

/** What is wrong with the table. `read` answers the source of a file below `test/`, or undefined when there is none. */
export function gapsIn(
  statements: readonly Statement[],
  read: (file: string) => string | undefined,
): readonly string[] {
  const numbers = statements.map((statement) => statement.number)
  const missing = Array.from({ length: COUNT }, (_, i) => i + 1).filter((n) => !numbers.includes(n))
  const extra = numbers.filter((n, i) => n < 1 || n > COUNT || numbers.indexOf(n) !== i)
  return [
    ...missing.map((n) => `${n} is missing`),
    ...extra.map((n) => `${n} is there twice or does not exist`),
    ...statements.flatMap((statement) => gapsOf(statement, read).map((gap) => `${statement.number}: ${gap}`)),
  ]
}

function gapsOf({ says, tests }: Statement, read: (file: string) => string | undefined): readonly string[] {
  const named = Object.entries(tests)
  const none = named.every(([, titles]) => titles.length === 0) ? ['has no test'] : []
  const silent = says.trim() === '' ? ['says nothing'] : []
  return [
    ...silent,
    ...none,
    ...named.flatMap(([file, wanted]) => {
      const source = read(file)
      if (source === undefined) return [`there is no file ${file}`]
      const titles = titlesIn(source)
      return wanted.flatMap((title) => gapOf(title, titles).map((gap) => `${file}: ${gap}`))
    }),
  ]
}

function gapOf(wanted: string, titles: readonly Title[]): readonly string[] {
  const found = titles.filter((title) => title.path === wanted || title.own === wanted)
  if (found.length === 0) return [`there is no test "${wanted}"`]
  if (found.some((title) => title.skipped)) return [`the test "${wanted}" is skipped`]
  const paths = new Set(found.map((title) => title.path))
  return paths.size > 1 ? [`"${wanted}" is the title of several tests: ${[...paths].join('; ')}`] : []
}

/** The table as Markdown, with the titles of the groups around each test. `read` as above. */
export function asDocument(chapters: readonly Chapter[], read: (file: string) => string | undefined): string {
  const whole = (file: string) => {
    const titles = titlesIn(read(file) ?? '')
    return (wanted: string): string =>
      titles.find((title) => title.path === wanted || title.own === wanted)?.path ?? wanted
  }
  return [
    '# DSP 2025-1, statement by statement',
    '',
    'What the Eclipse Dataspace Protocol 2025-1 asks of a connector, in our own words, and the tests that fail when',
    'Handschlag does not do it. Those below `test/protocol` and `test/dataspace` run against whole connectors over HTTPS,',
    'most of them with a scripted partner on the other side; the others hold one part of a connector. A test checks this',
    'list: every statement has tests, and every test that is named here exists and is run. "must", "should" and "may" say',
    'how binding the specification is. `npm run conformance` writes this file.',
    ...chapters.flatMap(({ title, statements }) => [
      '',
      `## ${title}`,
      ...statements.flatMap((statement) => entry(statement, whole)),
    ]),
    '',
  ].join('\n')
}

const entry = (
  { number, level, says, here, tests }: Statement,
  whole: (file: string) => (title: string) => string,
): readonly string[] => [
  '',
  `### ${number} (${level})`,
  '',
  says,
  ...(here === undefined ? [] : ['', `Here: ${here}`]),
  '',
  ...Object.entries(tests).flatMap(([file, titles]) => [
    `- \`test/${file}\``,
    ...titles.map(whole(file)).map((title) => `  - ${title.replaceAll('<', '\\<').replaceAll('*', '\\*')}`),
  ]),
]
