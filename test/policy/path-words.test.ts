import { expect, it } from 'vitest'
import { pathWords, withPlaces } from '../../connector/policy/path-words.js'

it('counts rules and conditions as people do', () => {
  expect(pathWords('permission[0].constraint[1]')).toEqual({
    en: 'permission 1, condition 2',
    de: 'Erlaubnis 1, Bedingung 2',
  })
  expect(pathWords('prohibition[1].constraint[0].or[2].rightOperand').de).toBe(
    'Verbot 2, Bedingung 1, Alternative 3, Wert',
  )
  expect(pathWords('permission[0].duty[0].action').en).toBe('permission 1, duty 1, action')
})

it('tells what has no name as it is written', () => {
  expect(pathWords('permission[0].ex:strange')).toEqual({
    en: 'permission[0].ex:strange',
    de: 'permission[0].ex:strange',
  })
})

it('names the places in the middle of a sentence', () => {
  const told = withPlaces({
    en: 'Some use is allowed by permission[0] and prohibited by prohibition[0].',
    de: 'Manche Nutzung ist durch permission[0] erlaubt und durch prohibition[0] verboten.',
  })
  expect(told).toEqual({
    en: 'Some use is allowed by permission 1 and prohibited by prohibition 1.',
    de: 'Manche Nutzung ist durch Erlaubnis 1 erlaubt und durch Verbot 1 verboten.',
  })
})
