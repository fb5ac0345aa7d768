/** What one policy says differently from the one before it, in the words of their clauses. */
import type { JsonObject, Text } from '../core/types.js'
import { differenceClause, differences } from '../policy/compare.js'
import { explain } from '../policy/explain.js'
import { parsePolicy } from '../policy/parse.js'

/** Clauses that are gone, then clauses that are new. What differs without differing in words is told by its place. */
export function termChanges(before: JsonObject, now: JsonObject): readonly Text[] {
  const differing = differences(before, now)
  if (differing.length === 0) return []
  const [was, is] = [sentences(before), sentences(now)]
  const gone = [...was]
    .filter(([key]) => !is.has(key))
    .map(([, text]) => said('No longer', 'Nicht mehr', text))
  const added = [...is].filter(([key]) => !was.has(key)).map(([, text]) => said('New', 'Neu', text))
  if (was.size > 0 && gone.length + added.length > 0) return [...gone, ...added]
  return differing.map((one) => {
    const { en, de } = differenceClause(one)
    return { en: `${en}.`, de: `${de}.` }
  })
}

const said = (en: string, de: string, text: Text): Text => ({
  en: `${en}: ${text.en}`,
  de: `${de}: ${text.de}`,
})

/** A rule names its constraints by number, which says nothing about what they allow. */
const NUMBERED = /\bclauses? \d+(?:(?:,| and| to)+ \d+)* (?:is|are)\b/g

function sentences(policy: JsonObject): ReadonlyMap<string, Text> {
  const parsed = parsePolicy(policy)
  if (!parsed.ok) return new Map()
  return new Map(
    explain(parsed.value).map(({ path, text }) => [
      path.includes('constraint') ? text.en : text.en.replace(NUMBERED, 'clauses'),
      text,
    ]),
  )
}
