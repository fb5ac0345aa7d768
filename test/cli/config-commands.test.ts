import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { cli } from './support.js'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'handschlag-config-'))
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

const write = (yaml: string): void => writeFileSync(join(cwd, 'handschlag.yaml'), yaml)
const GOOD = 'name: A\npublicUrl: https://c.example\ntls: off\n'

it('config check accepts a good file', async () => {
  write(GOOD)
  expect(await cli(['config', 'check'], { cwd })).toEqual({
    code: 0,
    out: `The configuration is in order (${join(cwd, 'handschlag.yaml')}).\n`,
    err: '',
  })
})

it('config check tells all problems and ends with 78', async () => {
  write('publicUrl: c.example\nprot: 1\ntls: off\n')
  const { code, out, err } = await cli(['config', 'check'], { cwd })
  expect([code, out, err.split('\n')[0]]).toEqual([
    78,
    '',
    'The connector cannot start: 3 settings need attention.',
  ])
  const asJson = await cli(['config', 'check', '--json'], { cwd })
  expect(asJson.code).toBe(78)
  expect(JSON.parse(asJson.out)).toMatchObject({
    ok: false,
    problems: [
      { setting: 'name' },
      { setting: 'publicUrl' },
      { setting: 'prot', fix: 'Did you mean "port"?' },
    ],
  })
})

it('config check shows warnings of a file that is in order', async () => {
  write(`${GOOD}participantId: did:web:other.example\n`)
  const { code, out } = await cli(['config', 'check'], { cwd })
  expect([code, out]).toEqual([
    0,
    expect.stringContaining('points to other.example, but publicUrl is https://c.example'),
  ])
})

it('config print shows every value, where it comes from, and no secret', async () => {
  write(`${GOOD}dataDir: data\n`)
  const env = { HANDSCHLAG_PORT: '9000', HANDSCHLAG_TLS_KEY_PASSPHRASE: 'hunter2' }
  const { code, out } = await cli(['config', 'print'], { cwd, env })
  expect(code).toBe(0)
  for (const line of [
    'name: A  # handschlag.yaml:1',
    'participantId: "did:web:c.example"  # derived',
    'port: 9000  # HANDSCHLAG_PORT',
    'managementPort: 8485  # default',
    `dataDir: ${join(cwd, 'data')}  # handschlag.yaml:4`,
    'tlsKeyPassphrase: "********"  # HANDSCHLAG_TLS_KEY_PASSPHRASE',
    '# trustedCa:',
  ]) {
    expect(out.split('\n')).toContain(line)
  }
  const asJson = await cli(['config', 'print', '--json'], { cwd, env })
  expect(JSON.parse(asJson.out).settings.port).toEqual({ value: 9000, from: 'HANDSCHLAG_PORT' })
  expect(out + asJson.out).not.toContain('hunter2')
})

it('config print writes what a configuration file takes', async () => {
  write(`${GOOD}maxClockSkew: PT2M\n`)
  const { out } = await cli(['config', 'print'], { cwd })
  expect(out).toContain('historyRetention: PT24H  # default\n')
  expect(out).toContain('maxClockSkew: PT2M  # handschlag.yaml:')
  write(out)
  const { code, err } = await cli(['config', 'check'], { cwd })
  expect([code, err]).toEqual([0, ''])
})

it('config print of a wrong file ends with 78', async () => {
  write('name: A\n')
  expect((await cli(['config', 'print'], { cwd })).code).toBe(78)
})

it('--config names another file, and one that is not there is told', async () => {
  writeFileSync(join(cwd, 'other.yaml'), GOOD)
  expect((await cli(['config', 'check', '--config', 'other.yaml'], { cwd })).code).toBe(0)
  expect((await cli(['config', 'check'], { cwd, env: { HANDSCHLAG_CONFIG: 'other.yaml' } })).code).toBe(0)
  const { code, err } = await cli(['config', 'check', '--config', 'none.yaml', '--lang', 'de'], { cwd })
  expect([code, err]).toEqual([78, expect.stringContaining('gibt es nicht')])
})
