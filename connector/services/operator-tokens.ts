/** Access tokens of the management API: shown once, stored as hashes; and the one-time code that makes the first one. */
import { ok, type Problem, problem, type Result } from '../core/result.js'
import { type Clock, iso, type Text } from '../core/types.js'
import { equalsConstantTime, hashToken, randomToken } from '../crypto/tokens.js'
import type { Store } from '../store/store.js'
import { noted } from './operator-view.js'

export type TokenView = { readonly name: string; readonly createdAt: string }
export type NewToken = { readonly name: string; readonly token: string }

const NAME = /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/

export function tokenOperations(deps: { readonly store: Store; readonly clock: Clock }) {
  const { store, clock } = deps
  /** Names being written: a second writer of the same name must not replace the first one's token. */
  const underWay = new Set<string>()

  return {
    list: (): { readonly tokens: readonly TokenView[] } => ({
      tokens: store.apiTokens().map(({ name, createdAt }) => ({ name, createdAt: iso(createdAt) })),
    }),

    async create(name: string, by: string): Promise<Result<NewToken>> {
      if (!NAME.test(name)) {
        return problem('InvalidInput', {
          en: 'A token needs a name of up to 64 letters, digits, spaces, dots, dashes and underscores.',
          de: 'Ein Token braucht einen Namen aus bis zu 64 Buchstaben, Ziffern, Leerzeichen, Punkten, Binde- und Unterstrichen.',
        })
      }
      if (underWay.has(name) || store.apiTokens().some((known) => known.name === name)) {
        return problem('Conflict', {
          en: `There is already a token called ${name}. Delete that one first, or take another name.`,
          de: `Ein Token namens ${name} gibt es schon. Löschen Sie es zuerst, oder nehmen Sie einen anderen Namen.`,
        })
      }
      underWay.add(name)
      try {
        const token = randomToken()
        await store.putApiToken({ name, hash: hashToken(token), createdAt: clock() })
        return await noted(deps, ok({ name, token }), () => ({
          subject: `token:${name}`,
          event: 'token created',
          by,
        }))
      } finally {
        underWay.delete(name)
      }
    },

    async remove(name: string, by: string): Promise<Result<void>> {
      const known = store.apiTokens()
      if (!known.some((token) => token.name === name))
        return problem('NotFound', {
          en: `There is no token called ${name}.`,
          de: `Es gibt kein Token namens ${name}.`,
        })
      if (known.length === 1) {
        return problem('Conflict', {
          en: `${name} is the only token; without it nobody could sign in any more. Create another one first.`,
          de: `${name} ist das einzige Token; ohne es könnte sich niemand mehr anmelden. Legen Sie zuerst ein anderes an.`,
        })
      }
      await store.removeApiToken(name)
      return noted(deps, ok(undefined), () => ({ subject: `token:${name}`, event: 'token deleted', by }))
    },

    /** Whose token it is. Looks at every stored hash, so that the time says nothing about them. */
    authenticate(token: string): { readonly name: string } | undefined {
      const hash = hashToken(token)
      const [found] = store.apiTokens().filter((known) => equalsConstantTime(known.hash, hash))
      return found === undefined ? undefined : { name: found.name }
    },
  }
}

export type TokenOperations = ReturnType<typeof tokenOperations>

const SETUP_MS = 30 * 60_000
const SETUP_TRIES = 5

export type Setup = {
  /** What the operator reads on the console. */
  readonly code: string
  /** Runs `make` for whoever knows the code. The code is gone afterwards, also when it was guessed wrong too often. */
  redeem<T>(code: string, make: () => Promise<Result<T>>): Promise<Result<T>>
}

const spent: Problem = {
  code: 'Unauthenticated',
  message:
    'There is no setup code any more: it was used, is older than 30 minutes, or was wrong too often. Restart the connector for a new one.',
  messageDe:
    'Der Einrichtungscode gilt nicht mehr: Er wurde benutzt, ist älter als 30 Minuten oder war zu oft falsch. Einen neuen gibt es nach einem Neustart des Connectors.',
}

export function createSetup(clock: Clock, code: string = randomToken()): Setup {
  const expiresAt = clock() + SETUP_MS
  let tries = SETUP_TRIES
  return {
    code,
    async redeem(given, make) {
      if (tries === 0 || clock() >= expiresAt) return { ok: false, error: spent }
      if (!equalsConstantTime(given, code)) {
        tries -= 1
        const left: Text =
          tries === 0
            ? {
                en: 'It cannot be used any more; restart the connector for a new one.',
                de: 'Er gilt nicht mehr; einen neuen gibt es nach einem Neustart des Connectors.',
              }
            : {
                en: `${tries} ${tries === 1 ? 'try is' : 'tries are'} left.`,
                de: tries === 1 ? 'Ein Versuch bleibt.' : `${tries} Versuche bleiben.`,
              }
        return problem('Unauthenticated', {
          en: `The setup code is wrong. ${left.en}`,
          de: `Der Einrichtungscode ist falsch. ${left.de}`,
        })
      }
      // Taken before anything is awaited, so that the same code cannot be used twice at the same time.
      const before = tries
      tries = 0
      const made = await make()
      if (!made.ok) tries = before
      return made
    },
  }
}
