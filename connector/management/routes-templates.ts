/** Rows of the route table for policies: templates, and who may have what under them. */
import { ok } from '../core/result.js'
import { type Route, reads, writes } from './route.js'

const TEMPLATE = '/api/v1/policy-templates/{id}'
const templates = { tag: 'Templates' } as const

export const TEMPLATE_ROUTES: readonly Route[] = [
  reads('/api/v1/policy-templates', {
    ...templates,
    id: 'listTemplates',
    summary: 'The policy templates that come with the program, with their parameters.',
    answer: 'Templates',
    run: ({ ops }) => ok(ops.templates.list()),
  }),
  reads(TEMPLATE, {
    ...templates,
    id: 'showTemplate',
    summary: 'One policy template.',
    answer: 'Template',
    run: ({ ops, param }) => ops.templates.show(param('id')),
  }),
  writes('post', `${TEMPLATE}/policy`, {
    ...templates,
    id: 'fillTemplate',
    summary: 'A policy made of a template, with its clauses in words. Nothing is stored.',
    request: 'TemplateValues',
    answer: 'TemplatePolicy',
    run: ({ ops, param, body }) => ops.templates.fill(param('id'), body.values),
  }),
  reads('/api/v1/policy-decisions', {
    ...templates,
    tag: 'Policies',
    id: 'whoMay',
    summary:
      'For each partner and each offer and contract: allowed or not, why, and what would have to change. Decided as catalogs, negotiations and transfers decide it; trust, publication and what is counted are those of now.',
    query: {
      partner: { type: 'string', description: 'DID of one partner.' },
      dataset: { type: 'string', description: 'Id of one dataset.' },
      at: { type: 'string', format: 'date-time', description: 'At this time instead of now.' },
    },
    answer: 'WhoMay',
    run: ({ ops, query }) => ops.who.may(query),
  }),
]
