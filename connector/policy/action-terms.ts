/**
 * Actions: which are known, which includes which (ODRL 2.2 "includedIn"), which usage-control class they stand for and
 * who can see to them. No action besides `use` is made possible or prevented by this connector.
 */
import { MDP, ODRL } from './model.js'
import type { Enforcer } from './operands/operand.js'

/** Names of ODRL 2.2 actions by the action that includes them. */
const INCLUDED: Readonly<Record<string, string>> = {
  // Information Model 2.2, section 2.4, and Vocabulary & Expression 2.2, section 4.3: everything is use or transfer.
  give: 'transfer',
  sell: 'transfer',
  extract: 'reproduce',
  reproduce: 'use',
  move: 'modify',
  modify: 'use',
  digitize: 'use',
  excerpt: 'extract',
  play: 'use',
  present: 'use',
  display: 'play',
  print: 'use',
}

const USE =
  `acceptTracking aggregate annotate anonymize archive attribute compensate concurrentUse delete derive distribute
  ensureExclusivity execute grantUse include index inform install nextPolicy obtainConsent read reviewPolicy stream
  synchronize textToSpeech transform translate uninstall watermark append appendTo copy export preview write writeTo`
    .split(/\s+/)
    .map((name) => [name, 'use'] as const)

type OwnAction = {
  readonly includedIn: string
  readonly classes: readonly number[]
  readonly enforcedBy: Enforcer
}

const OWN: Readonly<Record<string, OwnAction>> = {
  logUsage: { includedIn: 'use', classes: [18], enforcedBy: 'consumer' },
  developCompetingProduct: { includedIn: 'derive', classes: [21], enforcedBy: 'contract' },
  deriveBusinessInsight: { includedIn: 'derive', classes: [21], enforcedBy: 'contract' },
  reverseEngineer: { includedIn: 'derive', classes: [21], enforcedBy: 'contract' },
  reidentify: { includedIn: 'derive', classes: [21], enforcedBy: 'contract' },
  trainModelForOthers: { includedIn: 'derive', classes: [21], enforcedBy: 'contract' },
}

/** Usage-control classes that are actions of the ODRL vocabulary. */
const CLASSES: Readonly<Record<string, readonly [classes: readonly number[], by: Enforcer]>> = {
  anonymize: [[15], 'consumer'],
  delete: [[17], 'consumer'],
  inform: [[19], 'consumer'],
  distribute: [[20], 'contract'],
  compensate: [[22], 'provider'],
  obtainConsent: [[23], 'provider'],
  attribute: [[25], 'contract'],
  watermark: [[25], 'provider'],
}

const PARENT: ReadonlyMap<string, string> = new Map([
  ...[...Object.entries(INCLUDED), ...USE].map(([name, parent]) => [ODRL + name, ODRL + parent] as const),
  ...Object.entries(OWN).map(([name, { includedIn }]) => [MDP + name, ODRL + includedIn] as const),
])

const ROOTS: readonly string[] = [`${ODRL}use`, `${ODRL}transfer`]

export const KNOWN_ACTIONS: readonly string[] = [...ROOTS, ...PARENT.keys()]

export const isKnownAction = (iri: string): boolean => PARENT.has(iri) || ROOTS.includes(iri)

/** The action itself and all that include it, from the inside out. */
export function actionLine(iri: string): readonly string[] {
  const line: string[] = []
  for (let at: string | undefined = iri; at !== undefined && line.length < 16; at = PARENT.get(at))
    line.push(at)
  return line
}

/** Whether doing `inner` is always a case of `outer`; undefined when nothing is known about one of them. */
export function isIncluded(inner: string, outer: string): boolean | undefined {
  if (inner === outer) return true
  if (actionLine(inner).includes(outer)) return true
  return isKnownAction(inner) && isKnownAction(outer) ? false : undefined
}

export type ActionEntry = {
  readonly iri: string
  readonly includedIn: string | undefined
  readonly classes: readonly number[]
  readonly enforcedBy: Enforcer
}

/** Every known action with what the contract can say by it. */
export const ACTION_TERMS: readonly ActionEntry[] = KNOWN_ACTIONS.map((iri) => {
  const name = iri.startsWith(ODRL) ? iri.slice(ODRL.length) : iri.slice(MDP.length)
  const own = iri.startsWith(MDP) ? OWN[name] : undefined
  const [classes = [], by = 'contract'] =
    own === undefined ? (CLASSES[name] ?? []) : [own.classes, own.enforcedBy]
  return {
    iri,
    includedIn: PARENT.get(iri),
    classes,
    enforcedBy: iri === `${ODRL}use` ? 'provider' : by,
  }
})
