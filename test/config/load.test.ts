import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDevelopmentCa, issueServerCertificate } from '../../certs-dev/generate.js'
import { type ConfigInput, resolveConfig } from '../../connector/config/load.js'
import { type ConfigProblem, renderProblems } from '../../connector/config/problem.js'
import { sampleFile } from '../../connector/config/sample.js'
import { settingEntries } from '../../connector/config/settings.js'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'handschlag-config-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const GOOD = 'name: Example Machines GmbH\npublicUrl: https://connector.example.com\ntls: off\n'

function load(yaml: string | undefined, env: ConfigInput['env'] = {}) {
  if (yaml !== undefined) writeFileSync(join(dir, 'handschlag.yaml'), yaml)
  return resolveConfig({ env, cwd: dir })
}

function config(yaml: string, env: ConfigInput['env'] = {}) {
  const resolved = load(yaml, env)
  if (!resolved.ok) throw new Error(renderProblems(resolved.error, 'en'))
  return resolved.value.config
}

function problems(yaml: string | undefined, env: ConfigInput['env'] = {}): readonly ConfigProblem[] {
  const resolved = load(yaml, env)
  if (resolved.ok) throw new Error('the configuration was accepted')
  return resolved.error
}

describe('a good configuration', () => {
  it('is typed, with defaults, absolute paths and milliseconds', () => {
    expect(config(GOOD)).toEqual({
      name: 'Example Machines GmbH',
      publicUrl: 'https://connector.example.com',
      receiveDir: join(dir, 'handschlag-data', 'received'),
      receiveLimit: 1_000_000_000,
      participantId: 'did:web:connector.example.com',
      host: '0.0.0.0',
      port: 8484,
      managementHost: '127.0.0.1',
      managementPort: 8485,
      dataDir: join(dir, 'handschlag-data'),
      tls: 'off',
      allowPrivateAddresses: false,
      historyRetentionMs: 86_400_000,
      logLevel: 'info',
      maxClockSkewMs: 60_000,
      maxConnections: 2000,
      maxConnectionsPerPartner: 256,
      maxRequestsPerSecond: 1000,
      language: 'en',
    })
  })

  it('may come from the environment alone', () => {
    const resolved = load(undefined, {
      HANDSCHLAG_NAME: 'A',
      HANDSCHLAG_PUBLIC_URL: 'https://a.example',
      HANDSCHLAG_TLS: 'off',
      HANDSCHLAG_ALLOW_PRIVATE_ADDRESSES: 'plc.local, 10.2.0.0/16',
    })
    expect(resolved.ok && resolved.value.config.allowPrivateAddresses).toEqual(['plc.local', '10.2.0.0/16'])
    expect(resolved.ok && resolved.value.file).toBeUndefined()
  })

  it('lets the environment win over the file, and an empty variable count as not set', () => {
    const env = { HANDSCHLAG_PORT: '9000', HANDSCHLAG_NAME: '' }
    expect(config(GOOD, env)).toMatchObject({ port: 9000, name: 'Example Machines GmbH' })
  })

  it('writes a port of publicUrl into the DID percent-encoded', () => {
    expect(config('name: A\npublicUrl: https://localhost:8484\ntls: off\n').participantId).toBe(
      'did:web:localhost%3A8484',
    )
  })

  it('takes paths in the file from the file, paths in the environment from the working directory', () => {
    mkdirSync(join(dir, 'etc'))
    writeFileSync(join(dir, 'etc', 'h.yaml'), `${GOOD}dataDir: data\n`)
    const fromFile = resolveConfig({ env: {}, cwd: dir, file: 'etc/h.yaml' })
    expect(fromFile.ok && fromFile.value.config.dataDir).toBe(join(dir, 'etc', 'data'))
    const fromEnv = resolveConfig({ env: { HANDSCHLAG_DATA_DIR: 'd' }, cwd: dir, file: 'etc/h.yaml' })
    expect(fromEnv.ok && fromEnv.value.config.dataDir).toBe(join(dir, 'd'))
  })

  it('speaks German when the environment does', () => {
    expect(config(GOOD, { LANG: 'de_AT.UTF-8' }).language).toBe('de')
    expect(config(GOOD, { LANG: 'de_DE', LC_ALL: 'C' }).language).toBe('en')
    expect(config(`${GOOD}language: de\n`).language).toBe('de')
  })

  it.each([
    ['PT0S', 0],
    ['PT24H', 86_400_000],
    ['P7D', 604_800_000],
    ['P1DT12H', 129_600_000],
    ['PT1H30M', 5_400_000],
    ['P2W', 1_209_600_000],
  ])('reads a retention of %s as %i ms', (text, ms) => {
    expect(config(`${GOOD}historyRetention: ${text}\n`).historyRetentionMs).toBe(ms)
  })
})

describe('a wrong configuration', () => {
  it('is told with all its mistakes at once, as one block', () => {
    const found = problems('nmae: A\npublicUrl: http://connector.example.com\nport: 99999\ntls: off\n')
    expect(renderProblems(found, 'en')).toBe(
      [
        'The connector cannot start: 4 settings need attention.',
        '',
        '  name (HANDSCHLAG_NAME) is not set.',
        '    Set name in handschlag.yaml or HANDSCHLAG_NAME, for example Example Machines GmbH',
        '',
        '  publicUrl (handschlag.yaml:2) is "http://connector.example.com", expected an https:// address without user name.',
        '    Example: https://connector.example.com',
        '',
        '  port (handschlag.yaml:3) is "99999", expected a port from 1 to 65535.',
        '    Example: 8484',
        '',
        '  nmae (handschlag.yaml:1) is not a known setting.',
        '    Did you mean "name"?',
      ].join('\n'),
    )
  })

  it('is one problem when there is no file and no variable: what to do about that, not what would stand in it', () => {
    const found = problems(undefined, { HANDSCHLAG_LANGUAGE: 'de', PATH: '/bin' })
    expect(renderProblems(found, 'en')).toBe(
      [
        'The connector cannot start: 1 setting needs attention.',
        '',
        `  ${join(dir, 'handschlag.yaml')} does not exist.`,
        '    Create it with: handschlag init. If it stands elsewhere, name it with --config.',
      ].join('\n'),
    )
    expect(problems(undefined, { HANDSCHLAG_PORT: '8484' }).map(({ setting }) => setting)).toContain('name')
    expect(problems(undefined, { HANDSCHLAG_PROT: '1' }).map(({ setting }) => setting)).toContain('name')
  })

  it('is told in German too', () => {
    expect(renderProblems(problems(`${GOOD}prot: 1\n`), 'de')).toBe(
      [
        'Der Connector kann nicht starten: 1 Einstellung muss berichtigt werden.',
        '',
        '  prot (handschlag.yaml:4) ist keine bekannte Einstellung.',
        '    Meinten Sie „port“?',
      ].join('\n'),
    )
  })

  it('lists the known settings when a name is like none of them', () => {
    const [found] = problems(`${GOOD}colour: red\n`)
    expect(found?.fix.en).toMatch(/^Remove it\. Known: name, publicUrl, /)
  })

  it('finds the same name in another spelling', () => {
    expect(problems(`${GOOD}data_dir: x\n`)[0]?.fix.en).toBe('Did you mean "dataDir"?')
    expect(problems(GOOD, { HANDSCHLAG_PROT: '1' })[0]).toMatchObject({
      setting: 'HANDSCHLAG_PROT',
      fix: { en: 'Did you mean "HANDSCHLAG_PORT"?' },
    })
  })

  it('leaves variables of the surroundings alone', () => {
    expect(config(GOOD, { HANDSCHLAG_SERVICE_HOST: '10.0.0.1', HANDSCHLAG_PORT_8484_TCP: 'x' }).port).toBe(
      8484,
    )
  })

  it('recognises the port variable that Kubernetes sets', () => {
    expect(problems(GOOD, { HANDSCHLAG_PORT: 'tcp://10.0.0.1:8484' })[0]?.fix.en).toContain(
      'enableServiceLinks: false',
    )
  })

  it('names both lines of a setting given twice', () => {
    const [found] = problems(`${GOOD}port: 1000\nport: 2000\n`)
    expect(found?.wrong.en).toBe('is set twice, in line 4 and line 5')
  })

  it.each([
    ['port: [1\nname: x', 2],
    ['a: 1\n\tb: 2', 2],
    ['name: "x\n', 2],
    ['name: a: b', 1],
  ])('names the line of the YAML mistake in %j', (yaml, line) => {
    expect(problems(yaml)[0]?.wrong.en).toMatch(new RegExp(`^cannot be read at line ${line}, `))
  })

  it('does not quote a line that cannot be read, because it may hold a secret', () => {
    const found = problems('tlsKeyPassphrase: "hunter2\n')
    expect(JSON.stringify(found)).not.toContain('hunter2')
  })

  it('refuses a file that is no list of settings', () => {
    expect(problems('- a\n- b\n')[0]?.wrong.en).toBe('is not a list of settings')
  })

  it('never echoes a secret, nor a password inside an address', () => {
    const found = problems(
      'name: A\npublicUrl: https://user:hunter2@connector.example.com\ntls: off\ntlsKeyPassphrase: [hunter2]\n',
    )
    expect(found.map((p) => p.setting)).toEqual(['publicUrl', 'tlsKeyPassphrase'])
    expect(JSON.stringify(found)).not.toContain('hunter2')
  })

  it('refuses a path in publicUrl and says what to do', () => {
    const [found] = problems('name: A\npublicUrl: https://example.com/connector\ntls: off\n')
    expect(found?.wrong.en).toContain('expected an https:// address without a path')
    expect(found?.fix.en).toContain('Use https://example.com,')
  })

  it('refuses the same port twice', () => {
    expect(problems(`${GOOD}managementPort: 8484\n`)[0]?.setting).toBe('managementPort')
  })

  it('asks for a participantId when publicUrl is an IPv6 address', () => {
    expect(problems('name: A\npublicUrl: https://[::1]:8484\ntls: off\n')[0]?.setting).toBe('participantId')
  })

  it.each([
    ['historyRetention', 'P1M'],
    ['historyRetention', 'P1Y'],
    ['historyRetention', '24h'],
    ['historyRetention', 'PT'],
    ['historyRetention', 'P'],
    ['maxClockSkew', 'PT1H'],
    ['maxConnections', '9'],
    ['maxRequestsPerSecond', '1.5'],
    ['maxConnectionsPerPartner', 'many'],
    ['logLevel', 'loud'],
    ['language', 'fr'],
    ['tls', 'maybe'],
    ['port', '0'],
    ['port', '84.84'],
    ['host', '"a b"'],
    ['participantId', 'did:key:abc'],
    ['allowPrivateAddresses', '[10.0.0.0/33]'],
    ['allowPrivateAddresses', '[a/b]'],
    ['name', '{a: 1}'],
  ])('refuses %s: %s', (setting, value) => {
    const lines = GOOD.split('\n').filter((line) => !line.startsWith(`${setting}:`))
    expect(problems(`${lines.join('\n')}${setting}: ${value}\n`).map((p) => p.setting)).toEqual([setting])
  })

  it('says how to create a file that was named and does not exist', () => {
    const resolved = resolveConfig({ env: {}, cwd: dir, file: 'other.yaml' })
    expect(resolved.ok ? [] : resolved.error.map((p) => p.fix.en)).toContain(
      'Create it with: handschlag init. If it stands elsewhere, name it with --config.',
    )
  })
})

describe('certificates', () => {
  const withTls = 'name: A\npublicUrl: https://connector.example.com\ntlsCert: cert.pem\ntlsKey: key.pem\n'

  async function write(name = 'connector.example.com'): Promise<void> {
    const ca = await createDevelopmentCa()
    const issued = await issueServerCertificate(ca, { dnsNames: [name] })
    writeFileSync(join(dir, 'cert.pem'), issued.cert)
    writeFileSync(join(dir, 'key.pem'), issued.key)
    writeFileSync(join(dir, 'ca.pem'), ca.cert)
  }

  it('are accepted when key, certificate and address fit together', async () => {
    await write()
    const resolved = load(`${withTls}trustedCa: ca.pem\n`)
    expect(resolved.ok && resolved.value.warnings).toEqual([])
    expect(resolved.ok && resolved.value.config.tlsCert).toBe(join(dir, 'cert.pem'))
  })

  it('are asked for unless tls is off', () => {
    expect(problems(GOOD.replace('tls: off\n', '')).map((p) => p.setting)).toEqual(['tlsCert', 'tlsKey'])
  })

  it('need a certificate when there is a key', async () => {
    await write()
    expect(problems(withTls.replace('tlsCert: cert.pem\n', '')).map((p) => p.setting)).toEqual(['tlsCert'])
  })

  it('are reported when they cannot be read', () => {
    expect(problems(withTls).map((p) => p.wrong.en)).toEqual([
      `names ${join(dir, 'cert.pem')}, which does not exist`,
      `names ${join(dir, 'key.pem')}, which does not exist`,
    ])
  })

  it('are reported when the key belongs to another certificate', async () => {
    await write()
    const other = await issueServerCertificate(undefined, { dnsNames: ['x.example'] })
    writeFileSync(join(dir, 'key.pem'), other.key)
    expect(problems(withTls).map((p) => p.wrong.en)).toEqual([
      'does not belong to the first certificate in tlsCert',
    ])
  })

  it('are reported when they are something else, without quoting it', async () => {
    await write()
    writeFileSync(join(dir, 'cert.pem'), 'hunter2')
    writeFileSync(join(dir, 'key.pem'), '-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n')
    const found = problems(withTls)
    expect(found.map((p) => p.setting)).toEqual(['tlsCert', 'tlsKey'])
    expect(JSON.stringify(found)).not.toContain('hunter2')
  })

  it('open with the passphrase, and are reported without it', async () => {
    await write()
    const { createPrivateKey } = await import('node:crypto')
    const { readFileSync } = await import('node:fs')
    const encrypted = createPrivateKey(readFileSync(join(dir, 'key.pem'))).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'hunter2',
    })
    writeFileSync(join(dir, 'key.pem'), encrypted)
    expect(problems(withTls)[0]?.wrong.en).toBe('is encrypted, and no passphrase is set')
    expect(problems(withTls, { HANDSCHLAG_TLS_KEY_PASSPHRASE: 'wrong' })[0]?.wrong.en).toBe(
      'does not open with the passphrase',
    )
    expect(config(withTls, { HANDSCHLAG_TLS_KEY_PASSPHRASE: 'hunter2' }).tlsKeyPassphrase).toBe('hunter2')
  })

  it('for another host are a warning, because a proxy may show a better one', async () => {
    await write('other.example')
    const resolved = load(withTls)
    expect(resolved.ok && resolved.value.warnings.map((p) => p.wrong.en)).toEqual([
      'is not made out to connector.example.com, the host of publicUrl',
    ])
  })

  it('stay unread for commands that only talk to a running connector', () => {
    writeFileSync(join(dir, 'handschlag.yaml'), withTls)
    expect(resolveConfig({ env: {}, cwd: dir, readTlsFiles: false }).ok).toBe(true)
  })
})

describe('the sample file', () => {
  it.each(['en', 'de'] as const)('in %s is a good configuration once the needed values are in', (lang) => {
    const values = { name: 'Müller: "A" & Söhne #1', publicUrl: 'https://c.example', tls: 'off' }
    const loaded = config(sampleFile(lang, values))
    expect(loaded).toMatchObject({ name: values.name, publicUrl: values.publicUrl, tls: 'off', port: 8484 })
  })

  it('describes every setting and its variable', () => {
    const sample = sampleFile('en')
    for (const [name, { env, about }] of settingEntries) {
      expect(sample).toContain(`\n#${name}: `)
      expect(sample).toContain(`Environment: ${env}.`)
      expect(sample).toContain(`# ${about.en}`)
    }
  })

  it('shows examples that are accepted when switched on', () => {
    const on = sampleFile('en').replaceAll(/^#(?=[a-z]\w+: )/gim, '')
    writeFileSync(join(dir, 'handschlag.yaml'), on)
    const resolved = resolveConfig({ env: {}, cwd: dir, readTlsFiles: false })
    expect(resolved.ok ? [] : resolved.error).toEqual([])
  })

  it.each([
    'true',
    'off: x',
    '12',
    '- a',
    '',
    '#x',
    'a # b',
    "it's",
    'null',
    ' x',
  ])('quotes %j so that it stays a text', (name) => {
    const loaded = load(sampleFile('en', { name, publicUrl: 'https://c.example', tls: 'off' }))
    expect(loaded.ok ? loaded.value.config.name : loaded.error.map((p) => p.setting)).toEqual(
      name === '' ? ['name'] : name.trim(),
    )
  })
})
