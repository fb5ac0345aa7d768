import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CASES } from './cases.js'
import { kitProperties } from './properties.js'
import { type CaseOutcome, closingLine, judge, type KitResult, markdown } from './verdict.js'

const DISABLED = ['TP:02-04', 'TP_C:02-04']

/** A run as it must be, written by hand but for the names. */
function perfect(): { counted: KitResult['counted']; cases: CaseOutcome[] } {
  const cases = CASES.map(({ id }): CaseOutcome => {
    const name = `${id}: Verify something`
    return DISABLED.includes(id)
      ? { name, outcome: 'skipped', seconds: 0, why: 'is @Disabled' }
      : { name, outcome: 'succeeded', seconds: 0.5 }
  })
  const counted = { found: 67, succeeded: 65, failed: 0, skipped: 2, aborted: 0, containersFailed: 0 }
  return { counted, cases }
}

/** The perfect run with one case replaced; `undefined` takes it out. */
function but(id: string, change: Partial<CaseOutcome> | undefined, counts: object = {}): KitResult {
  const { counted, cases } = perfect()
  return {
    counted: { ...counted, ...counts },
    cases: cases.flatMap((one) => {
      if (!one.name.startsWith(id)) return [one]
      return change === undefined ? [] : [{ ...one, ...change }]
    }),
  }
}

const findings = (result: KitResult) => judge(CASES, result).findings

it('knows the 67 cases of the kit: 1 for the version, 3 for the catalog, 31 negotiations, 32 transfers', () => {
  const count = (group: string) => CASES.filter((one) => one.group === group).length
  expect(['MET', 'CAT', 'CN', 'CN_C', 'TP', 'TP_C'].map(count)).toEqual([1, 3, 15, 16, 16, 16])
  expect(new Set(CASES.map(({ id }) => id)).size).toBe(67)
  expect(CASES.filter((one) => one.disabled).map(({ id }) => id)).toEqual(DISABLED)
})

describe('the verdict', () => {
  it('takes 65 succeeded, none failed and the two disabled ones skipped, and nothing else', () => {
    const verdict = judge(CASES, perfect())
    expect(verdict).toEqual({ passed: 65, failed: 0, skipped: 2, findings: [] })
    expect(closingLine(verdict)).toBe('65 passed, 0 failed, 2 skipped')
  })

  it('fails 64 of 65 and names the case with its reason', () => {
    const result = but(
      'CN:01-03',
      { outcome: 'failed', why: 'AssertionError: state was OFFERED' },
      {
        succeeded: 64,
        failed: 1,
      },
    )
    expect(judge(CASES, result)).toMatchObject({ passed: 64, failed: 1, skipped: 2 })
    expect(findings(result)).toEqual(['CN:01-03: Verify something failed: AssertionError: state was OFFERED'])
  })

  it('fails 64 succeeded although nothing failed', () => {
    const missing = but('TP_C:03-06', undefined, { found: 66, succeeded: 64 })
    expect(judge(CASES, missing)).toMatchObject({ passed: 64, failed: 1, skipped: 2 })
    expect(findings(missing)).toEqual(['TP_C:03-06 was not run'])
  })

  it('fails a case that was skipped or given up although it must run', () => {
    const skipped = but('CAT:01-01', { outcome: 'skipped' }, { succeeded: 64, skipped: 3 })
    expect(findings(skipped)).toEqual(['CAT:01-01: Verify something should have succeeded, but was skipped'])
    const aborted = but('CAT:01-01', { outcome: 'aborted' }, { succeeded: 64, aborted: 1 })
    expect(judge(CASES, aborted)).toMatchObject({ passed: 64, failed: 1 })
  })

  it('fails a disabled case that runs: the kit is another one than the table knows', () => {
    const running = but('TP:02-04', { outcome: 'succeeded' }, { succeeded: 66, skipped: 1 })
    expect(judge(CASES, running)).toMatchObject({ passed: 65, failed: 1, skipped: 1 })
  })

  it('fails when a class breaks before its cases, even if every case is there', () => {
    const { counted, cases } = perfect()
    const broken: CaseOutcome = {
      name: 'CatalogTest',
      outcome: 'failed',
      seconds: 0,
      why: 'BindException: in use',
    }
    expect(
      judge(CASES, { counted: { ...counted, containersFailed: 1 }, cases: [...cases, broken] }),
    ).toMatchObject({ failed: 1, findings: ['CatalogTest broke: BindException: in use'] })
  })

  it('fails when the numbers of the platform are others than the list of cases says', () => {
    const { counted, cases } = perfect()
    expect(findings({ counted: { ...counted, succeeded: 64 }, cases })).toEqual([
      'the platform counted 64 succeeded, and 65 are required',
    ])
  })

  it('fails a case that nobody knows, and one that comes twice', () => {
    const { counted, cases } = perfect()
    const more: CaseOutcome = { name: 'CN:09-01: Verify more', outcome: 'succeeded', seconds: 0 }
    const result = { counted, cases: [...cases, more, more] }
    expect(findings(result)).toEqual(['CN:09-01 was run twice', 'CN:09-01 is unknown to the table of cases'])
  })

  it('fails a run without any case', () => {
    const none = { found: 0, succeeded: 0, failed: 0, skipped: 0, aborted: 0, containersFailed: 0 }
    expect(judge(CASES, { counted: none, cases: [] })).toMatchObject({ passed: 0, failed: 67, skipped: 0 })
  })

  it('is kept as a page with a row for each case', () => {
    const result = but('CN:01-03', { outcome: 'failed', why: 'expected | got' }, { succeeded: 64, failed: 1 })
    const page = markdown(judge(CASES, result), result, { kit: 'kit 1', version: '0.1', at: 'today' })
    expect(page).toContain('Handschlag 0.1 against the kit 1, today: 64 passed, 1 failed, 2 skipped.')
    expect(page.split('\n').filter((line) => /^\| [A-Z_]+:/.test(line))).toHaveLength(67)
    expect(page).toContain('| CN:01-03: Verify something | failed | 0.50 s | expected \\| got |')
    expect(page).toContain('| TP:02-04: Verify something | skipped | 0.00 s | disabled in the kit |')
  })
})

it('has a test of its own for each case that the kit leaves out', () => {
  const folder = join(import.meta.dirname, '../protocol')
  const tests = readdirSync(folder)
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
  const untested = DISABLED.filter((id) => !tests.some((text) => text.includes(`it('${id} `)))
  expect(untested).toEqual([])
})

it('tells the kit what each case is about, in the form in which the kit looks for it', () => {
  const text = kitProperties({
    kitPort: 8083,
    participantId: 'did:web:localhost%3A8484',
    dspAddress: 'https://localhost:8484/dsp',
    versionBase: 'https://localhost:8484',
    authorization: '{"clientId":"TCK_PARTICIPANT"}',
    initiate: 'http://127.0.0.1:9000',
    patience: 10,
  })
  const lines = text.trim().split('\n')
  expect(lines).toContain('dataspacetck.callback.address=http://localhost:8083')
  expect(lines).toContain(
    'dataspacetck.dsp.connector.http.headers.authorization={"clientId":"TCK_PARTICIPANT"}',
  )
  expect(lines).toContain('CAT_01_03_DATASETID=CAT0103')
  expect(lines).toContain('CN_01_02_DATASETID=ACN0102')
  expect(lines).toContain('CN_01_02_OFFERID=CD123:ACN0102:456')
  expect(lines).toContain('CN_C_03_06_DATASETID=ACNC0306')
  expect(lines).toContain('TP_02_05_AGREEMENTID=ATP0205')
  expect(lines).toContain('TP_C_01_05_AGREEMENTID=ATPC0105')
  expect(lines).toContain('TP_C_01_05_FORMAT=HttpData-PULL')
  // 3 datasets, 15 with their offers, 16 datasets, and 32 agreements with their formats.
  expect(lines.filter((line) => /^[A-Z]/.test(line))).toHaveLength(3 + 2 * 15 + 16 + 2 * 32)
})
