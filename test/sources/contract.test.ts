import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { systemClock } from '../../connector/core/types.js'
import { createFileSource } from '../../connector/dataplane/sources/files.js'
import { parseFilesConfig } from '../../connector/dataplane/sources/files-config.js'
import { createMqttSource } from '../../connector/dataplane/sources/mqtt.js'
import { parseMqttConfig } from '../../connector/dataplane/sources/mqtt-config.js'
import { openRecordLog } from '../../connector/store/sqlite/record-log.js'
import { waitFor } from '../support/wait-for.js'
import {
  type Broker,
  type Certificates,
  connectMachine,
  makeCertificates,
  mosquittoPath,
  setPassword,
  startAedes,
  startMosquitto,
  withMosquitto,
} from './brokers.js'
import { recordSourceContract, START, type World } from './contract.js'
import { inTempDir, listen, number, readAll } from './support.js'

const signals = [number('n')]
const jsonMapping = { time: { path: 't', format: 'epoch-ms' }, series: 'm', signals: { n: 'n' } }
const json = (n: number) => JSON.stringify({ t: START + n * 1_000, n })
const iso = (n: number) => new Date(START + n * 1_000).toISOString()

async function inFileWorld(
  config: (dir: string) => Record<string, unknown>,
  name: string,
  heading: string,
  line: (n: number) => string,
  test: (world: World) => Promise<void>,
): Promise<void> {
  await inTempDir(async (dir) => {
    const parsed = parseFilesConfig(config(dir), signals)
    if (!parsed.ok) throw new Error(parsed.error.message)
    await writeFile(join(dir, name), heading)
    const stateFile = join(dir, 'state.json')
    await using source = createFileSource(parsed.value, {
      signals,
      clock: systemClock,
      report: listen().report,
      stateFile,
      pollMs: 50,
    })
    await source.start()
    await test({
      source,
      add: (numbers) => appendFile(join(dir, name), numbers.map(line).join('')),
      count: async () => (await readAll(source)).length,
    })
  })
}

async function inMqttWorld(
  broker: Broker,
  dir: string,
  config: Record<string, unknown>,
  machineOptions: Record<string, unknown>,
  test: (world: World) => Promise<void>,
): Promise<void> {
  const parsed = parseMqttConfig({ topics: ['plant/+/state'], mapping: jsonMapping, ...config }, signals)
  if (!parsed.ok) throw new Error(parsed.error.message)
  await using log = openRecordLog(join(dir, 'history.db'), { clock: systemClock })
  const heard = listen()
  await using source = createMqttSource(parsed.value, {
    signals,
    clock: systemClock,
    report: heard.report,
    log,
    stream: 'urn:dataset:1',
    retentionMs: 3_600_000,
    connectorId: 'a',
  })
  await source.start()
  await waitFor(() => heard.states.includes('connected'), {
    what: `a connection (${heard.problems.join(' ')})`,
  })
  const machine = await connectMachine(broker, machineOptions)
  await test({
    source,
    async add(numbers) {
      await Promise.all(numbers.map((n) => machine.publishAsync('plant/1/state', json(n), { qos: 1 })))
    },
    count: async () => (await readAll(source)).length,
  })
  await machine.endAsync()
}

describe('record source: a CSV file', () => {
  const config = (dir: string) => ({
    file: join(dir, 'a.csv'),
    format: 'csv',
    growing: true,
    time: { column: 't', format: 'iso' },
    series: 'm',
    signals: { n: 'n' },
  })
  recordSourceContract((test) => inFileWorld(config, 'a.csv', 't,n\n', (n) => `${iso(n)},${n}\n`, test))
})

describe('record source: a folder of NDJSON files', () => {
  const config = (dir: string) => ({
    folder: dir,
    pattern: '*.ndjson',
    format: 'ndjson',
    mapping: jsonMapping,
  })
  recordSourceContract((test) => inFileWorld(config, 'a.ndjson', '', (n) => `${json(n)}\n`, test))
})

describe('record source: MQTT 3.1.1 (aedes)', () => {
  recordSourceContract((test) =>
    inTempDir(async (dir) => {
      await using broker = await startAedes()
      await inMqttWorld(broker, dir, { url: `mqtt://127.0.0.1:${broker.port}` }, {}, test)
    }),
  )
})

describe.skipIf(mosquittoPath === undefined)(
  withMosquitto('record source: MQTT 5 with TLS and password (mosquitto)'),
  () => {
    let certificates: Certificates
    let certificateDir: string
    beforeAll(async () => {
      certificateDir = await mkdtemp(join(tmpdir(), 'certificates-'))
      certificates = await makeCertificates(certificateDir)
    })
    afterAll(() => rm(certificateDir, { recursive: true, force: true }))
    recordSourceContract((test) =>
      inTempDir(async (dir) => {
        const { ca, cert, key } = certificates
        const passwords = await setPassword(dir, 'reader', 'a secret')
        const secured = [
          'allow_anonymous false',
          `password_file ${passwords}`,
          `certfile ${cert}`,
          `keyfile ${key}`,
        ]
        await using broker = await startMosquitto(dir, secured)
        const config = {
          url: `mqtts://localhost:${broker.port}`,
          protocolVersion: 5,
          username: 'reader',
          password: 'a secret',
          ca,
        }
        const machine = {
          protocol: 'mqtts',
          host: 'localhost',
          ca: [ca],
          username: 'reader',
          password: 'a secret',
        }
        await inMqttWorld(broker, dir, config, machine, test)
      }),
    )
  },
)
