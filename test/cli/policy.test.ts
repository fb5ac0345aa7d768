import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { cli } from './support.js'

const cwd = mkdtempSync(join(tmpdir(), 'handschlag-policy-'))
afterAll(() => rmSync(cwd, { recursive: true }))

const write = (name: string, content: unknown): string => {
  writeFileSync(join(cwd, name), typeof content === 'string' ? content : JSON.stringify(content))
  return name
}

const UNTIL_2027 = {
  permission: [
    {
      action: 'use',
      constraint: [{ leftOperand: 'dateTime', operator: 'lt', rightOperand: '2027-01-01T00:00:00Z' }],
    },
  ],
}
const USE = { action: 'use' }
const MDP = 'https://w3id.org/machine-data-policy/v1#'

describe('policy evaluate --batch', () => {
  it('answers every line with its id, and a wrong line with its error', async () => {
    const file = write(
      'lines.ndjson',
      [
        JSON.stringify({ id: 'a', policy: UNTIL_2027, request: USE, state: { at: '2026-12-31T23:59:59Z' } }),
        JSON.stringify({ id: 'b', policy: UNTIL_2027, request: USE, state: { at: '2027-01-01T00:00:00Z' } }),
        '',
        '{"id": "c", "policy": {"permission": [], "permission": []}}',
        JSON.stringify({ id: 4, policy: UNTIL_2027 }),
        'nonsense',
        JSON.stringify({ id: 6, policy: UNTIL_2027, request: USE, state: {} }),
      ].join('\n'),
    )
    const { code, out } = await cli(['policy', 'evaluate', '--batch', file], { cwd })
    expect(code).toBe(0)
    const answers = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(answers.map(({ id, decision, error }) => [id, decision ?? error.code])).toEqual([
      ['a', 'permit'],
      ['b', 'deny'],
      [null, 'InvalidMessage'],
      [4, 'InvalidMessage'],
      [null, 'InvalidMessage'],
      [6, 'deny'],
    ])
    expect(answers[1]).toMatchObject({
      why: 'no permission',
      rules: [{ rule: 'permission[0]', kind: 'permission', active: 'false', applies: 'false' }],
      duties: [],
    })
    expect(answers[2].error.message).toContain('"permission" is written twice')
    expect(answers[5].rules[0].active).toBe('unknown')
  })

  it('tells in German what was looked at', async () => {
    const line = { id: 1, policy: UNTIL_2027, request: USE, state: { at: '2027-01-01T00:00:00Z' } }
    const file = write('german.ndjson', JSON.stringify(line))
    const { out } = await cli(['policy', 'evaluate', '--batch', file, '--lang', 'de'], { cwd })
    expect(JSON.parse(out).trace.map(({ text }: { text: string }) => text)).toEqual([
      'Abgelehnt: Keine Erlaubnis gilt.',
      'Die Erlaubnis „die Daten nutzen“ gilt nicht.',
      'Die angefragte Handlung fällt unter die Regel.',
      'Zeitpunkt der Nutzung: vor dem 1. Januar 2027, 00:00 Uhr UTC; festgestellt: 1. Januar 2027, 00:00 Uhr UTC – nicht erfüllt.',
    ])
  })

  it('numbers for people what it looked at, so that each condition stands below its rule', async () => {
    const policy = {
      permission: [
        {
          action: 'use',
          constraint: [
            { leftOperand: 'count', operator: 'lteq', rightOperand: '1000' },
            {
              or: [
                { leftOperand: 'elapsedTime', operator: 'lteq', rightOperand: 'P30D' },
                { leftOperand: 'ex:own', operator: 'eq', rightOperand: 'x' },
              ],
            },
          ],
          duty: [{ action: 'delete' }],
        },
      ],
      prohibition: [{ action: 'distribute' }],
    }
    const files = [write('p.json', JSON.stringify(policy)), write('r.json', JSON.stringify(USE))]
    const state = write('s.json', JSON.stringify({ at: '2026-06-01T12:30:00Z' }))
    const told = async (lang: string) =>
      (await cli(['policy', 'evaluate', ...files, state, '--lang', lang], { cwd })).out.trimEnd().split('\n')
    expect(await told('de')).toEqual([
      'Abgelehnt: Ein Verbot gilt oder ist nicht auszuschließen.',
      '1. Die Erlaubnis „die Daten nutzen“ gilt nicht.',
      '   1.1. Die angefragte Handlung fällt unter die Regel.',
      '   1.2. Zahl der Lieferungen: höchstens 1.000; kein Wert bekannt – nicht feststellbar.',
      '   1.3. Mindestens eine dieser Bedingungen: nicht feststellbar.',
      '      1.3.1. Zeit seit der ersten Nutzung: höchstens 30 Tage; kein Wert bekannt – nicht feststellbar.',
      '      1.3.2. „ex:own“ muss gleich „x“ sein; kein Wert bekannt: nicht feststellbar.',
      '   1.4. Die Pflicht „die Daten löschen“ ist nicht nachweislich erfüllt.',
      '2. Das Verbot „die Daten weitergeben“ gilt vielleicht.',
      '   2.1. Die angefragte Handlung fällt vielleicht unter die Regel.',
    ])
    expect((await told('en')).slice(0, 4)).toEqual([
      'Refused: a prohibition applies, or cannot be ruled out.',
      '1. The permission to use the data does not apply.',
      '   1.1. The action asked for is covered by the rule.',
      '   1.2. Number of deliveries: at most 1,000; no value is known – cannot be told.',
    ])
  })

  it('does not miss a value where the clock and the agreement tell', async () => {
    const policy = {
      permission: [
        {
          action: 'use',
          constraint: [
            { leftOperand: 'edc:inForceDate', operator: 'lt', rightOperand: 'contractAgreement+30d' },
            { leftOperand: 'edc:inForceDate', operator: 'lt', rightOperand: '2027-01-01T00:00:00Z' },
          ],
        },
      ],
    }
    const state = { at: '2026-05-02T00:00:00Z', agreedAt: '2026-05-01T00:00:00Z' }
    const file = write('clock.ndjson', JSON.stringify({ id: 1, policy, request: USE, state }))
    const { out } = await cli(['policy', 'evaluate', '--batch', file], { cwd })
    expect(
      JSON.parse(out)
        .trace.slice(-2)
        .map(({ text }: { text: string }) => text),
    ).toEqual([
      'Time of use: before "contractAgreement+30d" – met.',
      'Time of use: before 1 January 2027, 00:00 UTC; found: 2 May 2026, 00:00 UTC – met.',
    ])
  })

  it('counts duties in the mode that the line or the flag chooses', async () => {
    const line = (more: object) =>
      JSON.stringify({
        policy: { permission: [{ action: 'use', duty: [{ action: 'inform' }] }] },
        request: USE,
        state: {},
        ...more,
      })
    const file = write(
      'duties.ndjson',
      [line({}), line({ duties: 'eventual' }), line({ duties: 'never' })].join('\n'),
    )
    const decisions = async (...flags: readonly string[]) => {
      const { out } = await cli(['policy', 'evaluate', '--batch', file, ...flags], { cwd })
      return out
        .trim()
        .split('\n')
        .map((answer) => JSON.parse(answer).decision)
    }
    expect(await decisions()).toEqual(['deny', 'permit', undefined])
    expect(await decisions('--duties', 'eventual')).toEqual(['permit', 'permit', undefined])
  })

  it('adds the compliance report when asked', async () => {
    const file = write(
      'report.ndjson',
      JSON.stringify({ id: 1, policy: UNTIL_2027, request: USE, state: { at: '2026-01-01T00:00:00Z' } }),
    )
    const { out } = await cli(['policy', 'evaluate', '--batch', file, '--report'], { cwd })
    expect(JSON.parse(out).report[0]['report:ruleReport'][0]['report:activationState']).toEqual({
      '@id': 'report:Active',
    })
  })

  it('says that a file cannot be read', async () => {
    const { code, err } = await cli(['policy', 'evaluate', '--batch', 'absent.ndjson'], { cwd })
    expect(code).toBe(1)
    expect(err).toBe('absent.ndjson cannot be read. Check the name and its permissions.\n')
  })
})

describe('policy evaluate', () => {
  it('shows people what was decided and why, and exits with 1 when refused', async () => {
    const files = [
      write('policy.json', UNTIL_2027),
      write('request.json', USE),
      write('state.json', { at: '2027-06-01T00:00:00Z' }),
    ]
    const { code, out } = await cli(['policy', 'evaluate', ...files], { cwd })
    expect(code).toBe(1)
    expect(out.split('\n').slice(0, 2)).toEqual([
      'Refused: no permission applies.',
      '1. The permission to use the data does not apply.',
    ])
  })

  it('knows two ways of counting duties', async () => {
    const { code, err } = await cli(['policy', 'evaluate', '--duties', 'never'], { cwd })
    expect(code).toBe(2)
    expect(err).toContain('--duties takes before or eventual.')
  })
})

describe('policy compare', () => {
  const atMost = (count: string) => ({
    permission: [
      { action: 'use', constraint: [{ leftOperand: 'count', operator: 'lteq', rightOperand: count }] },
    ],
  })

  it('says which policy is stricter, clause by clause, with an example', async () => {
    const files = [write('a.json', atMost('5')), write('b.json', atMost('10'))]
    const { code, out } = await cli(['policy', 'compare', ...files], { cwd })
    expect(code).toBe(0)
    expect(out.split('\n')[0]).toMatch(
      /^the first is stricter; only the second allows, for example: .*Number of deliveries: 10$/,
    )
    expect(out).toContain(
      '  permission (use the data), Number of deliveries: the first is stricter; only the second allows, for example: Number of deliveries: 10\n',
    )
    const german = await cli(['policy', 'compare', ...files, '--lang', 'de'], { cwd })
    expect(german.out).toContain(
      '  Erlaubnis (die Daten nutzen), Zahl der Lieferungen: die erste ist strenger; nur die zweite erlaubt zum Beispiel: Zahl der Lieferungen: 10\n',
    )
  })

  it('answers every line of a batch, and a wrong line with its error', async () => {
    const file = write(
      'pairs.ndjson',
      [
        JSON.stringify({ id: 'a', a: atMost('5'), b: atMost('10') }),
        JSON.stringify({ id: 'b', a: atMost('5') }),
        '[',
        JSON.stringify({ id: 'c', policies: [atMost('5'), atMost('0')] }),
      ].join('\n'),
    )
    const { code, out } = await cli(['policy', 'compare', '--batch', file], { cwd })
    expect(code).toBe(0)
    const answers = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(
      answers.map(({ id, relation, overlap, error }) => [id, relation ?? overlap ?? error.code]),
    ).toEqual([
      ['a', 'stricter'],
      ['b', 'InvalidMessage'],
      [null, 'InvalidMessage'],
      ['c', 'yes'],
    ])
  })
})

describe('policy evaluate --reading edc', () => {
  const MOON = {
    permission: [
      {
        ...USE,
        constraint: [{ leftOperand: `${MDP}machineState`, operator: 'eq', rightOperand: 'fault' }],
      },
    ],
  }
  const [policy, request] = [write('moon.json', MOON), write('use.json', USE)]

  it('foretells what an EDC provider does, and says that it is a prediction', async () => {
    const ours = await cli(['policy', 'evaluate', policy, request], { cwd })
    expect(ours.code).toBe(1)
    const { code, out } = await cli(
      ['policy', 'evaluate', policy, request, '--reading', 'edc', '--lang', 'de'],
      {
        cwd,
      },
    )
    expect([code, out.trim().split('\n')]).toEqual([
      0,
      [
        'Vorhersage: Ein EDC-Anbieter würde das wohl erlauben. Was die Policy bedeutet, ist damit nicht gesagt.',
        '  permission[0]: „permission[0]“ steht nicht im Weg.',
        '  permission[0].constraint[0]: EDC sieht sich diese Bedingung nicht an: Der linke Operand ist nicht gebunden.',
      ],
    ])
  })

  it('takes batches and further bound terms, and refuses other readings', async () => {
    const file = write(
      'edc.ndjson',
      `${JSON.stringify({ id: 'x', policy: MOON, request: USE, state: {} })}\nno\n`,
    )
    const bound = ['--bound', `${MDP}machineState`]
    const { out } = await cli(['policy', 'evaluate', '--batch', file, '--reading', 'edc', ...bound], { cwd })
    const [first, second] = out
      .trim()
      .split('\n')
      .map((one) => JSON.parse(one))
    expect(first).toMatchObject({ id: 'x', reading: 'edc', decision: 'unknown', dropped: [] })
    expect(second.error.code).toBe('InvalidMessage')
    expect((await cli(['policy', 'evaluate', policy, request, '--reading', 'java'], { cwd })).code).toBe(2)
  })
})

describe('policy check', () => {
  it('shows by an example in words which use is allowed and forbidden at once', async () => {
    const file = write('except.json', {
      permission: [
        {
          action: 'use',
          constraint: [{ leftOperand: `${MDP}samplingInterval`, operator: 'gteq', rightOperand: 'PT10S' }],
        },
      ],
      prohibition: [{ action: `${MDP}reidentify` }],
    })
    const { out } = await cli(['policy', 'check', file, '--lang', 'de'], { cwd })
    expect(out).toContain('(Beispiel: die Daten nutzen; Abstand zwischen Einträgen: 10 Sekunden)')
  })

  it('names what is wrong and what cannot be enforced here, and exits with 1 on errors', async () => {
    const file = write('contradiction.json', {
      permission: [
        {
          action: 'use',
          constraint: [
            { leftOperand: 'count', operator: 'lt', rightOperand: '0' },
            { leftOperand: 'purpose', operator: 'eq', rightOperand: 'mdp:Research' },
          ],
        },
      ],
    })
    const { code, out } = await cli(['policy', 'check', file], { cwd })
    expect(code).toBe(1)
    expect(out.trim().split('\n')).toEqual([
      'Error: permission 1, condition 1: The conditions of this rule can never be met together.',
      'Tier 3 of 3: Some of it is agreed by contract only; nobody can enforce it technically.',
      '  Clause 3: Purpose of use: only "mdp:Research".',
    ])
    const checked = write('unchecked.json', {
      permission: [
        { action: 'use', constraint: [{ leftOperand: 'industry', operator: 'like', rightOperand: 'x' }] },
      ],
    })
    const unchecked = await cli(['policy', 'check', checked], { cwd })
    expect(unchecked.out).toMatch(/^Warning: permission 1, condition 1: .*operator "like"/m)
    expect(unchecked.out).not.toContain('Tier')
    const fine = await cli(['policy', 'check', write('fine.json', UNTIL_2027), '--lang', 'de'], { cwd })
    expect([fine.code, fine.out]).toEqual([
      0,
      'Es wurde nichts gefunden.\nStufe 1 von 3: Alles wird vom Connector des Anbieters durchgesetzt.\n',
    ])
  })
})

describe('policy check of several policies', () => {
  const limited = (operator: string, rightOperand: string) => [
    { leftOperand: 'count', operator, rightOperand },
  ]
  const few = write('few.json', { permission: [{ ...USE, constraint: limited('lteq', '5') }] })
  const some = write('some.json', { permission: [{ ...USE, constraint: limited('gteq', '3') }] })
  const many = write('many.json', { permission: [{ ...USE, constraint: limited('gt', '5') }] })

  it('tells whether all of them allow something in common, with an example', async () => {
    const { code, out } = await cli(['policy', 'check', few, some, '--lang', 'de'], { cwd })
    expect([code, out]).toEqual([
      0,
      'Die Policies lassen sich zusammen einhalten (Beispiel: die Daten nutzen; Zahl der Lieferungen: 3).\n',
    ])
    const none = await cli(['policy', 'check', few, some, many], { cwd })
    expect([none.code, none.out]).toEqual([
      1,
      'The policies contradict each other.\nThere is nothing that all of them allow.\n',
    ])
  })

  it('takes batches of single policies and of lists, and answers bad lines with their error', async () => {
    const permit = (constraint: unknown) => ({ permission: [{ ...USE, constraint }] })
    const file = write(
      'checks.ndjson',
      [
        JSON.stringify({ id: 1, policy: permit([...limited('gt', '5'), ...limited('lt', '3')]) }),
        JSON.stringify({ id: 2, policies: [permit(limited('gt', '5')), permit(limited('lt', '9'))] }),
        JSON.stringify({ id: 3 }),
        '{',
      ].join('\n'),
    )
    const { code, out } = await cli(['policy', 'check', '--batch', file], { cwd })
    expect(code).toBe(0)
    const [first, second, third, fourth] = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(first).toMatchObject({ id: 1, verdict: 'conflict', satisfiable: ['no'] })
    expect(first.findings[0]).toMatchObject({ kind: 'never', severity: 'error' })
    expect(second).toMatchObject({ id: 2, verdict: 'compatible', overlap: 'yes', findings: [] })
    expect([third.id, third.error.code, fourth.error.code]).toEqual([3, 'InvalidMessage', 'InvalidMessage'])
    expect((await cli(['policy', 'check'], { cwd })).code).toBe(2)
  })

  it('names rules of different files that contradict each other', async () => {
    const against = write('against.json', { prohibition: [{ ...USE, constraint: limited('gt', '4') }] })
    const duty = write('duty.json', { permission: [{ ...USE, duty: [{ action: 'inform' }] }] })
    const silent = write('silent.json', { prohibition: [{ action: 'inform' }] })
    const found = await cli(['policy', 'check', few, against], { cwd })
    expect(found.out).toContain(
      'Some use is allowed by few.json:permission[0] and prohibited by against.json:prohibition[0].',
    )
    expect(found.out).toContain('against.json allows nothing at all.')
    const blocked = await cli(['policy', 'check', duty, silent, '--json'], { cwd })
    expect(blocked.code).toBe(1)
    expect(JSON.parse(blocked.out).blockedDuties).toEqual([
      {
        duty: 'duty.json:permission[0].duty[0]',
        prohibition: 'silent.json:prohibition[0]',
        blocked: 'always',
      },
    ])
  })
})

describe('policy templates and policy new', () => {
  const SET = [
    'recipients=did:web:b.example',
    'fields=state',
    'tradeSecretFields=none',
    'personalFields=none',
  ]
  const given = [...SET, 'until=2027-12-31'].flatMap((setting) => ['--set', setting])

  it('lists the templates, and shows one with what has to be chosen', async () => {
    const list = await cli(['policy', 'templates', '--lang', 'de'], { cwd })
    expect(list.out).toMatch(/^trial +Probebetrieb$/m)
    const one = await cli(['policy', 'templates', 'affiliates', '--lang', 'de'], { cwd })
    expect(one.out).toMatch(
      /^recipients +Unternehmen, die die Daten erhalten dürfen\n +muss gewählt werden$/m,
    )
    const none = await cli(['policy', 'templates', 'nothing'], { cwd })
    expect([none.code, none.err]).toEqual([1, expect.stringContaining('There is no template "nothing".')])
  })

  it('prints the policy for programs and its clauses for people', async () => {
    const { code, out, err } = await cli(['policy', 'new', '--template', 'affiliates', ...given], { cwd })
    expect(code).toBe(0)
    expect(JSON.parse(out).prohibition).toEqual([{ action: 'odrl:distribute' }])
    expect(err).toContain(
      'The recipient must not pass the data on. Companies that are not named in the contract count as others',
    )
    expect(err).toContain('(agreed by contract only, not enforced technically)')
    expect(err).toContain('publishes an offer with this policy if you say so: --contract-only.')
  })

  it('writes a new file, and never over one that is there', async () => {
    const file = ['--out', 'new-policy.json']
    const first = await cli(['policy', 'new', '--template', 'trial', ...file], { cwd })
    expect(first.out).toContain('This connector can publish an offer with this policy.')
    const check = await cli(['policy', 'check', 'new-policy.json'], { cwd })
    expect(check.out).toBe(
      "Nothing was found.\nTier 1 of 3: All of it is enforced by the provider's connector.\n",
    )
    const second = await cli(['policy', 'new', '--template', 'trial', ...file], { cwd })
    expect([second.code, second.err]).toEqual([1, expect.stringContaining('it exists already')])
  })

  it('names everything that is missing, each on its own line', async () => {
    const { code, err } = await cli(['policy', 'new', '--template', 'affiliates'], { cwd })
    expect(code).toBe(1)
    expect(err.split('\n').filter((line) => line.includes(': choose a value'))).toHaveLength(5)
    expect(err).toContain('Try: handschlag policy templates affiliates')
  })
})
