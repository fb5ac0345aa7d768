/** Rows of the route table for duties: the ledger, and what a person can do about one. */
import { ok } from '../core/result.js'
import { type Route, reads, writes } from './route.js'

const DUTY = '/api/v1/duties/{id}'
const duties = { tag: 'Duties' } as const

export const DUTY_ROUTES: readonly Route[] = [
  reads('/api/v1/duties', {
    ...duties,
    id: 'listDuties',
    summary: 'What is owed under our contracts after the delivery: by us to partners, and by partners to us.',
    answer: 'Duties',
    run: ({ ops }) => ok(ops.duties.list()),
  }),
  reads(DUTY, {
    ...duties,
    id: 'showDuty',
    summary: 'One duty with its statements, among them signed receipts with what was deleted.',
    answer: 'DutyDetail',
    run: ({ ops, param }) => ops.duties.show(param('id')),
  }),
  writes('post', `${DUTY}/confirm`, {
    ...duties,
    id: 'confirmDuty',
    summary:
      'As consumer: state in words that it is done; the partner gets the signed statement. As provider: write down a confirmation that came by another way.',
    request: 'DutyWords',
    answer: 'Duty',
    run: ({ ops, param, body, by }) => ops.duties.confirm(param('id'), body.text, by),
  }),
  writes('post', `${DUTY}/report`, {
    ...duties,
    id: 'reportDuty',
    summary: 'As consumer: tell the provider of an event, or send the report of the log of use.',
    request: 'DutyReport',
    answer: 'Duty',
    run: ({ ops, param, body, by }) => ops.duties.report(param('id'), body.text, body.event, by),
  }),
  writes('post', `${DUTY}/remind`, {
    ...duties,
    id: 'remindDuty',
    summary: 'As provider: ask the partner for what it owes.',
    request: 'DutyWords',
    answer: 'Duty',
    run: ({ ops, param, body, by }) => ops.duties.remind(param('id'), body.text, by),
  }),
  writes('post', `${DUTY}/waive`, {
    ...duties,
    id: 'waiveDuty',
    summary: 'As provider: the partner owes this no longer, and is told so.',
    request: 'DutyWords',
    answer: 'Duty',
    run: ({ ops, param, body, by }) => ops.duties.waive(param('id'), body.text, by),
  }),
]
