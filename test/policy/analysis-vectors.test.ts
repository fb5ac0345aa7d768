/**
 * Runs test/vectors/analysis: one JSON line per problem, in the form that `policy compare --batch` reads, or one policy to
 * check. Expectations are reasoned by hand from ODRL 2.2; "unknown" is one of them.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { checkPolicy } from '../../connector/policy/analysis/check.js'
import { compareLine } from '../../connector/policy/batch-compare.js'
import { readPolicy } from '../../connector/policy/odrl/read.js'

type Problem = {
  readonly id: string
  readonly policy?: unknown
  readonly expect: Readonly<Record<string, unknown>>
}

const FOLDER = new URL('../vectors/analysis/', import.meta.url)
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.ndjson'))

const read = (file: string): readonly Problem[] =>
  readFileSync(new URL(file, FOLDER), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Problem)

function findings(json: unknown): readonly string[] {
  const policy = readPolicy(json)
  if (!policy.ok) throw new Error(policy.error.message)
  return checkPolicy(policy.value).map(({ kind, severity, path }) => `${severity} ${kind} ${path}`)
}

function answered(problem: Problem): Readonly<Record<string, unknown>> {
  if (problem.policy !== undefined) return { findings: findings(problem.policy) }
  return compareLine(JSON.stringify(problem), { profiles: [] })
}

describe.each(FILES)('%s', (file) => {
  it.each(read(file).map((problem) => [problem.id, problem] as const))('%s', (_id, problem) => {
    expect(answered(problem)).toMatchObject(problem.expect)
  })
})

it('asks several hundred questions, each under a name of its own', () => {
  const ids = FILES.flatMap((file) => read(file).map(({ id }) => `${file} ${id}`))
  expect(ids.length).toBeGreaterThan(400)
  expect(new Set(ids).size).toBe(ids.length)
})
