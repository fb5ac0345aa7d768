import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const files = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((one) =>
    one.isDirectory()
      ? files(join(folder, one.name))
      : one.name.endsWith('.ts')
        ? [join(folder, one.name)]
        : [],
  )

/** Rooms whose problems operators read; a sentence in one language only would leave half of them without it. */
const ROOMS = [
  'services',
  'domain',
  'dispatch',
  'management',
  'store',
  'dataplane/receive',
  'dataplane/stages',
]

/** `problem('Code', 'A sentence.')` and `message: 'A sentence.'` without the German one beside it. */
const CALL = /\bproblem\(\s*'\w+',\s*(['"`])/
const MEMBER = /\bmessage:\s*(['"`])(?:\\.|(?!\1)[\s\S])*\1\s*(?:,(?!\s*messageDe:)|\})/

it.each(ROOMS)('every problem of connector/%s is told in both languages', (room) => {
  const found = files(join('connector', room)).flatMap((file) => {
    const source = readFileSync(file, 'utf8')
    return [CALL, MEMBER].flatMap((pattern) => {
      const [one] = pattern.exec(source) ?? []
      return one === undefined ? [] : [`${file}: ${one.slice(0, 120)}`]
    })
  })
  expect(found).toEqual([])
})
