/** The route table of the management API: status, contracts in the making and in force, transfers, tokens, operation. */
import { ok, problem } from '../core/result.js'
import { type Route, reads, writes } from './route.js'
import { DUTY_ROUTES } from './routes-duties.js'
import { FACT_ROUTES } from './routes-facts.js'
import { OFFERING_ROUTES } from './routes-offering.js'
import { SHAPE_ROUTES } from './routes-shapes.js'
import { TEMPLATE_ROUTES } from './routes-templates.js'
import type { Schema } from './schema.js'
import { NEGOTIATION_STATES, TRANSFER_STATES } from './schemas-answers.js'

const NEGOTIATION = '/api/v1/negotiations/{pid}'
const CONTRACT = '/api/v1/contracts/{id}'
const TRANSFER = '/api/v1/transfers/{pid}'

const negotiations = { tag: 'Negotiations' } as const
const contracts = { tag: 'Contracts' } as const
const transfers = { tag: 'Transfers' } as const
const access = { tag: 'Access' } as const
const operation = { tag: 'Operation' } as const

const stateQuery = (states: readonly string[]) => ({
  state: { type: 'string', enum: states, description: 'Only those in this state.' },
})

const FROM: Schema = {
  type: 'string',
  maxLength: 64,
  description: 'Earliest event time: a date and time with offset, or milliseconds since 1970.',
}
const AFTER: Schema = {
  type: 'string',
  maxLength: 64,
  description: 'Go on right behind the record with this id.',
}

const ROUTES_HERE: readonly Route[] = [
  reads('/api/v1/status', {
    ...operation,
    id: 'showStatus',
    summary: 'Who this connector is and how it is doing.',
    answer: 'Status',
    run: ({ ops }) => ok(ops.status.show()),
  }),

  writes('post', '/api/v1/negotiations', {
    ...negotiations,
    id: 'startNegotiation',
    summary: 'Ask a partner for a contract on an offer of its catalog.',
    request: 'NewNegotiation',
    answer: 'Negotiation',
    created: true,
    run: ({ ops, body, by }) => ops.negotiations.start(body, by),
  }),
  reads('/api/v1/negotiations', {
    ...negotiations,
    id: 'listNegotiations',
    summary: 'Negotiations of both roles, newest first.',
    query: stateQuery(NEGOTIATION_STATES),
    answer: 'Negotiations',
    run: ({ ops, query }) => ok(ops.negotiations.list(query.state)),
  }),
  reads(NEGOTIATION, {
    ...negotiations,
    id: 'showNegotiation',
    summary: 'One negotiation with its history and the messages still owed.',
    answer: 'NegotiationDetail',
    run: ({ ops, param }) => ops.negotiations.show(param('pid')),
  }),
  writes('post', '/api/v1/negotiations/offers', {
    ...negotiations,
    id: 'offerContract',
    summary: 'As provider: offer a contract to a partner that has not asked for one.',
    request: 'NewProposal',
    answer: 'Negotiation',
    created: true,
    run: ({ ops, body, by }) => ops.negotiations.offer(body, by),
  }),
  writes('post', `${NEGOTIATION}/counter`, {
    ...negotiations,
    id: 'counterNegotiation',
    summary:
      'Propose other terms than the partner: as provider a counter-offer, as consumer a counter-request.',
    request: 'Proposal',
    answer: 'Negotiation',
    run: ({ ops, param, body, by }) => ops.negotiations.counter(param('pid'), body, by),
  }),
  writes('post', `${NEGOTIATION}/accept`, {
    ...negotiations,
    id: 'acceptOffer',
    summary: 'As consumer: accept the offer that the partner made.',
    request: 'Acceptance',
    answer: 'Negotiation',
    run: ({ ops, param, body, by }) => ops.negotiations.accept(param('pid'), body, by),
  }),
  writes('post', `${NEGOTIATION}/approve`, {
    ...negotiations,
    id: 'approveRequest',
    summary:
      'As provider: agree to exactly the terms on the table, also when they are not the published ones.',
    request: 'Approval',
    answer: 'Negotiation',
    run: ({ ops, param, body, by }) => ops.negotiations.approve(param('pid'), body.offerHash, by),
  }),
  writes('post', `${NEGOTIATION}/refuse`, {
    ...negotiations,
    id: 'refuseNegotiation',
    summary: 'No contract on these terms: ends the negotiation, and the partner is told the reason.',
    request: 'Reason',
    answer: 'Negotiation',
    run: ({ ops, param, body, by }) => ops.negotiations.refuse(param('pid'), body.reason, by),
  }),
  writes('post', `${NEGOTIATION}/terminate`, {
    ...negotiations,
    id: 'terminateNegotiation',
    summary: 'End the negotiation; the partner is told the reason.',
    request: 'Reason',
    answer: 'Negotiation',
    run: ({ ops, param, body, by }) => ops.negotiations.terminate(param('pid'), body.reason, by),
  }),
  writes('post', `${NEGOTIATION}/retry`, {
    ...negotiations,
    id: 'retryNegotiation',
    summary:
      'Send what is owed to the partner now instead of at the next attempt; or try again what could not go on by itself.',
    answer: 'Negotiation',
    run: ({ ops, param, by }) => ops.negotiations.retry(param('pid'), by),
  }),
  writes('post', `${NEGOTIATION}/give-up`, {
    ...negotiations,
    id: 'giveUpNegotiation',
    summary:
      'Deliver what is owed no longer: ends the negotiation here, and tells the partner if it can be told.',
    request: 'Reason',
    answer: 'Negotiation',
    run: ({ ops, param, body, by }) => ops.negotiations.giveUp(param('pid'), body.reason, by),
  }),

  reads('/api/v1/contracts', {
    ...contracts,
    id: 'listContracts',
    summary: 'Contracts of both roles, newest first.',
    answer: 'Contracts',
    run: ({ ops }) => ok(ops.contracts.list()),
  }),
  reads(CONTRACT, {
    ...contracts,
    id: 'showContract',
    summary: 'One contract in words and exactly.',
    answer: 'ContractDetail',
    run: ({ ops, param }) => ops.contracts.show(param('id')),
  }),
  reads(`${CONTRACT}/verify`, {
    ...contracts,
    id: 'verifyContract',
    summary: 'Check the stored text and every signature again.',
    answer: 'Verification',
    run: ({ ops, param }) => ops.contracts.verify(param('id')),
  }),
  writes('post', `${CONTRACT}/revoke`, {
    ...contracts,
    id: 'revokeContract',
    summary: 'End the contract early: it allows nothing more at once, and the partner is told the reason.',
    request: 'Reason',
    answer: 'Contract',
    run: ({ ops, param, body, by }) => ops.contracts.revoke(param('id'), body.reason, by),
  }),

  writes('post', '/api/v1/transfers', {
    ...transfers,
    id: 'startTransfer',
    summary: 'Ask the provider for the data of a contract.',
    request: 'NewTransfer',
    answer: 'Transfer',
    created: true,
    run: ({ ops, body, by }) => ops.transfers.start(body, by),
  }),
  reads('/api/v1/transfers', {
    ...transfers,
    id: 'listTransfers',
    summary: 'Transfers of both roles, newest first.',
    query: stateQuery(TRANSFER_STATES),
    answer: 'Transfers',
    run: ({ ops, query }) => ok(ops.transfers.list(query.state)),
  }),
  reads(TRANSFER, {
    ...transfers,
    id: 'showTransfer',
    summary: 'One transfer with its history and the messages still owed.',
    answer: 'TransferDetail',
    run: ({ ops, param }) => ops.transfers.show(param('pid')),
  }),
  ...(
    [
      ['suspend', 'Stop the flow of data for now.'],
      ['resume', 'Let the data of a suspended transfer flow again.'],
      ['complete', 'End the transfer as done.'],
      ['terminate', 'End the transfer; the partner is told the reason.'],
    ] as const
  ).map(([move, summary]) =>
    writes('post', `${TRANSFER}/${move}`, {
      ...transfers,
      id: `${move}Transfer`,
      summary,
      request: 'OptionalReason',
      answer: 'Transfer',
      run: ({ ops, param, body, by }) => ops.transfers.move(param('pid'), move, body.reason, by),
    }),
  ),
  writes('post', `${TRANSFER}/retry`, {
    ...transfers,
    id: 'retryTransfer',
    summary:
      'Send what is owed to the partner now instead of at the next attempt; or try again what could not go on by itself.',
    answer: 'Transfer',
    run: ({ ops, param, by }) => ops.transfers.retry(param('pid'), by),
  }),
  writes('post', `${TRANSFER}/give-up`, {
    ...transfers,
    id: 'giveUpTransfer',
    summary:
      'Deliver what is owed no longer: ends the transfer here, and tells the partner if it can be told.',
    request: 'Reason',
    answer: 'Transfer',
    run: ({ ops, param, body, by }) => ops.transfers.giveUp(param('pid'), body.reason, by),
  }),
  {
    ...transfers,
    kind: 'data',
    as: 'pull',
    method: 'get',
    path: `${TRANSFER}/data`,
    id: 'readData',
    summary:
      'The data of a running transfer, as the provider answers: records or a file. Its Link header leads to what follows.',
    query: {
      from: FROM,
      to: { ...FROM, description: 'End of the event time, itself excluded.' },
      limit: { type: 'integer', minimum: 1, maximum: 100_000, description: 'Records in one answer.' },
      after: AFTER,
    },
  },
  {
    ...transfers,
    kind: 'data',
    as: 'stream',
    method: 'get',
    path: `${TRANSFER}/stream`,
    id: 'streamData',
    summary:
      'Live records as server-sent events; goes on behind Last-Event-ID. The last event is `end` with code and reason.',
    query: { from: FROM, after: AFTER },
  },

  reads('/api/v1/tokens', {
    ...access,
    id: 'listTokens',
    summary: 'Names of the access tokens.',
    answer: 'Tokens',
    run: ({ ops }) => ok(ops.tokens.list()),
  }),
  writes('post', '/api/v1/tokens', {
    ...access,
    id: 'createToken',
    summary: 'Create an access token. It is shown once.',
    request: 'NewToken',
    answer: 'CreatedToken',
    created: true,
    run: ({ ops, body, by }) => ops.tokens.create(body.name, by),
  }),
  writes('delete', '/api/v1/tokens/{name}', {
    ...access,
    id: 'deleteToken',
    summary: 'Delete an access token; it is refused at once.',
    run: ({ ops, param, by }) => ops.tokens.remove(param('name'), by),
  }),
  writes('post', '/api/v1/setup', {
    ...access,
    access: 'open',
    id: 'redeemSetupCode',
    summary: 'Exchange the one-time code from the console for the first access token.',
    request: 'SetupRequest',
    answer: 'SetupAnswer',
    async run({ ops, setup, body }) {
      if (setup === undefined) {
        return problem('Unauthenticated', {
          en: 'There is no setup code: this connector has an access token already. Sign in with that one.',
          de: 'Es gibt keinen Einrichtungscode: Dieser Connector hat schon ein Zugangstoken. Melden Sie sich damit an.',
        })
      }
      const made = await setup.redeem(body.code, () => ops.tokens.create(body.name, 'setup'))
      return made.ok ? ok({ token: made.value.token }) : made
    },
  }),

  {
    ...access,
    kind: 'own',
    says: 'setup',
    access: 'open',
    method: 'get',
    path: '/setup',
    id: 'explainSetup',
    summary: 'How to exchange the one-time code for a token, as text.',
    answer: undefined,
  },
  {
    ...operation,
    kind: 'own',
    says: 'openapi',
    access: 'open',
    method: 'get',
    path: '/api/v1/openapi.json',
    id: 'readOpenApi',
    summary: 'This description.',
    answer: 'Document',
  },
  {
    ...operation,
    kind: 'own',
    says: 'live',
    access: 'open',
    method: 'get',
    path: '/health/live',
    id: 'readLive',
    summary: 'Whether the process works; 503 when it should be restarted.',
    answer: 'Live',
  },
  {
    ...operation,
    kind: 'own',
    says: 'ready',
    access: 'open',
    method: 'get',
    path: '/health/ready',
    id: 'readReady',
    summary: 'Whether partners can be served; 503 with the reasons when not.',
    answer: 'Ready',
  },
  {
    ...operation,
    kind: 'own',
    says: 'metrics',
    access: 'local',
    method: 'get',
    path: '/metrics',
    id: 'readMetrics',
    summary: 'Numbers for Prometheus. From another machine with a token only.',
    answer: undefined,
  },
]

export const ROUTES: readonly Route[] = [
  ...ROUTES_HERE,
  ...DUTY_ROUTES,
  ...OFFERING_ROUTES,
  ...SHAPE_ROUTES,
  ...TEMPLATE_ROUTES,
  ...FACT_ROUTES,
]
