/** `shape ...`: shape documents, which say for single signals how values are rounded, changed and hidden. */
import { type Command, EXIT, say, sayJson } from '../command.js'
import { renderPairs, renderTable } from '../table.js'
import { answer, connected, fail, type Here, inLang, next, path } from './connected.js'
import { readDescription } from './file-input.js'
import { entriesOf, type View, viewOf } from './view.js'
import { whenWords } from './when.js'

const add: Command = {
  name: 'shape add',
  summary: {
    en: 'store a shape document, so that offers can name it',
    de: 'ein Aufbereitungsdokument speichern, damit Angebote es nennen können',
  },
  usage: 'FILE [options]',
  operands: [1, 1],
  options: {},
  json: true,
  run: (call) =>
    connected(call, async (here) => {
      const [file = ''] = here.operands
      const document = await readDescription(here, file)
      if (!document.ok) return fail(here, document.error)
      const added = await here.client.post('/api/v1/shapes', { document: document.value })
      if (!added.ok) return fail(here, added.error)
      if (here.json) {
        sayJson(here, added.value)
        return EXIT.ok
      }
      showShape(here, viewOf(added.value))
      next(here, `offer add DATASET --shape ${viewOf(added.value).text('hash')}`)
      return EXIT.ok
    }),
}

const list: Command = {
  name: 'shape list',
  summary: { en: 'list shape documents', de: 'Aufbereitungsdokumente auflisten' },
  usage: '[options]',
  options: {},
  json: true,
  run: (call) =>
    connected(call, async (here) =>
      answer(here, await here.client.get('/api/v1/shapes'), (value) => {
        const shapes = entriesOf(value, 'shapes')
        if (shapes.length === 0) {
          say(here, inLang(here, 'There is no shape document.', 'Es gibt kein Aufbereitungsdokument.'))
          return next(here, 'shape add FILE')
        }
        say(
          here,
          renderTable(
            here.lang === 'de' ? ['SHA-256', 'Von', 'Seit'] : ['SHA-256', 'From', 'Since'],
            shapes.map((shape) => [
              shape.text('hash'),
              originOf(here, shape),
              whenWords(shape.text('addedAt'), here.lang),
            ]),
          ),
        )
      }),
    ),
}

const show: Command = {
  name: 'shape show',
  summary: {
    en: 'show what a shape document asks for',
    de: 'zeigen, was ein Aufbereitungsdokument verlangt',
  },
  usage: 'SHA256 [options]',
  operands: [1, 1],
  options: {},
  json: true,
  run: (call) =>
    connected(call, async (here) => {
      const [hash = ''] = here.operands
      const found = await here.client.get(path`/shapes/${hash}`)
      if (!found.ok) return fail(here, found.error, 'shape list')
      return answer(here, found, (value) => {
        showShape(here, viewOf(value))
        say(here, `\n${JSON.stringify(viewOf(value).view('document').json, null, 2)}`)
      })
    }),
}

const remove: Command = {
  name: 'shape remove',
  summary: {
    en: 'remove a shape document that nothing names',
    de: 'ein Aufbereitungsdokument entfernen, das nirgends genannt wird',
  },
  usage: 'SHA256 [options]',
  operands: [1, 1],
  options: {},
  json: true,
  run: (call) =>
    connected(call, async (here) => {
      const [hash = ''] = here.operands
      const removed = await here.client.delete(path`/shapes/${hash}`)
      if (!removed.ok) return fail(here, removed.error, 'shape list')
      return answer(here, removed, () =>
        say(here, inLang(here, 'The shape document is removed.', 'Das Aufbereitungsdokument ist entfernt.')),
      )
    }),
}

const originOf = (here: Here, shape: View): string => shape.maybe('from') ?? inLang(here, 'us', 'uns')

function showShape(here: Here, shape: View): void {
  say(
    here,
    renderPairs([
      ['SHA-256', shape.text('hash')],
      [inLang(here, 'Name in terms', 'Name in Bedingungen'), shape.text('name')],
      [inLang(here, 'From', 'Von'), originOf(here, shape)],
      [inLang(here, 'Since', 'Seit'), whenWords(shape.text('addedAt'), here.lang)],
    ]),
  )
  say(here, `\n${shape.said('text', here.lang)}`)
}

export const shapeCommands: readonly Command[] = [add, list, show, remove]
