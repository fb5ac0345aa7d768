/**
 * Who sends a request, and how we say who we are: one implementation for each kind of partner. Which kind a partner is of
 * stands in the registry of partners and nowhere else, so nobody can choose a weaker proof than was agreed with them.
 */
import { err, type Problem, problem, type Result } from '../core/result.js'
import type { ParticipantId } from '../core/types.js'

export type Authenticated = {
  readonly sender: ParticipantId
  /** Policy profiles whose duties the sender's connector carries out, as the sender has signed it with this request. */
  readonly profiles?: readonly string[]
}

/**
 * Why a caller was not let in. Only when `proven` does the sender hold what proves its identity; then, and if it is
 * trusted, it may read the sentence. Everybody else gets the answer that strangers get.
 */
export type AuthenticationProblem = Problem & { readonly proven: boolean; readonly sender?: ParticipantId }

/** Whom a request of ours goes to. */
export type Recipient = {
  readonly id: ParticipantId
  /** Our id as the recipient knows us. */
  readonly ownId: ParticipantId
  /** The DSP base address that is called. */
  readonly baseUrl: string
}

export type Authentication = {
  /** Judges an Authorization header; undefined when it is of another kind. */
  verify(authorization: string): Promise<Result<Authenticated, AuthenticationProblem>> | undefined
  /** The Authorization header of one request. */
  present(to: Recipient): Result<string>
}

export type AuthenticationByKind<Kind extends string> = {
  verify(authorization: string | undefined): Promise<Result<Authenticated, AuthenticationProblem>>
  present(to: Recipient): Result<string>
  readonly kinds: readonly Kind[]
}

/**
 * The kinds are asked in the order given, and the first that takes the header for its own decides.
 * `kindOf` is undefined for whoever is no partner; whether a partner is trusted is for others to say.
 */
export function byKind<Kind extends string>(
  kinds: Readonly<Record<Kind, Authentication>>,
  kindOf: (id: ParticipantId) => Kind | undefined,
): AuthenticationByKind<Kind> {
  const names = Object.keys(kinds) as Kind[]
  return {
    kinds: names,
    async verify(authorization) {
      if (authorization === undefined || authorization === '') {
        return stranger('The Authorization header is missing.')
      }
      for (const name of names) {
        const verified = kinds[name].verify(authorization)
        if (verified === undefined) continue
        const outcome = await verified
        const sender = outcome.ok ? outcome.value.sender : outcome.error.sender
        return sender === undefined || kindOf(sender) === name
          ? outcome
          : stranger(`${sender} is no partner that identifies itself in this way.`)
      }
      return stranger('The Authorization header is of no kind that is known here.')
    },
    present(to) {
      const kind = kindOf(to.id)
      return kind === undefined
        ? problem('NotTrusted', {
            en: `${to.id} is not known here any more, so nothing is sent to it.`,
            de: `${to.id} ist hier nicht mehr bekannt; deshalb wird nichts dorthin gesendet.`,
          })
        : kinds[kind].present(to)
    },
  }
}

/** A refusal that tells the caller nothing. */
export const stranger = (reason: Problem | string): Result<never, AuthenticationProblem> =>
  typeof reason === 'string'
    ? err({ code: 'Unauthenticated', message: reason, proven: false })
    : err({ code: 'Unauthenticated', message: reason.message, detail: reason, proven: false })
