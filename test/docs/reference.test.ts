import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { serveCommand } from '../../connector/assembly/serve.js'
import { settingEntries } from '../../connector/config/settings.js'
import { PROBLEMS } from '../../connector/core/result.js'
import { DEFAULT_LIMITS } from '../../connector/dataplane/delivery/data-plane.js'
import { MAX_LIMIT } from '../../connector/dataplane/delivery/query.js'
import { ENDED, GOING_AWAY } from '../../connector/dataplane/delivery/websocket.js'
import { SOURCE_KINDS } from '../../connector/dataplane/sources/registry.js'
import { demoCommand } from '../../connector/demo/command.js'
import { startDataspace } from '../support/dataspace.js'
import { allCommands, type Metric, OTHER_VARIABLES, renderReference } from './reference.js'
import { CHECKS, SOURCE_KEYS } from './reference-texts.js'

const REFERENCE = 'connector/REFERENCE.md'
const OWN = [demoCommand, serveCommand({ version: '', startedAt: 0 })]

/** Labels of metrics that have no sample in a connector that has just started. */
const LABELS: Readonly<Record<string, readonly string[]>> = {
  handschlag_records_delivered_total: ['via'],
  handschlag_bytes_delivered_total: ['via'],
  handschlag_dsp_messages_total: ['protocol', 'outcome'],
  handschlag_source_records_total: ['dataset'],
  handschlag_source_malformed_total: ['dataset'],
  handschlag_event_loop_delay_seconds: ['quantile'],
  handschlag_negotiations: ['state'],
  handschlag_transfers: ['state'],
}

/** What a running connector tells about itself. */
async function metricsOfConnector(): Promise<readonly Metric[]> {
  await using space = await startDataspace([{ name: 'alone' }])
  const [member] = space.members
  const answer = await fetch(`${member?.connector().managementUrl}/metrics`)
  const text = await answer.text()
  return [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\w+)$/gm)].map(
    ([, name = '', help = '', type = '']) => {
      const [, sample = ''] = new RegExp(`^${name}\\{([^}]*)\\}`, 'm').exec(text) ?? []
      const seen = [...sample.matchAll(/(\w+)="/g)].map(([, label = '']) => label)
      return { name, help, type, labels: seen.length > 0 ? seen : (LABELS[name] ?? []) }
    },
  )
}

const document = (): string => readFileSync(REFERENCE, 'utf8')

it('is up to date; npm run reference writes it anew', async () => {
  const written = renderReference(OWN, await metricsOfConnector())
  await expect(written).toMatchFileSnapshot(join('../..', REFERENCE))
})

it('names every Problem code, setting, variable, command and flag in code type', () => {
  const text = document()
  const commands = allCommands(OWN)
  const names = [
    ...Object.keys(PROBLEMS),
    ...settingEntries.flatMap(([name, setting]) => [name, setting.env]),
    ...Object.keys(OTHER_VARIABLES),
    ...commands.map((command) => command.name),
  ]
  const flags = commands.flatMap((command) => Object.keys(command.options).map((flag) => `--${flag}`))
  expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([])
  expect([...new Set(flags)].filter((flag) => !new RegExp(`\`${flag}[ \`]`).test(text))).toEqual([])
})

it('names every environment variable that the program reads', () => {
  const known = new Set([...settingEntries.map(([, { env }]) => env), ...Object.keys(OTHER_VARIABLES)])
  const read = readdirSync('connector', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap(
      (file) => readFileSync(join('connector', file), 'utf8').match(/\bHANDSCHLAG_[A-Z_]*[A-Z]\b/g) ?? [],
    )
  expect([...new Set(read)].filter((name) => !known.has(name))).toEqual([])
})

it('names exactly the keys that sources take', () => {
  const base = { mqtt: {}, files: { format: 'csv' }, bytes: {} } as const
  for (const [kind, documented] of Object.entries({
    mqtt: SOURCE_KEYS.mqtt,
    files: SOURCE_KEYS.files,
    bytes: SOURCE_KEYS.bytes,
  })) {
    const refused = SOURCE_KINDS[kind]?.parseConfig({ ...base[kind as keyof typeof base], notAKey: 1 })
    const [, list = ''] =
      /notAKey is not a known setting \(known here: ([^)]*)\)/.exec(
        refused?.ok === false ? refused.error.message : '',
      ) ?? []
    const known = list.split(', ')
    const names = documented.map(([key]) => key as string)
    // `mapping` belongs to NDJSON, and switching off certificate checks is asked for only to be refused.
    expect(names.filter((key) => key !== 'mapping' || kind === 'mqtt').sort()).toEqual(
      known.filter((key) => key !== 'rejectUnauthorized').sort(),
    )
  }
  // `each` and `time` are asked for only when they are there.
  const mapping = { each: 'a', time: 'arrival', notAKey: 1 }
  const mqtt = SOURCE_KINDS.mqtt?.parseConfig({ mapping })
  expect(mqtt?.ok === false && mqtt.error.message).toContain(
    `mapping.notAKey is not a known setting (known here: ${SOURCE_KEYS.mapping
      .map(([key]) => key)
      .sort()
      .join(', ')})`,
  )
})

it('gives the limits and codes of the data endpoint as they are', () => {
  const text = document()
  expect(text).toContain(`1 to ${MAX_LIMIT}.`)
  expect(text).toContain(`At most ${DEFAULT_LIMITS.maxFlowsPerTransfer} requests`)
  expect(text).toContain(`every ${DEFAULT_LIMITS.heartbeatMs / 1000} seconds`)
  expect(text).toContain(`code ${ENDED} (ended by contract) or ${GOING_AWAY} `)
})

it('names the checks of doctor in their order', () => {
  const found = [
    'cli/checks/local.ts',
    'cli/checks/tls.ts',
    'cli/checks/reach.ts',
    'cli/checks/clock.ts',
  ].flatMap((file) =>
    [...readFileSync(join('connector', file), 'utf8').matchAll(/\bname: '([\w-]+)',\n\s+(?:needs|run)/g)].map(
      ([, name]) => name,
    ),
  )
  expect(CHECKS.map(([name]) => name).sort()).toEqual(found.sort())
})
