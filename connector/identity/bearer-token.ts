/**
 * One fixed secret each way, agreed between two operators. The partner's is found by its hash and compared in constant
 * time; ours is opened for one request and kept nowhere.
 */
import { ok, problem, type Result } from '../core/result.js'
import type { ParticipantId } from '../core/types.js'
import { equalsConstantTime, hashToken } from '../crypto/tokens.js'
import { type Authentication, stranger } from './authentication.js'

/** RFC 6750, "Authorization Request Header Field": b64token. */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/
/** A token that lets somebody in must not be guessable: 128 bits in base64url and more. */
const SHORTEST_INCOMING = 22
const LONGEST = 4096

export type BearerTokens = {
  /** The partner whose token has this hash. */
  readonly byHash: (hash: string) => { readonly id: ParticipantId; readonly hash: string } | undefined
  /** The token for a partner. */
  readonly tokenFor: (id: ParticipantId) => Result<string>
}

export function bearerAuthentication({ byHash, tokenFor }: BearerTokens): Authentication {
  return {
    verify(authorization) {
      const [, token] = /^Bearer +(\S+)$/i.exec(authorization) ?? []
      if (token === undefined || token.length > LONGEST) return undefined
      const hash = hashToken(token)
      const found = byHash(hash)
      // An unknown token may still be one that another kind understands.
      if (found === undefined) return undefined
      return Promise.resolve(
        equalsConstantTime(found.hash, hash)
          ? ok({ sender: found.id })
          : stranger('The token is not the one that was agreed.'),
      )
    },
    present({ id }) {
      const token = tokenFor(id)
      return token.ok ? ok(`Bearer ${token.value}`) : token
    },
  }
}

/** Whether a token can be used at all. Never repeats it. */
export function checkBearerToken(token: string, direction: 'incoming' | 'outgoing'): Result<void> {
  if (!TOKEN.test(token) || token.length > LONGEST) {
    return problem('InvalidInput', {
      en: `The ${direction} token is not one: letters, digits and -._~+/ only, at most ${LONGEST}, without "Bearer ".`,
      de: `Das ${direction === 'incoming' ? 'eingehende' : 'ausgehende'} Token ist keines: erlaubt sind Buchstaben, Ziffern und -._~+/, höchstens ${LONGEST} Zeichen, ohne „Bearer “.`,
    })
  }
  return direction === 'incoming' && token.length < SHORTEST_INCOMING
    ? problem('InvalidInput', {
        en: `The incoming token is too short to be safe: at least ${SHORTEST_INCOMING} random characters. Make one with: openssl rand -base64 32`,
        de: `Das eingehende Token ist zu kurz, um sicher zu sein: mindestens ${SHORTEST_INCOMING} zufällige Zeichen. Erzeugen Sie eines mit: openssl rand -base64 32`,
      })
    : ok(undefined)
}
