/** Rows of the route table for facts that the operator confirms. */
import { ok } from '../core/result.js'
import { type Route, reads, writes } from './route.js'

const FACT = '/api/v1/facts/{id}'
const facts = { tag: 'Facts' } as const

export const FACT_ROUTES: readonly Route[] = [
  reads('/api/v1/facts', {
    ...facts,
    id: 'listFacts',
    summary: 'Facts that stand, newest first.',
    query: {
      partner: { type: 'string', maxLength: 512, description: 'Only those about this partner.' },
      all: { type: 'string', enum: ['true', 'false'], description: 'Also those that were ended.' },
    },
    answer: 'Facts',
    run: ({ ops, query }) => ok(ops.facts.list(query)),
  }),
  writes('post', '/api/v1/facts', {
    ...facts,
    id: 'addFact',
    summary: 'Confirm something about a partner or an event. It counts at once, and is never changed.',
    request: 'NewFact',
    answer: 'Fact',
    created: true,
    run: ({ ops, body, by }) => ops.facts.add(body, by),
  }),
  writes('post', '/api/v1/user-requests', {
    ...facts,
    id: 'signUserRequest',
    summary:
      'As the user of a machine: sign the request that its data holder shares data with a third party. Nothing is sent or stored.',
    request: 'UserRequest',
    answer: 'SignedRequest',
    run: ({ ops, body }) => ops.facts.signRequest(body),
  }),
  reads(FACT, {
    ...facts,
    id: 'showFact',
    summary: 'One fact.',
    answer: 'Fact',
    run: ({ ops, param }) => ops.facts.show(param('id')),
  }),
  writes('post', `${FACT}/end`, {
    ...facts,
    id: 'endFact',
    summary: 'End a fact: it counts for nothing any more, at once. It stays in the history.',
    request: 'Reason',
    answer: 'Fact',
    run: ({ ops, param, body, by }) => ops.facts.end(param('id'), body.reason, by),
  }),
]
