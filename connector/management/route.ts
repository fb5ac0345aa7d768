/** What one row of the route table says, and what a handler gets. The table is the source of the routes and of OpenAPI. */
import type { Result } from '../core/result.js'
import type { JsonObject } from '../core/types.js'
import type { DatasetInput } from '../services/datasets.js'
import type { Proposal } from '../services/negotiation-person.js'
import type { Operations } from '../services/operator.js'
import type { NewOffer, SourceInput } from '../services/operator-datasets.js'
import type { NewFact } from '../services/operator-facts.js'
import type { NewNegotiation, NewProposal } from '../services/operator-negotiations.js'
import type { Setup } from '../services/operator-tokens.js'
import type { NewTransfer } from '../services/operator-transfers.js'
import type { NewPartner, PartnerChange } from '../services/partners.js'
import type { UserRequest } from '../services/user-requests.js'
import type { Schema } from './schema.js'
import type { AnswerName } from './schemas-answers.js'
import type { RequestName } from './schemas-requests.js'

/** Bodies as they are after the check against the schema of the same name. */
type Bodies = {
  readonly Nothing: Readonly<Record<string, never>>
  readonly NewPartner: NewPartner
  readonly PartnerChange: PartnerChange
  readonly SourceInput: SourceInput
  readonly DatasetInput: Omit<DatasetInput, 'id'>
  readonly NewOffer: NewOffer
  readonly TemplateValues: { readonly values: JsonObject }
  readonly OfferChange: { readonly approval: 'automatic' | 'stricter-or-equal' | 'manual' }
  readonly NewShape: { readonly document: JsonObject }
  readonly NewNegotiation: NewNegotiation
  readonly NewProposal: NewProposal
  readonly Proposal: Proposal
  readonly Acceptance: { readonly offerHash?: string }
  readonly Approval: { readonly offerHash: string }
  readonly Reason: { readonly reason: string }
  readonly OptionalReason: { readonly reason?: string }
  readonly DutyWords: { readonly text: string }
  readonly DutyReport: { readonly text: string; readonly event?: string }
  readonly NewTransfer: NewTransfer
  readonly NewFact: NewFact
  readonly UserRequest: UserRequest
  readonly NewToken: { readonly name: string }
  readonly SetupRequest: { readonly code: string; readonly name: string }
}

export type Call<B extends RequestName> = {
  readonly ops: Operations
  readonly setup: Setup | undefined
  /** A parameter of the path, decoded. */
  readonly param: (name: string) => string
  readonly query: Readonly<Record<string, string>>
  readonly body: Bodies[B]
  /** Name of the token that signed in. */
  readonly by: string
}

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

type Common = {
  readonly method: Method
  /** With parameters in braces, as OpenAPI writes them. */
  readonly path: string
  /** Unique; the name of the operation for generated clients. */
  readonly id: string
  readonly tag: string
  readonly summary: string
  /** `open` to everybody, `local` without token from this machine only; everything else needs a token. */
  readonly access?: 'open' | 'local'
  readonly query?: Readonly<Record<string, Schema>>
}

export type JsonRoute = Common & {
  readonly kind: 'json'
  readonly request: RequestName | undefined
  /** 204 has no body. */
  readonly status: 200 | 201 | 204
  readonly answer: AnswerName | undefined
  readonly run: (call: Call<RequestName>) => Result<unknown> | Promise<Result<unknown>>
}

/** Data of a transfer, passed through. */
export type DataRoute = Common & { readonly kind: 'data'; readonly as: 'pull' | 'stream' }

/** What the program says about itself; the server has the answers. */
export type OwnRoute = Common & {
  readonly kind: 'own'
  readonly says: 'openapi' | 'live' | 'ready' | 'metrics' | 'setup'
  readonly answer: AnswerName | undefined
}

export type Route = JsonRoute | DataRoute | OwnRoute

type Run<B extends RequestName> = (call: Call<B>) => Result<unknown> | Promise<Result<unknown>>

/** A row that reads. */
export const reads = (
  path: string,
  row: Pick<Common, 'id' | 'tag' | 'summary' | 'query'> & {
    readonly answer: AnswerName
    readonly run: Run<'Nothing'>
  },
): JsonRoute => ({ kind: 'json', method: 'get', path, status: 200, request: undefined, ...row }) as JsonRoute

/** A row that changes something. Without `answer` it is answered 204. */
export const writes = <B extends RequestName = 'Nothing'>(
  method: Exclude<Method, 'get'>,
  path: string,
  row: Pick<Common, 'id' | 'tag' | 'summary' | 'access'> & {
    readonly request?: B
    readonly answer?: AnswerName
    readonly created?: true
    readonly run: Run<B>
  },
): JsonRoute => {
  const { created, request, ...rest } = row
  const status = rest.answer === undefined ? 204 : created === true ? 201 : 200
  const body = request ?? (method === 'delete' ? undefined : 'Nothing')
  return { kind: 'json', method, path, status, request: body, answer: undefined, ...rest } as JsonRoute
}

/** The parameters of a path, in order. */
export const parametersOf = (path: string): readonly string[] =>
  [...path.matchAll(/\{(\w+)\}/g)].flatMap(([, name]) => (name === undefined ? [] : [name]))
