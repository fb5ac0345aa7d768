import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { contractOn, pullLines, startPair, transferUnder } from '../support/dataspace.js'
import { sharedPath, titled } from '../support/shared-data.js'

const NAME = 'data/machine_temperature.csv'
const recording = sharedPath(NAME)

it.skipIf(recording === undefined)(
  titled('pulls 22,695 readings of a real machine, in one go and in pages, equal to the source', NAME),
  async () => {
    await using space = await startPair()
    const { provider, consumer } = space
    await provider.put('/api/v1/sources/furnace', {
      kind: 'files',
      config: {
        file: recording ?? '',
        format: 'csv',
        time: { column: 'timestamp', format: 'iso-local', timeZone: 'UTC' },
        signals: { temperature: 'value' },
      },
    })
    await provider.put('/api/v1/datasets/furnace', {
      title: 'Machine temperature',
      signals: [{ name: 'temperature', type: 'number', unit: '°F' }],
      sourceId: 'furnace',
    })
    await provider.post('/api/v1/datasets/furnace/offers', { terms: { until: '2099-12-31' } })
    await provider.post('/api/v1/datasets/furnace/publish')
    const transfer = await transferUnder(consumer, await contractOn(consumer, provider, 'furnace'))

    const expected = readFileSync(recording ?? '', 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => {
        const [time = '', value = ''] = line.split(',')
        return { ts: `${time.replace(' ', 'T')}.000Z`, temperature: Number(value) }
      })
    expect(expected).toHaveLength(22_695)
    const withoutId = (line: string) => {
      const { id: _, ...record } = JSON.parse(line)
      return record
    }
    const whole = await pullLines(consumer, transfer)
    expect(whole.status).toBe(200)
    expect(whole.lines.map(withoutId)).toEqual(expected)

    const paged: string[] = []
    let query = '?limit=5000'
    let pages = 0
    while (query !== '') {
      const page = await pullLines(consumer, transfer, query)
      expect(page.status).toBe(200)
      paged.push(...page.lines)
      pages += 1
      query = /<[^>]*(\?[^>]*)>; rel="next"/.exec(String(page.headers.link ?? ''))?.[1] ?? ''
    }
    expect(pages).toBe(5)
    expect(paged).toEqual(whole.lines)
  },
  60_000,
)
