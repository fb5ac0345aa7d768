/** Rows of the route table for shape documents. */
import { ok } from '../core/result.js'
import { type Route, reads, writes } from './route.js'

const SHAPE = '/api/v1/shapes/{hash}'
const shapes = { tag: 'Shapes' } as const

export const SHAPE_ROUTES: readonly Route[] = [
  reads('/api/v1/shapes', {
    ...shapes,
    id: 'listShapes',
    summary: 'All shape documents, our own ones and those that partners handed over.',
    answer: 'Shapes',
    run: ({ ops }) => ok(ops.shapes.list()),
  }),
  writes('post', '/api/v1/shapes', {
    ...shapes,
    id: 'addShape',
    summary: 'Store a shape document. It never changes; the same one again has the same name.',
    request: 'NewShape',
    answer: 'Shape',
    created: true,
    run: ({ ops, body, by }) => ops.shapes.add(body.document, by),
  }),
  reads(SHAPE, {
    ...shapes,
    id: 'showShape',
    summary: 'One shape document, with what it asks for in words.',
    answer: 'Shape',
    run: ({ ops, param }) => ops.shapes.show(param('hash')),
  }),
  writes('delete', SHAPE, {
    ...shapes,
    id: 'removeShape',
    summary: 'Remove a shape document that no offer, contract or open negotiation names.',
    run: ({ ops, param, by }) => ops.shapes.remove(param('hash'), by),
  }),
]
