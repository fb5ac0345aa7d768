import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { anchorsOf, blocksOf, commandsOf, localLinks, proseOf } from './markdown.js'

const DOCUMENTS = [
  ...readdirSync('.').filter((file) => file.endsWith('.md')),
  ...['connector', 'examples', 'policies', 'certs-dev'].flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith('.md'))
      .map((file) => join(folder, file)),
  ),
]
const read = (file: string): string => readFileSync(file, 'utf8')

it.each(DOCUMENTS)('%s leads nowhere that does not exist', (file) => {
  const broken = localLinks(read(file)).filter((link) => {
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? file : join(dirname(file), path)
    if (!existsSync(target)) return true
    return anchor !== undefined && !anchorsOf(read(target)).has(anchor)
  })
  expect(broken).toEqual([])
})

it.each(DOCUMENTS)('%s talks down to nobody', (file) => {
  const words = /\b(just|simply|easy|easily|obviously|einfach|natürlich|offensichtlich|lediglich)\b/gi
  expect(proseOf(read(file)).match(words) ?? []).toEqual([])
})

it('gives the same commands in both languages', () => {
  const commands = (file: string) =>
    blocksOf(read(file))
      .filter(({ info }) => info.startsWith('sh'))
      .map((block) => [block.info, commandsOf(block).map((line) => line.replace(/\s+#.*/, ''))])
  expect(commands('README.de.md')).toEqual(commands('README.md'))
})

it('tells of both languages in each of them', () => {
  expect(read('README.md')).toContain('(README.de.md)')
  expect(read('README.de.md')).toContain('(README.md)')
})

it('ships every document that the README leads to', () => {
  const { files } = JSON.parse(read('package.json')) as { files: readonly string[] }
  const shipped = (path: string) => files.some((entry) => path === entry || path.startsWith(`${entry}/`))
  const linked = [...localLinks(read('README.md')), ...localLinks(read('README.de.md'))]
  expect(linked.filter((link) => !shipped(link.split('#')[0] ?? ''))).toEqual([])
})

it('has a changelog entry for the version of the package', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string }
  expect(read('CHANGELOG.md')).toMatch(new RegExp(`^## ${version.replaceAll('.', '\\.')}\\b`, 'm'))
})

it('says for every runtime dependency what it is there for', () => {
  const { dependencies, optionalDependencies } = JSON.parse(read('package.json')) as Record<
    string,
    Record<string, string>
  >
  const decisions = read('connector/DECISIONS.md')
  const names = Object.keys({ ...dependencies, ...optionalDependencies })
  expect(names.filter((name) => !decisions.includes(`\`${name}\``))).toEqual([])
})

it('copies into the image what exists, and lets it into the build', () => {
  const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+)$/gm)].flatMap(([, words = '']) =>
    words.split(' ').slice(0, -1),
  )
  const allowed = read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1))
  expect(copied.length).toBeGreaterThan(5)
  expect(copied.filter((path) => !existsSync(path) || !allowed.includes(path))).toEqual([])
})
