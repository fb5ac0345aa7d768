/** A place in a policy as people count: `permission[0].constraint[1]` is condition 2 of permission 1. */
import type { Text } from '../core/types.js'

const text = (en: string, de: string): Text => ({ en, de })

const STEPS: Readonly<Record<string, Text>> = {
  permission: text('permission', 'Erlaubnis'),
  prohibition: text('prohibition', 'Verbot'),
  obligation: text('obligation', 'Verpflichtung'),
  duty: text('duty', 'Pflicht'),
  constraint: text('condition', 'Bedingung'),
  refinement: text('restriction', 'Einschränkung'),
  and: text('part', 'Teil'),
  or: text('alternative', 'Alternative'),
  xone: text('alternative', 'Alternative'),
  andSequence: text('step', 'Schritt'),
  action: text('action', 'Handlung'),
  target: text('data', 'Daten'),
  leftOperand: text('what it is about', 'Gegenstand'),
  operator: text('kind of comparison', 'Art des Vergleichs'),
  rightOperand: text('value', 'Wert'),
}

/** "permission 1, condition 2"; undefined for a path with a step that has no name. */
function named(path: string): Text | undefined {
  const steps: Text[] = []
  for (const step of path.split('.')) {
    const [, name = '', index] = /^(\w+)(?:\[(\d+)\])?$/.exec(step) ?? []
    const word = Object.hasOwn(STEPS, name) ? STEPS[name] : undefined
    if (word === undefined) return undefined
    const number = index === undefined ? '' : ` ${Number(index) + 1}`
    steps.push(text(word.en + number, word.de + number))
  }
  return text(steps.map(({ en }) => en).join(', '), steps.map(({ de }) => de).join(', '))
}

/** What has no name is told as it is written. */
export const pathWords = (path: string): Text => named(path) ?? text(path, path)

const PATH = /\b(?:permission|prohibition|obligation)\[\d+\](?:\.\w+(?:\[\d+\])?)*/g

/** The same for every place that a sentence names. */
export const withPlaces = ({ en, de }: Text): Text =>
  text(
    en.replace(PATH, (path) => pathWords(path).en),
    de.replace(PATH, (path) => pathWords(path).de),
  )
