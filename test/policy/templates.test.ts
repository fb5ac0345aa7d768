/** Every template with its own vectors, and what the library says to wrong parameters. */
import { readFileSync } from 'node:fs'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { describe, expect, it } from 'vitest'
import { checkPolicy } from '../../connector/policy/analysis/check.js'
import { evaluateLine } from '../../connector/policy/batch.js'
import { explain } from '../../connector/policy/explain.js'
import { ODRL } from '../../connector/policy/model.js'
import { nodesOf } from '../../connector/policy/nodes.js'
import { readPolicy } from '../../connector/policy/odrl/read.js'
import { parsePolicy } from '../../connector/policy/parse.js'
import { supportOf } from '../../connector/policy/registry.js'
import { instantiate } from '../../connector/policy/templates/instantiate.js'
import { templateOf, templates } from '../../connector/policy/templates/shelf.js'
import type { Template } from '../../connector/policy/templates/template.js'

const ALL = templates()
const BUILDER = 'did:web:builder.example'

const template = (id: string): Template => {
  const found = templateOf(id)
  if (!found.ok) throw new Error(found.error.message)
  return found.value
}
const made = (of: Template, set: { readonly [name: string]: unknown }) => {
  const instance = instantiate(of, set)
  if (!instance.ok) throw new Error(instance.error.message)
  return instance.value
}
const parsed = (json: unknown) => {
  const policy = parsePolicy(json)
  if (!policy.ok) throw new Error(policy.error.message)
  return policy.value
}

const schema = JSON.parse(readFileSync('schemas/policy-template.schema.json', 'utf8'))
const validate = new Ajv2019({ allErrors: true, strict: true, strictRequired: false }).compile(schema)

describe.each(ALL.map((one) => [one.id, one] as const))('the template %s', (_id, one) => {
  it('keeps to the schema', () => {
    validate(one)
    expect(validate.errors ?? []).toEqual([])
  })

  it('uses every parameter, and speaks in both languages', () => {
    const skeleton = JSON.stringify(one.policy)
    const unused = one.parameters
      .filter(({ name }) => !skeleton.includes(`"${name}"`))
      .map(({ name }) => name)
    expect(unused).toEqual([])
    const texts = [one.title, one.purpose, one.dataAct.basis, ...one.parameters.map(({ title }) => title)]
    expect(texts.filter(({ en, de }) => en === de)).toEqual([])
  })

  it.each(one.vectors.map((vector) => [vector.name, vector] as const))('%s: the policy', (_name, vector) => {
    expect(made(one, vector.set).policy).toEqual(vector.policy)
  })

  it.each(
    one.vectors.map((vector) => [vector.name, vector] as const),
  )('%s: the decisions', (_name, vector) => {
    const decided = vector.decisions.map(({ request, state }) => {
      const line = { id: 1, policy: vector.policy, request, state }
      const options = { lang: 'en', profiles: [], duties: 'before', report: false } as const
      return evaluateLine(JSON.stringify(line), options).decision
    })
    expect(decided).toEqual(vector.decisions.map(({ decision }) => decision))
  })

  it.each(
    one.vectors.map((vector) => [vector.name, vector] as const),
  )('%s: understood wholly, without a finding, each clause once, remarks beside clauses that there are', (_name, vector) => {
    const { policy, remarks } = made(one, vector.set)
    const read = parsed(policy)
    expect(read.unknownTerms).toEqual([])
    for (const node of nodesOf(read)) {
      if (node.kind !== 'constraint' || node.constraint.kind !== 'atomic') continue
      const support = supportOf(node.constraint)
      expect('operand' in support && support.operand.wrong(node.constraint), node.path).toBe(undefined)
    }
    const full = readPolicy(policy)
    // A prohibition of one kind of use is what the parties mean: use, but not for that.
    const findings = full.ok ? checkPolicy(full.value).filter(({ kind }) => kind !== 'carve-out') : ['unread']
    expect(findings).toEqual([])
    expect(read.prohibitions.filter(({ action }) => action === `${ODRL}use`)).toEqual([])
    const paths = explain(read).map(({ path }) => path)
    expect(new Set(paths).size).toBe(paths.length)
    expect([...remarks.keys()].filter((path) => !paths.includes(path))).toEqual([])
  })

  it('demands a decision where only the operator can decide', () => {
    const forced = one.parameters.filter(({ choose }) => choose === true).map(({ name }) => name)
    const instance = instantiate(one, {})
    const named = instance.ok ? [] : (instance.error.problems ?? []).map((text) => text.split(':')[0])
    expect(named).toEqual(forced)
  })
})

describe('parameters', () => {
  const maintenance = template('predictive-maintenance')
  const GIVEN = {
    recipients: BUILDER,
    machines: 'M-1',
    fields: 'vibration',
    tradeSecretFields: 'none',
    personalFields: 'none',
    retention: 'P30D',
  }
  const problemsOf = (set: { readonly [name: string]: unknown }, lang: 'en' | 'de' = 'en') => {
    const instance = instantiate(maintenance, { ...GIVEN, ...set })
    if (instance.ok) return []
    return lang === 'de' ? instance.error.problemsDe : instance.error.problems
  }

  it('names every mistake at once', () => {
    expect(problemsOf({ retention: 'soon', interval: 'PT0.1S', colour: 'red', recipients: 'ACME' })).toEqual([
      '"colour" is not a parameter; known are recipients, machines, fields, tradeSecretFields, personalFields, personalData, interval, retention, term.',
      'recipients: the value "ACME" is not valid; expected is the DID of a participant.',
      'interval: the least value is 1 second.',
      'retention: the value "soon" is not valid; expected is a duration such as 90d or PT10S.',
    ])
  })

  it('says so in German', () => {
    expect(problemsOf({ term: 'P6Y', personalData: 'sell', tradeSecretFields: undefined }, 'de')).toEqual([
      'tradeSecretFields: Wählen Sie einen Wert (Signale, die Geschäftsgeheimnisse sind; sie werden nie geliefert); erwartet wird ein Name oder none.',
      'personalData: „sell“ steht nicht zur Wahl; möglich sind: drop, pseudonymise.',
      'term: Der größte Wert ist 5 Jahre.',
    ])
  })

  it('makes no policy that delivers nothing', () => {
    expect(
      problemsOf({ fields: 'operator,recipe', tradeSecretFields: 'recipe', personalFields: 'operator' }),
    ).toEqual(['fields: nothing is left to deliver, because everything that is named is held back.'])
  })

  it.each([
    [{ nested: true }],
    [['a', 1]],
    [null],
    [true],
  ])('refuses %j where a list of names belongs', (fields) => {
    expect(problemsOf({ fields })?.length).toBe(1)
  })

  it('takes no list where one value belongs', () => {
    expect(problemsOf({ retention: ['P1D'] })?.length).toBe(1)
  })

  it('takes a purpose by its short name', () => {
    const one = template('third-party-on-request')
    const [vector] = one.vectors
    expect(made(one, { ...vector?.set, purpose: 'Maintenance' }).policy).toEqual(vector?.policy)
    const wrong = instantiate(one, { ...vector?.set, purpose: 'Resale' })
    expect(wrong.ok ? [] : wrong.error.problems).toEqual([
      'purpose: "Resale" is not a choice; choose from: Maintenance, EnergyManagement, QualityAssurance.',
    ])
  })

  it('has the eighteen templates', () => {
    expect(ALL).toHaveLength(18)
  })

  it('tells which templates there are when one is not known', () => {
    const found = templateOf('nothing')
    expect(found.ok ? '' : found.error.messageDe).toMatch(
      /^Es gibt keine Vorlage „nothing“\. Bekannt sind: .*trial/,
    )
  })
})
