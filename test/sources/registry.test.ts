import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { checkSource, findSourceKind, SOURCE_KINDS } from '../../connector/dataplane/sources/registry.js'
import {
  freePort,
  makeCertificates,
  mosquittoPath,
  setPassword,
  startAedes,
  startMosquitto,
  withMosquitto,
} from './brokers.js'
import { inTempDir, number } from './support.js'

const mapping = { time: 'arrival', signals: { n: 'n' } }
const mqtt = (url: string, extra: Record<string, unknown> = {}) => ({
  url,
  topics: ['plant/#'],
  mapping,
  ...extra,
})
const said = async (kind: string, config: unknown, signals = [number('n')]) => {
  const checked = await checkSource(kind, config, { signals, timeoutMs: 2_000 })
  return checked.ok ? checked.value : `${checked.error.code}: ${checked.error.message}`
}

it('knows its kinds, and which of their settings are secret', () => {
  expect(Object.entries(SOURCE_KINDS).map(([name, { secretKeys }]) => [name, ...secretKeys])).toEqual([
    ['mqtt', 'password'],
    ['files'],
    ['bytes'],
  ])
  expect(findSourceKind('constructor')).toBeUndefined()
})

it('names the kinds when asked for another', async () => {
  expect(await said('opcua', {})).toBe(
    'InvalidInput: There is no kind of source called opcua. Known: mqtt, files, bytes.',
  )
})

it('says that a broker refuses connections', async () => {
  const url = `mqtt://127.0.0.1:${await freePort()}`
  expect(await said('mqtt', mqtt(url))).toBe(
    `SourceUnavailable: The broker at ${url} refuses connections. Start it, or correct url in the source.`,
  )
})

it('says that a broker does not answer', async () => {
  const server = createServer((socket) => socket.resume())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const url = `mqtt://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  expect(await said('mqtt', mqtt(url))).toBe(
    `SourceUnavailable: The broker at ${url} does not answer. Check the network, the firewall and url in the source.`,
  )
  server.close()
})

it('falls back to MQTT 3.1.1, and says so', async () => {
  await using broker = await startAedes()
  const url = `mqtt://127.0.0.1:${broker.port}`
  expect(await said('mqtt', mqtt(url))).toBe(
    `The broker at ${url} lets this connector read the topics (MQTT 3.1.1).`,
  )
  expect(await said('mqtt', mqtt(url, { protocolVersion: 5 }))).toMatch(
    /^SourceUnavailable: The broker at .* (does not speak this version of MQTT|closed the connection)/,
  )
})

it('says that a PEM file cannot be read', async () => {
  expect(await said('mqtt', mqtt('mqtts://localhost:1', { ca: '/nowhere/ca.pem' }))).toBe(
    "SourceUnavailable: A PEM file of the source for mqtts://localhost:1 cannot be read: ENOENT: no such file or directory, open '/nowhere/ca.pem'. Correct ca, cert or key.",
  )
})

it.skipIf(mosquittoPath === undefined)(
  withMosquitto('says what is wrong with TLS, user or topics, and never shows the password'),
  () =>
    inTempDir(async (dir) => {
      const { ca, cert, key, otherCa } = await makeCertificates(dir)
      const password = randomBytes(8).toString('hex')
      const acl = join(dir, 'acl')
      await writeFile(acl, 'user reader\ntopic read allowed/#\n', { mode: 0o600 })
      await using broker = await startMosquitto(dir, [
        'allow_anonymous false',
        `password_file ${await setPassword(dir, 'reader', password)}`,
        `acl_file ${acl}`,
        `certfile ${cert}`,
        `keyfile ${key}`,
      ])
      const url = `mqtts://localhost:${broker.port}`
      const good = { ca, username: 'reader', password, topics: ['allowed/+'] }
      const answers = {
        good: await said('mqtt', mqtt(url, good)),
        three: await said('mqtt', mqtt(url, { ...good, protocolVersion: 4 })),
        topics: await said('mqtt', mqtt(url, { ...good, topics: ['allowed/+', 'hidden/#'] })),
        password: await said('mqtt', mqtt(url, { ...good, password: `${password}x` })),
        password3: await said('mqtt', mqtt(url, { ...good, password: `${password}x`, protocolVersion: 4 })),
        anonymous: await said('mqtt', mqtt(url, { ca })),
        noCa: await said('mqtt', mqtt(url, { ...good, ca: undefined })),
        otherCa: await said('mqtt', mqtt(url, { ...good, ca: otherCa })),
        otherName: await said('mqtt', mqtt(url.replace('localhost', '127.0.0.1'), good)),
        notTls: await said('mqtt', mqtt(`mqtts://localhost:${await plainPort()}`, good)),
      }
      expect(JSON.stringify(answers)).not.toContain(password)
      const untrusted = `SourceUnavailable: The certificate of the broker at ${url} is not signed by an authority known here. Set ca in the source to the PEM file of its authority.`
      const refused = `SourceUnavailable: The broker at ${url} does not let in the user reader. Correct username and password in the source, or permit it at the broker.`
      expect(answers).toEqual({
        good: `The broker at ${url} lets this connector read the topics (MQTT 5).`,
        three: `The broker at ${url} lets this connector read the topics (MQTT 3.1.1).`,
        topics: expect.stringMatching(
          /lets this connector read the topics|does not permit reading hidden\/#/,
        ),
        // mosquitto says "not authorized" for a wrong password.
        password: refused,
        password3: refused,
        anonymous: `SourceUnavailable: The broker at ${url} does not let in anonymous clients. Set username and password in the source, or permit it at the broker.`,
        noCa: untrusted,
        otherCa: untrusted,
        otherName: `SourceUnavailable: The certificate of the broker at ${url.replace('localhost', '127.0.0.1')} is made for another host name. Use the name in the certificate in url, or give the broker a certificate for this name.`,
        notTls: expect.stringMatching(/does not speak TLS there/),
      })
    }),
)

/** A broker without TLS, which ends with the test process. */
async function plainPort(): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}).end('no TLS here'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  const address = server.address()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

it('opens files and says what it found', () =>
  inTempDir(async (dir) => {
    const file = join(dir, 'a.csv')
    const csv = { format: 'csv', time: { column: 't', format: 'iso' }, signals: { n: 'n' } }
    expect(await said('files', { file, ...csv })).toBe(
      `SourceUnavailable: The file ${file} does not exist. Create it, or correct file in the source.`,
    )
    await writeFile(file, 'time,n\n2023-11-14T22:13:20Z,1\n')
    expect(await said('files', { file, ...csv })).toMatch(
      /it has no column t, which time needs; its columns are time, n/,
    )
    await writeFile(file, 't,n\n2023-11-14 22:13:20,1\n')
    expect(await said('files', { file, ...csv })).toBe(
      'SourceUnavailable: No row can be read. Line 2 of a.csv was left out: its time "2023-11-14 22:13:20" is not a date and time with an offset. Correct the source or the file.',
    )
    await writeFile(file, 't,n\n2023-11-14T22:13:20Z,1\n')
    expect(await said('files', { file, ...csv })).toBe('The first record was read.')
    expect((await checkSource('files', { file, ...csv })).ok).toBe(true)
    const folder = join(dir, 'sub')
    const inFolder = { folder, pattern: '*.csv', ...csv }
    expect(await said('files', inFolder)).toBe(
      `SourceUnavailable: The folder ${folder} does not exist. Create it, or correct folder in the source.`,
    )
    await mkdir(folder)
    expect(await said('files', inFolder)).toBe(
      `The folder ${folder} is there; no file in it ends with .csv yet.`,
    )
    expect(await said('bytes', { file })).toBe('The file is there, 27 bytes.')
    expect(await said('bytes', { file: folder })).toBe(
      `SourceUnavailable: The file ${folder} cannot be read (EISDIR). Check the disk or the network share on which it lies.`,
    )
  }))

it('lists all mistakes of a file source', async () => {
  const config = {
    file: 'a.csv',
    pattern: '*.csv',
    format: 'csv',
    separator: ';;',
    decimal: '.',
    columns: ['n'],
    time: { column: 't', format: 'iso-local', timeZone: 'Mars/Base' },
    signals: { n: 'n', m: 'x' },
  }
  expect(await said('files', config)).toBe(
    `InvalidInput: The file source has 7 mistakes: ${[
      'file must be an absolute path',
      'pattern goes with folder only',
      'separator must be one ASCII character, such as ;',
      'time.timeZone must be an IANA time zone such as Europe/Berlin',
      'signals maps the signal m, which the dataset does not declare',
      'columns does not name the column t, which time needs',
      'columns does not name the column x, which the signal m needs',
    ].join('; ')}.`,
  )
  expect(await said('files', { format: 'ndjson', mapping: { ...mapping, each: 'x' } })).toBe(
    'InvalidInput: The file source has 3 mistakes: exactly one of file and folder must be given; mapping.time must be in the data: a file has no time of arrival; mapping.each is for messages only: each line of a file is one record.',
  )
  expect(await said('bytes', { file: 'x', mediaType: 'pdf', note: 1 })).toBe(
    'InvalidInput: The byte source has 3 mistakes: file must be an absolute path; mediaType must be a media type such as application/pdf; note is not a known setting (known here: file, mediaType).',
  )
})
