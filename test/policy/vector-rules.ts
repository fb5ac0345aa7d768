/**
 * The rules behind test/vectors/odrl: which left operands there are, which values lie in which order, and what an operator
 * means by that order. Written from the specification and free of any code of the program, so that the vectors can
 * judge it.
 */

export type Vector = {
  readonly id: string
  readonly policy: object
  readonly request: object
  readonly state: object
  readonly expect: { readonly decision: 'permit' | 'deny'; readonly verdict: 'true' | 'false' | 'unknown' }
}

const MDP = 'https://w3id.org/machine-data-policy/v1#'
const ODRL = 'http://www.w3.org/ns/odrl/2/'
const CX = 'https://w3id.org/catenax/2025/9/policy/'

/** Three values in rising order, and one that is none. */
type Order = {
  readonly rising: readonly [string, string, string]
  readonly none: string
  /** The datatype that belongs to the values. */
  readonly datatype: string
}
const INSTANT: Order = {
  rising: ['2026-03-29T00:59:59Z', '2026-03-29T03:00:00+02:00', '2026-03-29T01:00:00.001Z'],
  none: '2026-02-30T00:00:00Z',
  datatype: 'xsd:dateTime',
}
const DURATION: Order = { rising: ['PT59M', 'PT1H', 'PT3600.5S'], none: '1 hour', datatype: 'xsd:duration' }
const WHOLE: Order = { rising: ['9', '10', '9007199254740993'], none: 'ten', datatype: 'xsd:integer' }
const DECIMAL: Order = {
  rising: ['0.29999999999999999', '0.3', '0.30000000000000001'],
  none: '0,3',
  datatype: 'xsd:decimal',
}
const TIME: Order = {
  rising: ['05:59:59.999', '06:00:00', '22:00:00'],
  none: '25:00:00',
  datatype: 'xsd:time',
}
const WEEKDAY: Order = { rising: ['1', '2', '7'], none: '8', datatype: 'xsd:integer' }

const ORDERED = ['eq', 'neq', 'lt', 'lteq', 'gt', 'gteq']
const ONE_OF = ['eq', 'neq', 'isAnyOf', 'isNoneOf']
const KIND_OF = [...ONE_OF, 'isA', 'isPartOf', 'hasPart', 'isAllOf']

export type Subject = {
  readonly iri: string
  readonly operators: readonly string[]
  /** Absent for names. */
  readonly order?: Order
}

const subject = (
  prefix: string,
  names: string,
  operators: readonly string[],
  order?: Order,
): readonly Subject[] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => ({ iri: prefix + name, operators, ...(order !== undefined && { order }) }))

export const SUBJECTS: readonly Subject[] = [
  ...subject(ODRL, 'dateTime', ['lt', 'lteq', 'gt', 'gteq'], INSTANT),
  ...subject(MDP, 'agreementAge', ['lt', 'lteq'], DURATION),
  ...subject(ODRL, 'count', ['lt', 'lteq'], WHOLE),
  ...subject(ODRL, 'recipient', ['eq', 'isAnyOf']),
  ...subject(MDP, 'fields', ['isPartOf', 'isNoneOf']),
  ...subject(MDP, 'samplingInterval deliveryDelay', ['gteq'], DURATION),
  ...subject(MDP, 'credentialType group', [...ONE_OF, 'isAllOf']),
  ...subject(MDP, 'connectorAssurance userRole', ONE_OF),
  ...subject(ODRL, 'systemDevice virtualLocation event', ONE_OF),
  ...subject(ODRL, 'purpose spatial industry', KIND_OF),
  ...subject(MDP, 'partySeat', KIND_OF),
  ...subject(MDP, 'userRequest logLevel pseudonym', ['eq', 'isAnyOf']),
  ...subject(MDP, 'localTime', ORDERED, TIME),
  ...subject(MDP, 'dayOfWeek', ONE_OF, WEEKDAY),
  ...subject(MDP, 'recordsPerDay bytesPerDay', ['lt', 'lteq'], WHOLE),
  ...subject(ODRL, 'elapsedTime meteredTime delayPeriod timeInterval', ORDERED, DURATION),
  ...subject(MDP, 'machineId line lot signal machineState', ['eq', 'isAnyOf', 'isNoneOf']),
  ...subject(MDP, 'sourceLocation', ['eq', 'isAnyOf', 'isNoneOf', 'isPartOf']),
  ...subject(MDP, 'aggregationWindow', ['eq', 'gt', 'gteq'], DURATION),
  ...subject(MDP, 'aggregation', ['eq', 'isPartOf', 'isAnyOf']),
  ...subject(MDP, 'minGroup', ['gt', 'gteq'], WHOLE),
  ...subject(MDP, 'valueStep', ['eq', 'gt', 'gteq'], DECIMAL),
  ...subject(MDP, 'noise shape', ['eq']),
  ...subject(MDP, 'retention', ['eq', 'lt', 'lteq'], DURATION),
  ...subject(ODRL, 'payAmount percentage resolution', ORDERED, DECIMAL),
  ...subject(ODRL, 'unitOfCount', ['eq']),
  ...subject(MDP, 'contractReference', ['eq', 'isAllOf', 'isAnyOf']),
  ...subject(ODRL, 'fileFormat language media product deliveryChannel version', KIND_OF),
  ...subject(
    CX,
    `BusinessPartnerNumber BusinessPartnerGroup Membership FrameworkAgreement UsagePurpose UsageRestriction AffiliatesBpnl
    AffiliatesRegion JurisdictionLocation JurisdictionLocationReference DataFrequency DataUsageEndDefinition
    ContractReference ContractTermination
    ConfidentialInformationMeasures ConfidentialInformationSharing ExclusiveUsage Liability Warranty WarrantyDefinition
    WarrantyDurationMonths Precedence VersionChanges ManagedLegalEntityBpnl ManagedLegalEntityRegion`,
    ['eq', 'neq', 'isAnyOf', 'isNoneOf', 'isAllOf', 'isPartOf'],
  ),
]

/** Read by the clock or by the contract instead of a fact of their own; their vectors are written by hand. */
export const BY_HAND: readonly string[] = [
  `${MDP}timeZone`,
  'https://w3id.org/edc/v0.0.1/ns/inForceDate',
  `${CX}DataUsageEndDate`,
  `${CX}DataUsageEndDurationDays`,
  `${CX}DataProvisioningEndDate`,
  `${CX}DataProvisioningEndDurationDays`,
]

/** What an operator says of a value that lies at -1 before, 0 at, 1 behind its bound. */
const MEANS: Readonly<Record<string, (place: number) => boolean>> = {
  eq: (place) => place === 0,
  neq: (place) => place !== 0,
  lt: (place) => place < 0,
  lteq: (place) => place <= 0,
  gt: (place) => place > 0,
  gteq: (place) => place >= 0,
  isAnyOf: (place) => place === 0,
  isNoneOf: (place) => place !== 0,
}

type Case = {
  readonly right: unknown
  readonly fact: unknown
  readonly verdict: 'true' | 'false' | 'unknown'
  readonly what: string
}

const told = (holds: boolean): 'true' | 'false' => (holds ? 'true' : 'false')

function orderedCases({ rising, none, datatype }: Order, operator: string): readonly Case[] {
  const [, bound] = rising
  return [
    ...rising.map((fact, index) => ({
      right: bound,
      fact,
      verdict: told(MEANS[operator]?.(index - 1) === true),
      what: ['before', 'at', 'after'][index] ?? '',
    })),
    { right: bound, fact: undefined, verdict: 'unknown', what: 'no fact' },
    { right: none, fact: bound, verdict: 'unknown', what: 'no value' },
    { right: [bound, rising[2]], fact: bound, verdict: listVerdict(operator), what: 'a list' },
    ...typed(bound, datatype).map(([right, what]) => ({
      right,
      fact: bound,
      verdict: told(MEANS[operator]?.(0) === true),
      what,
    })),
  ]
}

/** A left operand says how its values are read, because connectors lose or change the datatype on the way. */
const typed = (value: string, datatype: string): readonly (readonly [right: object, what: string])[] =>
  [...new Set([datatype, 'xsd:string', 'xsd:anyURI', 'https://vocabulary.example/type'])].map((type) => [
    { '@value': value, '@type': type },
    `with the datatype ${type}`,
  ])

/** An order needs one bound; a set may have several; a set of one value does not equal one of two. */
const listVerdict = (operator: string): Case['verdict'] =>
  operator === 'isAnyOf' || operator === 'neq'
    ? 'true'
    : operator === 'isNoneOf' || operator === 'eq'
      ? 'false'
      : 'unknown'

/** Names that are the same only when their code points are, after normalisation. */
const [A, A_COMPOSED, B, C] = ['Käse', 'Ka\u0308se', 'Kase', 'Brot']

const NAME_CASES: Readonly<Record<string, readonly Case[]>> = {
  eq: [
    { right: A, fact: A_COMPOSED, verdict: 'true', what: 'the same after normalisation' },
    { right: A, fact: B, verdict: 'false', what: 'another' },
    { right: A, fact: [A, B], verdict: 'false', what: 'two for one' },
  ],
  neq: [
    { right: A, fact: B, verdict: 'true', what: 'another' },
    { right: A, fact: A_COMPOSED, verdict: 'false', what: 'the same' },
  ],
  isAnyOf: [
    { right: [B, A], fact: A, verdict: 'true', what: 'one of them' },
    { right: [B, C], fact: A, verdict: 'false', what: 'none of them' },
    { right: A, fact: A, verdict: 'true', what: 'the only one' },
  ],
  isNoneOf: [
    { right: [B, C], fact: A, verdict: 'true', what: 'none of them' },
    { right: [B, A], fact: A, verdict: 'false', what: 'one of them' },
  ],
  isAllOf: [
    { right: [A, B], fact: [B, A, C], verdict: 'true', what: 'all and more' },
    { right: [A, B], fact: A, verdict: 'false', what: 'one of two' },
  ],
  isPartOf: [
    { right: A, fact: A, verdict: 'true', what: 'itself' },
    { right: A, fact: B, verdict: 'unknown', what: 'nobody knows' },
  ],
  isA: [
    { right: A, fact: A, verdict: 'true', what: 'itself' },
    { right: A, fact: B, verdict: 'unknown', what: 'nobody knows' },
  ],
  hasPart: [
    { right: A, fact: A, verdict: 'true', what: 'itself' },
    { right: A, fact: B, verdict: 'unknown', what: 'nobody knows' },
  ],
}

const nameCases = (operator: string): readonly Case[] => [
  ...(NAME_CASES[operator] ?? []),
  ...typed(A, 'xsd:string').map(([right, what]) => ({
    right,
    fact: A,
    verdict: told(operator !== 'neq' && operator !== 'isNoneOf'),
    what,
  })),
  { right: A, fact: undefined, verdict: 'unknown', what: 'no fact' },
]

/** A permission needs true; a prohibition that is not ruled out denies. */
function vectorsOf({ iri, operators, order }: Subject): readonly Vector[] {
  return operators.flatMap((operator) => {
    const cases = order === undefined ? nameCases(operator) : orderedCases(order, operator)
    return cases.flatMap(({ right, fact, verdict, what }): readonly Vector[] => {
      const constraint = [{ leftOperand: iri, operator, rightOperand: right }]
      const name = iri.replace(/^.*[#/]/, '')
      const common = {
        request: { action: 'use' },
        state: fact === undefined ? {} : { facts: { [iri]: fact } },
      }
      return [
        {
          id: `${name} ${operator} permission: ${what}`,
          policy: { permission: [{ action: 'use', constraint }] },
          ...common,
          expect: { decision: verdict === 'true' ? 'permit' : 'deny', verdict },
        },
        {
          id: `${name} ${operator} prohibition: ${what}`,
          policy: {
            permission: [{ action: 'use' }],
            prohibition: [{ action: 'use', constraint }],
            conflict: 'prohibit',
          },
          ...common,
          expect: { decision: verdict === 'false' ? 'permit' : 'deny', verdict },
        },
      ]
    })
  })
}

/** Every left operand with every operator it takes, in permissions and prohibitions. */
export const operandVectors = (): readonly Vector[] => SUBJECTS.flatMap(vectorsOf)

type Place = readonly [where: string, make: (unknown: object) => object]

const USE = { action: 'use' }
const YES = { leftOperand: 'count', operator: 'lteq', rightOperand: '5' }
const NO = { leftOperand: 'count', operator: 'gt', rightOperand: '5' }

/** Places in which something unknown narrows what is allowed or widens what is prohibited, as far as anybody can tell. */
const PLACES: readonly Place[] = [
  ['the policy', (x) => ({ ...x, permission: [USE] })],
  ['a permission', (x) => ({ permission: [{ ...USE, ...x }] })],
  ['a condition', (x) => ({ permission: [{ ...USE, constraint: [{ ...YES, ...x }] }] })],
  ['a conjunction', (x) => ({ permission: [{ ...USE, constraint: [{ and: [YES], ...x }] }] })],
  [
    'a condition in a conjunction',
    (x) => ({ permission: [{ ...USE, constraint: [{ and: [YES, { ...YES, ...x }] }] }] }),
  ],
  [
    'a condition in an exclusive choice',
    (x) => ({ permission: [{ ...USE, constraint: [{ xone: [YES, { ...NO, ...x }] }] }] }),
  ],
  ['a sequence', (x) => ({ permission: [{ ...USE, constraint: [{ andSequence: [YES, YES], ...x }] }] })],
  ['an action', (x) => ({ permission: [{ action: { '@id': 'odrl:use', ...x } }] })],
  [
    'a refinement',
    (x) => ({
      permission: [{ action: [{ 'rdf:value': { '@id': 'odrl:use' }, refinement: [{ ...YES, ...x }] }] }],
    }),
  ],
  ['a duty', (x) => ({ permission: [{ ...USE, duty: [{ action: 'inform', ...x }] }] })],
  [
    'a prohibition that would not apply',
    (x) => ({ permission: [USE], prohibition: [{ ...USE, constraint: [{ ...NO, ...x }] }] }),
  ],
  [
    'a choice in a prohibition',
    (x) => ({ permission: [USE], prohibition: [{ ...USE, constraint: [{ or: [NO, { ...NO, ...x }] }] }] }),
  ],
]

const UNTIL = { leftOperand: `${CX}DataUsageEndDate`, operator: 'eq' }
const TWO_ENDS = ['2099-01-01T00:00:00Z', '2020-01-01T00:00:00Z']

const STRANGE = { 'https://vocabulary.example/only': 'on Mondays' }

const TERMS: readonly (readonly [what: string, policy: object])[] = [
  [
    'left operand',
    { permission: [{ ...USE, constraint: [{ ...YES, leftOperand: 'https://vocabulary.example/x' }] }] },
  ],
  [
    'operator',
    { permission: [{ ...USE, constraint: [{ ...YES, operator: 'https://vocabulary.example/near' }] }] },
  ],
  ['value', { permission: [{ ...USE, constraint: [{ ...YES, rightOperand: { some: 'thing' } }] }] }],
  ['missing value', { permission: [{ ...USE, constraint: [{ leftOperand: 'count', operator: 'lteq' }] }] }],
  [
    'missing operator',
    { permission: [{ ...USE, constraint: [{ leftOperand: 'count', rightOperand: '5' }] }] },
  ],
  [
    'reference instead of a value',
    {
      permission: [
        {
          ...USE,
          constraint: [
            {
              leftOperand: 'count',
              operator: 'lteq',
              rightOperandReference: 'https://vocabulary.example/limit',
            },
          ],
        },
      ],
    },
  ],
  ['text instead of a condition', { permission: [{ ...USE, constraint: ['only on Mondays'] }] }],
  ['empty conjunction', { permission: [{ ...USE, constraint: [{ and: [] }] }] }],
  ['two connectives', { permission: [{ ...USE, constraint: [{ and: [YES], or: [YES] }] }] }],
  ['action', { permission: [{ action: 'https://vocabulary.example/rent' }] }],
  ['class of the policy', { '@type': 'https://vocabulary.example/Draft', permission: [USE] }],
  [
    'class of a permission',
    { permission: [{ ...USE, '@type': ['Permission', 'https://vocabulary.example/Trial'] }] },
  ],
  ['class of a permission that is a prohibition', { permission: [{ ...USE, '@type': 'odrl:Prohibition' }] }],
  [
    'class of a condition',
    { permission: [{ ...USE, constraint: [{ ...YES, '@type': 'https://vocabulary.example/Range' }] }] },
  ],
  [
    'class of a conjunction',
    { permission: [{ ...USE, constraint: [{ and: [YES], '@type': 'https://vocabulary.example/Most' }] }] },
  ],
  ['class of a duty', { permission: [{ ...USE, duty: [{ action: 'inform', '@type': 'Prohibition' }] }] }],
  [
    'datatype of an unknown left operand',
    {
      permission: [
        {
          ...USE,
          constraint: [
            {
              leftOperand: 'https://vocabulary.example/grade',
              operator: 'lteq',
              rightOperand: { '@value': '5', '@type': 'https://vocabulary.example/roman' },
            },
          ],
        },
      ],
    },
  ],
  ['role of a party', { permission: [{ ...USE, function: 'urn:party:1' }] }],
  ['relation to the data', { permission: [{ ...USE, relation: 'urn:data:1' }] }],
  ['result of a use', { permission: [{ ...USE, output: 'urn:data:2' }] }],
  ['party without a name', { permission: [{ ...USE, assignee: { some: 'body' } }] }],
  ['data without a name', { permission: [{ ...USE, target: { some: 'thing' } }] }],
  [
    'refinement of data',
    { permission: [{ ...USE, target: { '@id': 'urn:data:1', refinement: [{ ...YES, ...STRANGE }] } }] },
  ],
  [
    'condition deep inside',
    {
      permission: [
        { ...USE, constraint: [{ and: [YES, { or: [NO, { xone: [{ ...YES, ...STRANGE }] }] }] }] },
      ],
    },
  ],
  ['two end dates', { permission: [{ ...USE, constraint: [{ ...UNTIL, rightOperand: TWO_ENDS }] }] }],
  ['profile', { profile: 'https://vocabulary.example/profile', permission: [USE] }],
  ['conflict strategy', { conflict: 'https://vocabulary.example/toss', permission: [USE] }],
  ['inherited policy', { inheritFrom: 'https://vocabulary.example/parent', permission: [USE] }],
  ['duty without an action', { permission: [{ ...USE, duty: [{}] }] }],
  ['duty in a prohibition', { permission: [USE], prohibition: [{ ...USE, duty: [{ action: 'inform' }] }] }],
  ['text instead of a permission', { permission: ['use'] }],
  ['text instead of a prohibition', { permission: [USE], prohibition: ['use'] }],
]

/** Something unknown, wherever it stands, denies. */
export const unknownVectors = (): readonly Vector[] => {
  const rest = {
    request: { ...USE, target: 'urn:data:1', assignee: 'urn:party:1' },
    state: {
      at: '2026-06-01T00:00:00Z',
      facts: { count: '3', 'https://vocabulary.example/grade': '4' },
      duties: { inform: 'fulfilled' },
    },
  }
  const expect = { decision: 'deny', verdict: 'unknown' } as const
  return [
    ...PLACES.map(([where, make]) => ({
      id: `unknown member of ${where}`,
      policy: make(STRANGE),
      ...rest,
      expect,
    })),
    ...TERMS.map(([what, policy]) => ({ id: `unknown ${what}`, policy, ...rest, expect })),
  ]
}

/** The same policies without what is unknown: they permit, so that it is the unknown that denies. */
export const knownVectors = (): readonly Vector[] =>
  PLACES.map(([where, make]) => ({
    id: `nothing unknown in ${where}`,
    policy: make({}),
    request: USE,
    state: { facts: { count: '3' }, duties: { inform: 'fulfilled' } },
    expect: { decision: 'permit', verdict: 'true' },
  }))
