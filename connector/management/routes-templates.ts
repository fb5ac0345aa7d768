/** Rows of the route table for policy templates. */
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
]
