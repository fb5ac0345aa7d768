/** `token ...`: access tokens of the management API. A new one is shown once, alone on stdout, so that it can be piped. */
import { type Command, complain, EXIT, say, sayJson } from '../command.js'
import { renderTable } from '../table.js'
import { answer, connected, fail, inLang, next, path, quoted } from './connected.js'
import { entriesOf, viewOf } from './view.js'
import { whenWords } from './when.js'

const create: Command = {
  name: 'token create',
  summary: {
    en: 'create an access token for a program or a person',
    de: 'ein Zugangstoken für ein Programm oder eine Person anlegen',
  },
  usage: 'NAME [options]',
  operands: [1, 1],
  options: {},
  json: true,
  run: (call) =>
    connected(call, async (here) => {
      const [name = ''] = here.operands
      const made = await here.client.post('/api/v1/tokens', { name })
      if (!made.ok) return fail(here, made.error, 'token list')
      if (here.json) {
        sayJson(here, made.value)
        return EXIT.ok
      }
      say(here, viewOf(made.value).text('token'))
      complain(
        here,
        inLang(
          here,
          'Keep this token now: it is shown only this once. It allows everything in this connector.',
          'Bewahren Sie dieses Token jetzt auf: Es wird nur dieses eine Mal gezeigt. Es erlaubt alles in diesem Connector.',
        ),
      )
      return EXIT.ok
    }),
}

const list: Command = {
  name: 'token list',
  summary: { en: 'list access tokens by name', de: 'Zugangstoken dem Namen nach auflisten' },
  usage: '[options]',
  options: {},
  json: true,
  run: (call) =>
    connected(call, async (here) =>
      answer(here, await here.client.get('/api/v1/tokens'), (value) => {
        const tokens = entriesOf(value, 'tokens')
        if (tokens.length === 0) {
          say(here, inLang(here, 'There is no token.', 'Es gibt kein Token.'))
          return next(here, 'token create NAME')
        }
        say(
          here,
          renderTable(
            here.lang === 'de' ? ['Name', 'Angelegt'] : ['Name', 'Created'],
            tokens.map((token) => [token.text('name'), whenWords(token.text('createdAt'), here.lang)]),
          ),
        )
      }),
    ),
}

const remove: Command = {
  name: 'token remove',
  summary: { en: 'withdraw an access token', de: 'ein Zugangstoken zurückziehen' },
  usage: 'NAME [options]',
  operands: [1, 1],
  options: {},
  json: true,
  run: (call) =>
    connected(call, async (here) => {
      const [name = ''] = here.operands
      const removed = await here.client.delete(path`/tokens/${name}`)
      if (!removed.ok) return fail(here, removed.error, 'token list')
      return answer(here, removed, () =>
        say(
          here,
          inLang(
            here,
            `The token ${quoted(name)} is not accepted any more.`,
            `Das Token ${quoted(name)} wird nicht mehr angenommen.`,
          ),
        ),
      )
    }),
}

export const tokenCommands: readonly Command[] = [create, list, remove]
