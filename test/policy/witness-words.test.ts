import { expect, it } from 'vitest'
import { witnessWords } from '../../connector/policy/witness-words.js'

it('calls a record in German as the clauses do, so that nobody takes it for a dataset', () => {
  const told = witnessWords({ samplingInterval: 'PT30S', deliveryDelay: 'PT1H', recordsPerDay: '5' })
  expect(told?.en).toMatch(/between records.*records that are.*records on one day/)
  expect(told?.de).toMatch(/Abstand der Einträge.*Alter der Einträge.*Einträge an einem Tag/)
})
