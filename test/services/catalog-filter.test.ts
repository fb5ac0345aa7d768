import { describe, expect, it } from 'vitest'
import type { Json } from '../../connector/core/types.js'
import type { Dataset } from '../../connector/domain/dataset.js'
import { fits, readFilter } from '../../connector/services/catalog-filter.js'

const dataset = (id: string, more: Partial<Dataset> = {}): Dataset =>
  ({ id, title: `Title of ${id}`, keywords: [], signals: [], published: true, ...more }) as Dataset

const PRESS = dataset('press-7', { keywords: ['hydraulics', 'press'], machineId: 'M-7' })
const TANK = dataset('tank_1', { title: 'Tank 100% full', description: 'Level' })

const criterion = (operandLeft: string, operator: string, operandRight: Json): Json =>
  [{ '@type': 'QuerySpec', filterExpression: [{ operandLeft, operator, operandRight }] }] as unknown as Json

const found = (filter: Json): readonly string[] => {
  const read = readFilter(filter as readonly Json[])
  if (!read.ok) throw new Error(read.error.message)
  return [PRESS, TANK].filter((one) => fits(read.value, one)).map(({ id }) => id)
}

const refusal = (filter: Json): string => {
  const read = readFilter(filter as readonly Json[])
  return read.ok ? '' : read.error.message
}

describe('a filter in the words of EDC', () => {
  it('gives the page, and without criteria every dataset fits', () => {
    const spec = { '@type': 'QuerySpec', offset: 10, limit: 50, sortOrder: 'ASC', filterExpression: [] }
    expect(readFilter([spec])).toMatchObject({ ok: true, value: { offset: 10, limit: 50, criteria: [] } })
    expect(readFilter(undefined)).toMatchObject({ ok: true, value: { offset: 0, criteria: [] } })
    expect(readFilter([])).toMatchObject({ ok: true, value: { offset: 0, criteria: [] } })
    expect(found([spec])).toEqual(['press-7', 'tank_1'])
  })

  it('may use prefixes, full IRIs and wrapped values', () => {
    const edc = 'https://w3id.org/edc/v0.0.1/ns/'
    const expanded = {
      '@type': `${edc}QuerySpec`,
      [`${edc}offset`]: { '@value': 2 },
      [`${edc}filterExpression`]: {
        '@type': `${edc}Criterion`,
        [`${edc}operandLeft`]: { '@value': `${edc}id` },
        [`${edc}operator`]: '=',
        [`${edc}operandRight`]: { '@value': 'press-7' },
      },
    }
    expect(found([expanded])).toEqual(['press-7'])
    expect(readFilter([expanded])).toMatchObject({ ok: true, value: { offset: 2 } })
  })

  it('finds by equality, lists and likeness', () => {
    expect(found(criterion('id', '=', 'press-7'))).toEqual(['press-7'])
    expect(found(criterion('edc:name', '=', 'Tank 100% full'))).toEqual(['tank_1'])
    expect(found(criterion('keyword', '=', 'press'))).toEqual(['press-7'])
    expect(found(criterion('machineId', 'in', ['M-7', 'M-8']))).toEqual(['press-7'])
    expect(found(criterion('id', 'in', []))).toEqual([])
    expect(found(criterion('id', 'like', 'press%'))).toEqual(['press-7'])
    expect(found(criterion('id', 'like', '%_1'))).toEqual(['tank_1'])
    expect(found(criterion('id', 'like', 'tank_1'))).toEqual(['tank_1'])
    expect(found(criterion('id', 'like', '%r%s%-%'))).toEqual(['press-7'])
    expect(found(criterion('id', 'like', '%'))).toEqual(['press-7', 'tank_1'])
    expect(found(criterion('id', 'like', 'press-77'))).toEqual([])
    expect(found(criterion('id', 'like', 'press-7%7'))).toEqual([])
    expect(found(criterion('description', 'like', '%'))).toEqual(['tank_1'])
  })

  it('is refused when it asks for what cannot be kept exactly', () => {
    expect(refusal(criterion('id', '>', 'a'))).toContain('=, like and in')
    expect(refusal(criterion('price', '=', 'a'))).toContain(
      'found by id, title, description, keyword, machineId',
    )
    expect(refusal(criterion('constructor', '=', 'a'))).toContain('found by')
    expect(refusal(criterion('id', '=', 7))).toContain('texts')
    expect(refusal(criterion('id', '=', ['a', 'b']))).toContain('one text')
    expect(refusal(criterion('id', '=', 'x'.repeat(501)))).toContain('texts')
    expect(refusal([{ '@type': 'QuerySpec', sortOrder: 'DESC' }])).toContain('sorted by id')
    expect(refusal([{ '@type': 'QuerySpec', sortField: 'title' }])).toContain('sorted by id')
    expect(refusal([{ '@type': 'QuerySpec', offset: -1 }])).toContain('whole numbers')
    expect(refusal([{ '@type': 'QuerySpec', limit: 0 }])).toContain('whole numbers')
    expect(refusal([{ '@type': 'QuerySpec' }, {}])).toContain('several parts')
    expect(refusal([{ '@type': 'Sparql' }])).toContain('QuerySpec')
    expect(refusal(['x'])).toContain('QuerySpec')
  })

  it('is looked through in no time, whatever the pattern', () => {
    const pattern = '%a'.repeat(200)
    const long = dataset('a'.repeat(20_000))
    const read = readFilter(criterion('id', 'like', `${pattern}b`) as readonly Json[])
    expect(read.ok && fits(read.value, long)).toBe(false)
  })
})
