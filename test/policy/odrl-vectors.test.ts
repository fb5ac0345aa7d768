/**
 * Runs test/vectors/odrl: one JSON line per vector, in the form that `policy evaluate --batch` reads, so that any program
 * in any language can be held against them. The operand and unknown-term files are what vector-rules.ts says; the rest is
 * written by hand.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { evaluateLine } from '../../connector/policy/batch.js'
import { OPERANDS } from '../../connector/policy/registry.js'
import {
  BY_HAND,
  knownVectors,
  operandVectors,
  SUBJECTS,
  unknownVectors,
  type Vector,
} from './vector-rules.js'

const FOLDER = new URL('../vectors/odrl/', import.meta.url)
const OPTIONS = { lang: 'en', profiles: [], duties: 'before', report: false } as const

const lines = (vectors: readonly Vector[]): string =>
  vectors.map((one) => `${JSON.stringify(one)}\n`).join('')
const RULED: Readonly<Record<string, () => readonly Vector[]>> = {
  'operands.ndjson': operandVectors,
  'unknown.ndjson': () => [...unknownVectors(), ...knownVectors()],
}

const read = (file: string): readonly Vector[] =>
  readFileSync(new URL(file, FOLDER), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Vector)

describe.each(Object.entries(RULED))('%s', (file, make) => {
  it('says what the rules say; UPDATE_VECTORS=1 writes it', () => {
    const text = lines(make())
    if (process.env.UPDATE_VECTORS === '1') writeFileSync(new URL(file, FOLDER), text)
    expect(readFileSync(new URL(file, FOLDER), 'utf8') === text).toBe(true)
  })
})

it('has vectors for every left operand and every operator it takes', () => {
  const tried = SUBJECTS.map(({ iri, operators }) => `${iri} ${[...operators].sort().join(' ')}`)
  const known = OPERANDS.filter(({ iri }) => !BY_HAND.includes(iri)).map(
    ({ iri, operators }) => `${iri} ${Object.keys(operators).sort().join(' ')}`,
  )
  expect(tried.sort()).toEqual(known.sort())
  const byHand = read('clock.ndjson').map(({ policy }) => JSON.stringify(policy))
  expect(BY_HAND.filter((iri) => !byHand.some((policy) => policy.includes(iri)))).toEqual([])
})

it('has at least 400 vectors, each with a name of its own', () => {
  const names = readdirSync(FOLDER).flatMap((file) => read(file).map(({ id }) => `${file} ${id}`))
  expect(names.length).toBeGreaterThanOrEqual(400)
  expect(new Set(names).size).toBe(names.length)
})

it.each(readdirSync(FOLDER))('%s', (file) => {
  const wrong = read(file).flatMap(({ expect: expected, ...vector }) => {
    const answer = evaluateLine(JSON.stringify(vector), OPTIONS) as {
      readonly decision?: string
      readonly rules?: readonly { readonly applies: string }[]
    }
    const verdict = answer.rules?.at(-1)?.applies ?? 'none'
    // Something unknown in the policy as a whole stands in no rule.
    const isRight =
      answer.decision === expected.decision && (file === 'unknown.ndjson' || verdict === expected.verdict)
    return isRight ? [] : [{ id: vector.id, expected, decision: answer.decision, verdict }]
  })
  expect(wrong).toEqual([])
})
