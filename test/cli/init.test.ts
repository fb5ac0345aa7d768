import { X509Certificate } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { doctorParts } from '../../connector/assembly/doctor.js'
import { baseCommands } from '../../connector/cli/commands.js'
import { resolveConfig } from '../../connector/config/load.js'
import { problem } from '../../connector/core/result.js'
import { cli, fakeDeps } from './support.js'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'handschlag-init-'))
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

const FLAGS = ['init', '--public-url', 'https://c.example', '--name', 'Müller & Söhne', '--no-tls']

it('creates a private data directory and a configuration that is in order, and says what comes next', async () => {
  const { code, out, err } = await cli(FLAGS, { cwd })
  expect([code, err]).toEqual([0, ''])
  expect(out).toBe(
    `Created ${join(cwd, 'handschlag.yaml')}\n` +
      `Created ${join(cwd, 'handschlag-data')}, with key 2026-11-a; only this user can read it\n` +
      '\n' +
      'Next: handschlag doctor\n',
  )
  expect(statSync(join(cwd, 'handschlag-data')).mode & 0o777).toBe(0o700)
  expect(statSync(join(cwd, 'handschlag.yaml')).mode & 0o777).toBe(0o600)
  const resolved = resolveConfig({ env: {}, cwd })
  expect(resolved.ok && resolved.value.config).toMatchObject({
    name: 'Müller & Söhne',
    publicUrl: 'https://c.example',
    participantId: 'did:web:c.example',
    tls: 'off',
  })
})

it('names the certificate as the one thing still open', async () => {
  const { out } = await cli(
    FLAGS.filter((word) => word !== '--no-tls'),
    { cwd },
  )
  expect(out).toContain('Still open: the certificate. Set tlsCert and tlsKey in handschlag.yaml')
})

it('overwrites nothing and names the file that exists', async () => {
  writeFileSync(join(cwd, 'handschlag.yaml'), 'mine')
  const { code, err } = await cli(FLAGS, { cwd })
  expect([
    code,
    err.startsWith(`${join(cwd, 'handschlag.yaml')} exists already. Nothing was changed`),
  ]).toEqual([1, true])
  expect(readdirSync(cwd)).toEqual(['handschlag.yaml'])
  expect(readFileSync(join(cwd, 'handschlag.yaml'), 'utf8')).toBe('mine')
})

it('neither fills nor closes a folder that is in use for something else', async () => {
  mkdirSync(join(cwd, 'home'))
  chmodSync(join(cwd, 'home'), 0o755)
  writeFileSync(join(cwd, 'home', 'letter.txt'), '')
  const { code, err } = await cli([...FLAGS, '--data-dir', 'home'], { cwd })
  expect([code, err]).toEqual([
    1,
    expect.stringContaining('is in use for something else: it holds letter.txt'),
  ])
  expect(statSync(join(cwd, 'home')).mode & 0o777).toBe(0o755)
  expect(existsSync(join(cwd, 'handschlag.yaml'))).toBe(false)
})

it('goes on in a data directory that has keys already', async () => {
  mkdirSync(join(cwd, 'handschlag-data', 'keys'), { recursive: true })
  expect((await cli(FLAGS, { cwd })).code).toBe(0)
})

it('asks only for the address and the name', async () => {
  const { code, out } = await cli(['init', '--no-tls'], { cwd, typed: ['https://c.example', 'A GmbH'] })
  expect(code).toBe(0)
  expect(out.split('Created')[0]).toBe(
    'Public address, where partners reach this connector (https://connector.example.com): Name of your company: ',
  )
  const resolved = resolveConfig({ env: {}, cwd })
  expect(resolved.ok && resolved.value.config.name).toBe('A GmbH')
})

it('asks again after an answer that cannot be', async () => {
  const { code, err } = await cli(['init', '--no-tls', '--name', 'A'], {
    cwd,
    typed: ['c.example', 'https://c.example'],
  })
  expect([code, err]).toEqual([
    0,
    '--public-url takes an https:// address without user name, for example https://connector.example.com\n',
  ])
})

it('changes nothing when the person leaves', async () => {
  const { code, err } = await cli(['init'], { cwd, typed: [] })
  expect([code, err.trim()]).toEqual([1, 'Nothing was changed.'])
  expect(readdirSync(cwd)).toEqual([])
})

it.each([
  [
    ['init', '--name', 'A'],
    '--public-url is missing, and there is no terminal to ask at. Nothing was changed.',
  ],
  [
    ['init', '--public-url', 'https://c.example'],
    '--name is missing, and there is no terminal to ask at. Nothing was changed.',
  ],
  [
    ['init', '--name', 'A', '--public-url', 'c.example'],
    '--public-url takes an https:// address without user name, for example https://connector.example.com',
  ],
  [
    [...FLAGS, '--tls-cert', 'x', '--tls-key', 'y'],
    '--no-tls leaves nothing for a certificate to do. Name one of the two.',
  ],
  [['init', '--tls-cert', 'x'], '--tls-cert and --tls-key belong together.'],
  [
    [...FLAGS, '--dev-ca', 'x'],
    '--dev-ca is for development certificates: it needs --dev and goes without --tls-cert.',
  ],
])('%j without a terminal is a usage error and changes nothing', async (argv, sentence) => {
  const { code, err } = await cli(argv, { cwd })
  expect([code, err.split('\n')[0]]).toEqual([2, sentence])
  expect(readdirSync(cwd)).toEqual([])
})

it('with --dev needs no answer: development certificates on localhost', async () => {
  const { code, out } = await cli(['init', '--dev'], { cwd })
  expect([code, out.includes('Next: handschlag doctor --dev')]).toEqual([0, true])
  const resolved = resolveConfig({ env: {}, cwd, readTlsFiles: false })
  expect(resolved.ok && resolved.value.config).toMatchObject({
    publicUrl: 'https://localhost:8484',
    participantId: 'did:web:localhost%3A8484',
    tlsCert: join(cwd, 'handschlag-data/dev-certs/localhost.pem'),
    trustedCa: join(cwd, 'handschlag-data/dev-certs/ca.pem'),
    allowPrivateAddresses: ['localhost', '127.0.0.0/8', '::1/128'],
  })
})

it('with --dev listens where the address says, so that two fit on one machine', async () => {
  await cli(['init', '--dev', '--public-url', 'https://localhost:9000'], { cwd })
  const resolved = resolveConfig({ env: {}, cwd, readTlsFiles: false })
  expect(resolved.ok && resolved.value.config).toMatchObject({ port: 9000, managementPort: 9001 })
})

const made = { ...fakeDeps, createDevCertificates: doctorParts.createDevCertificates }
const authority = (folder: string) => new X509Certificate(readFileSync(join(cwd, folder, 'dev-certs/ca.pem')))
const server = (folder: string) =>
  new X509Certificate(readFileSync(join(cwd, folder, 'dev-certs/localhost.pem')))

it('with --dev says how a second connector joins, and that command makes two that trust each other', async () => {
  const commands = baseCommands(made)
  const { out } = await cli(['init', '--dev'], { cwd, commands })
  const told = /^For a second connector that can meet this one: handschlag (.*)$/m.exec(out)?.[1] ?? ''
  expect(told).toBe(
    `init --dev --dev-ca ${join(cwd, 'handschlag-data/dev-certs')} --public-url https://localhost:9484 --data-dir second-data --config second.yaml`,
  )
  const second = await cli(told.split(' '), { cwd, commands })
  expect([second.code, second.err]).toEqual([0, ''])
  expect(second.out).not.toContain('For a second connector')
  const resolved = resolveConfig({ env: {}, cwd, file: 'second.yaml' })
  expect(resolved.ok && resolved.value.config).toMatchObject({
    port: 9484,
    trustedCa: join(cwd, 'second-data/dev-certs/ca.pem'),
  })
  for (const [mine, theirs] of [
    ['handschlag-data', 'second-data'],
    ['second-data', 'handschlag-data'],
  ] as const) {
    expect(server(theirs).verify(authority(mine).publicKey)).toBe(true)
  }
  expect(server('second-data').fingerprint256).not.toBe(server('handschlag-data').fingerprint256)
  expect(statSync(join(cwd, 'second-data/dev-certs/ca.key')).mode & 0o777).toBe(0o600)
})

it.each([
  ['en', 'holds no development authority that could be used'],
  ['de', 'enthält keine brauchbare Entwicklungs-Zertifizierungsstelle'],
])('with --dev-ca of a folder without an authority writes no configuration and says why (%s)', async (lang, why) => {
  mkdirSync(join(cwd, 'empty'))
  const argv = ['init', '--dev', '--dev-ca', 'empty', '--lang', lang]
  const { code, err } = await cli(argv, { cwd, commands: baseCommands(made) })
  expect([code, err]).toEqual([1, expect.stringContaining(why)])
  expect(existsSync(join(cwd, 'handschlag.yaml'))).toBe(false)
})

it('writes no configuration when the keys cannot be made', async () => {
  const commands = baseCommands({
    ...fakeDeps,
    createKeys: async () => problem('InvalidInput', 'The keys cannot be written: the disk is full.'),
  })
  const { code, err } = await cli(FLAGS, { cwd, commands })
  expect([code, err]).toEqual([1, 'The keys cannot be written: the disk is full.\n'])
  expect(existsSync(join(cwd, 'handschlag.yaml'))).toBe(false)
})

it('says what to do when the data directory cannot be made', async () => {
  writeFileSync(join(cwd, 'file'), '')
  const { code, err } = await cli([...FLAGS, '--data-dir', 'file/data'], { cwd })
  expect([code, err]).toEqual([1, expect.stringContaining('is a file, but a data directory is needed there')])
})
