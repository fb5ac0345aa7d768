import { expect, it } from 'vitest'
import { connectorCommands } from '../../connector/cli/commands/table.js'
import { GLOBAL_OPTIONS } from '../../connector/cli/help.js'

const texts = connectorCommands.flatMap(({ name, summary, options }) => [
  { where: name, text: summary },
  ...Object.entries(options).map(([option, { about }]) => ({ where: `${name} --${option}`, text: about })),
])

it('names every command once', () => {
  const names = connectorCommands.map(({ name }) => name)
  expect(names).toHaveLength(new Set(names).size)
  expect(names.join(' ')).toContain('status partner add partner list')
})

it('says everything in English and in German', () => {
  const missing = texts.filter(({ text }) => text.en.trim() === '' || text.de.trim() === '')
  expect(missing.map(({ where }) => where)).toEqual([])
})

it('leaves the options of every command alone', () => {
  const taken = [...Object.keys(GLOBAL_OPTIONS), 'json']
  const clashes = connectorCommands.flatMap(({ name, options }) =>
    Object.keys(options)
      .filter((option) => taken.includes(option))
      .map((option) => `${name} --${option}`),
  )
  expect(clashes).toEqual([])
})

it('offers --json wherever stdout is no stream of data', () => {
  expect(connectorCommands.filter(({ json }) => json !== true).map(({ name }) => name)).toEqual([
    'pull',
    'stream',
  ])
})
