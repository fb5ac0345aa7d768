/** Turtle as a graph of JSON-LD nodes, the form in which the program reads foreign documents. */
import { readFileSync } from 'node:fs'
import { Parser, type Quad, type Term } from 'n3'

export const quadsOf = (file: string): readonly Quad[] => new Parser().parse(readFileSync(file, 'utf8'))

const TYPE = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#type'

const valueOfTerm = (term: Term): unknown => {
  if (term.termType !== 'Literal') return { '@id': term.value }
  const datatype = term.datatype.value
  return datatype.endsWith('#string') ? { '@value': term.value } : { '@value': term.value, '@type': datatype }
}

export function graphOf(quads: readonly Quad[]): { readonly '@graph': readonly object[] } {
  const nodes = new Map<string, Record<string, unknown[]>>()
  for (const { subject, predicate, object } of quads) {
    const node = nodes.get(subject.value) ?? {}
    nodes.set(subject.value, node)
    const [key, value] =
      predicate.value === TYPE ? ['@type', object.value] : [predicate.value, valueOfTerm(object)]
    node[key] = [...(node[key] ?? []), value]
  }
  return { '@graph': [...nodes].map(([id, members]) => ({ '@id': id, ...members })) }
}
