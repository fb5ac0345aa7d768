/**
 * The local taxonomies of places and purposes, with a version: part-of and kind-of are decided from here and from facts
 * that come with a request, never fetched. What stands in neither is not known to be outside.
 */
import { MDP } from '../model.js'
import type { Tri } from './scalar.js'

export const TAXONOMY_VERSION = '1'

const COUNTRIES = {
  europe: `DE:2921044 AT:2782113 FR:3017382 IT:3175395 ES:2510769 NL:2750405 BE:2802361 LU:2960313 PL:798544 CZ:3077311 SK:3057568
    HU:719819 SI:3190538 HR:3202326 RO:798549 BG:732800 GR:390903 PT:2264397 IE:2963597 DK:2623032 SE:2661886 FI:660013
    EE:453733 LV:458258 LT:597427 MT:2562770 CY:146669`,
  eea: 'NO:3144096 IS:2629691 LI:3042058',
  other: 'CH:2658434 GB:2635167',
  elsewhere: 'US:6252001 CA:6251999 CN:1814991 JP:1861060 IN:1269750 KR:1835841 BR:3469034 MX:3996063',
} as const

const geonames = (id: string): string => `https://sws.geonames.org/${id}/`

const codes = (list: string): readonly (readonly [code: string, geonameId: string])[] =>
  list
    .trim()
    .split(/\s+/)
    .map((pair) => {
      const [code = '', id = ''] = pair.split(':')
      return [code, id] as const
    })

/** Direct parents by name; a place can be part of several. */
const PLACES = new Map<string, readonly string[]>([
  ['EU', ['EEA']],
  ['EEA', ['Europe']],
  ['DACH', ['Europe']],
  ['Europe', ['World']],
  ['World', []],
  ...codes(COUNTRIES.europe).map(
    ([code]) => [code, code === 'DE' || code === 'AT' ? ['EU', 'DACH'] : ['EU']] as const,
  ),
  ...codes(COUNTRIES.eea).map(([code]) => [code, ['EEA']] as const),
  ...codes(COUNTRIES.other).map(([code]) => [code, code === 'CH' ? ['Europe', 'DACH'] : ['Europe']] as const),
  ...codes(COUNTRIES.elsewhere).map(([code]) => [code, ['World']] as const),
])

const PLACE_NAMES = new Map<string, string>([
  ...[...PLACES.keys()].map((code) => [code, code] as const),
  ...Object.values(COUNTRIES)
    .flatMap(codes)
    .flatMap(([code, id]) =>
      [geonames(id), geonames(id).slice(0, -1), `http://sws.geonames.org/${id}/`].map(
        (name) => [name, code] as const,
      ),
    ),
  [geonames('6255148'), 'Europe'],
  ['https://sws.geonames.org/6255148', 'Europe'],
  ['http://sws.geonames.org/6255148/', 'Europe'],
])

const PURPOSES = new Map<string, readonly string[]>(
  Object.entries({
    Maintenance: [],
    PredictiveMaintenance: ['Maintenance'],
    ConditionMonitoring: ['Maintenance'],
    RemoteService: ['Maintenance'],
    QualityAssurance: [],
    ProductImprovement: [],
    EnergyManagement: [],
    CarbonFootprint: ['EnergyManagement'],
    Research: [],
    Benchmarking: [],
    Billing: [],
    Insurance: [],
  }).map(([name, parents]) => [MDP + name, parents.map((parent) => MDP + parent)] as const),
)

type Taxonomy = {
  readonly parents: ReadonlyMap<string, readonly string[]>
  readonly names: ReadonlyMap<string, string>
}

const TAXONOMIES: Readonly<Record<string, Taxonomy>> = {
  place: { parents: PLACES, names: PLACE_NAMES },
  purpose: { parents: PURPOSES, names: new Map([...PURPOSES.keys()].map((name) => [name, name] as const)) },
}

/** Languages need no list: a tag of BCP 47 begins with the one that it narrows. */
const LANGUAGE = 'language'
const LANGUAGE_TAG = /^[a-z]{2,8}(?:-[a-z0-9]{1,8})*$/i

/** Languages of two letters that are kinds or former names of each other (ISO 639, macrolanguages). */
const KINDRED: readonly (readonly string[])[] = [
  ['no', 'nb', 'nn'],
  ['sh', 'sr', 'hr', 'bs'],
  ['ms', 'id', 'in'],
  ['ak', 'tw'],
  ['he', 'iw'],
  ['yi', 'ji'],
  ['ro', 'mo'],
]

function isLanguageWithin(inner: string, outer: string): Tri {
  if (!LANGUAGE_TAG.test(inner) || !LANGUAGE_TAG.test(outer)) return undefined
  const [a, b] = [inner.toLowerCase(), outer.toLowerCase()]
  if (a === b || a.startsWith(`${b}-`)) return true
  const [x = '', y = ''] = [a.split('-')[0], b.split('-')[0]]
  if (x === y) return false
  const areKnown = x.length === 2 && y.length === 2
  return areKnown && !KINDRED.some((family) => family.includes(x) && family.includes(y)) ? false : undefined
}

/** The one name of a concept in a taxonomy; undefined for one that is not in it. */
export const conceptOf = (tree: string | undefined, name: string): string | undefined => {
  if (tree === LANGUAGE) return LANGUAGE_TAG.test(name) ? name.toLowerCase() : undefined
  return tree === undefined ? undefined : TAXONOMIES[tree]?.names.get(name)
}

/** The concept and everything it is part of. */
export function concepts(tree: string, concept: string): ReadonlySet<string> {
  const found = new Set<string>([concept])
  for (const name of found) for (const parent of TAXONOMIES[tree]?.parents.get(name) ?? []) found.add(parent)
  return found
}

export const childrenOf = (tree: string, concept: string): readonly string[] =>
  [...(TAXONOMIES[tree]?.parents ?? [])].flatMap(([name, parents]) =>
    parents.includes(concept) ? [name] : [],
  )

/** Countries do not overlap; purposes may, and nothing is told about one that is not listed. */
export const isDisjoint = (tree: string): boolean => tree === 'place'

/**
 * Whether one thing is part or a kind of another: what the facts say, what is the same, what the taxonomy says.
 * Undefined where neither knows.
 */
export function isWithin(
  tree: string | undefined,
  inner: string,
  outer: string,
  partOf: ReadonlyMap<string, readonly string[]>,
): Tri {
  if (inner === outer) return true
  const [a, b] = [conceptOf(tree, inner), conceptOf(tree, outer)]
  if (tree !== undefined && a !== undefined && b !== undefined && concepts(tree, a).has(b)) return true
  const reached = new Set<string>([inner])
  for (const name of reached) {
    if (name === outer) return true
    if (reached.size > 10_000) return undefined
    for (const parent of partOf.get(name) ?? []) reached.add(parent)
    const concept = conceptOf(tree, name)
    if (tree !== undefined && concept !== undefined && b !== undefined && concepts(tree, concept).has(b))
      return true
  }
  if (tree === LANGUAGE) return isLanguageWithin(inner, outer)
  if (tree === undefined || a === undefined || b === undefined) return undefined
  // A larger place is not part of a smaller one, nor is one of two separate places part of the other.
  return isDisjoint(tree) || concepts(tree, b).has(a) ? false : undefined
}
