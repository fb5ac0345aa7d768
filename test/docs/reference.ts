/**
 * Renders connector/REFERENCE.md from the tables that the program itself works with, so that the document cannot say
 * anything else than the program does. What no table knows is written out here and held by tests.
 */
import { type Command, EXIT, type Option } from '../../connector/cli/command.js'
import { connectorCommands } from '../../connector/cli/commands/table.js'
import { baseCommands } from '../../connector/cli/commands.js'
import { GLOBAL_OPTIONS, JSON_OPTION } from '../../connector/cli/help.js'
import { settingEntries } from '../../connector/config/settings.js'
import { PROBLEMS, type ProblemCode } from '../../connector/core/result.js'
import { answer } from '../../connector/dataplane/delivery/answer.js'
import { statusOf as dspStatus } from '../../connector/dsp/errors.js'
import { statusOf as managementStatus } from '../../connector/management/errors.js'
import { ROUTES } from '../../connector/management/routes.js'
import { OPERANDS } from '../../connector/policy/registry.js'
import { classRows } from './policy-classes.js'
import { BATCHES, DATA_ENDPOINT, DOCTOR, FILES, PUSH, SOURCES } from './reference-texts.js'

export type Metric = {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly labels: readonly string[]
}

/** Variables that are read besides those of the settings. */
export const OTHER_VARIABLES: Readonly<Record<string, string>> = {
  HANDSCHLAG_CONFIG: 'Path of the configuration file; `--config` wins over it.',
  HANDSCHLAG_TOKEN: 'Access token for the commands, instead of the file `cli.token` in the data directory.',
  HANDSCHLAG_SOURCE_PASSWORD:
    'Password of the broker for `source add`, so that it is not visible in the process list.',
  HANDSCHLAG_MQTT_PASSWORD: 'Password of the broker that `stream --to` publishes to.',
}

const EXIT_MEANING: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'Done.',
  failed: 'Failed; the message says why, and what to try next. For `doctor`: a check failed.',
  usage: 'The command line was not understood.',
  config: 'The configuration needs attention; every problem is listed.',
}

const code = (text: string): string => `\`${text}\``
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Words that are typed as they stand, such as `edc:` or `iso (default)`, keep their case. */
const TYPED = /^[\w-]+(?:, [\w-]+)*(?::| \(default\))/

const upperFirst = (text: string): string =>
  TYPED.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1)

/** Every command of the program. The parts that commands need to run are not needed to describe them. */
export function allCommands(own: readonly Command[]): readonly Command[] {
  const unused = async (): Promise<never> => {
    throw new Error('a described command is not run')
  }
  const base = baseCommands({
    version: '',
    clock: () => {
      throw new Error('a described command has no clock')
    },
    createKeys: unused,
    createDevCertificates: unused,
    loadKeys: unused,
    isDevelopmentCertificate: unused,
    partnerUrls: unused,
    extraChecks: unused,
  })
  return [...own, ...base, ...connectorCommands]
}

function settings(): string {
  const rows = settingEntries.map(([name, s]) => [
    code(name),
    code(s.env),
    s.fallback !== undefined
      ? code(s.fallback)
      : s.otherwise === undefined
        ? '**must be set**'
        : s.otherwise.en,
    `${s.about.en} Example: ${code(s.example)}`,
  ])
  return table(['Setting', 'Environment variable', 'When not set', 'Meaning'], rows)
}

const optionRow = ([name, option]: readonly [string, Option]): readonly string[] => {
  const short = option.short === undefined ? '' : `${code(`-${option.short}`)}, `
  const value = option.type === 'boolean' ? '' : ` ${option.value ?? 'VALUE'}`
  return [`${short}${code(`--${name}${value}`)}`, upperFirst(option.about.en)]
}

const optionTable = (options: Readonly<Record<string, Option>>): string =>
  table(['Flag', 'Meaning'], Object.entries(options).map(optionRow))

function command(c: Command): string {
  const options = { ...c.options, ...(c.json === true ? { json: JSON_OPTION } : {}) }
  return [
    `### ${code(c.name)}`,
    '',
    `${upperFirst(c.summary.en)}.`,
    '',
    code(`handschlag ${c.name} ${c.usage}`.trimEnd()),
    ...(Object.keys(options).length === 0 ? [] : ['', optionTable(options)]),
    ...(c.examples === undefined ? [] : ['', '```sh', ...c.examples, '```']),
  ].join('\n')
}

function terms(): string {
  const rows = OPERANDS.map((operand) => [
    [operand.iri, ...operand.aliases].map(code).join(', '),
    Object.keys(operand.operators).map(code).join(', '),
    code(operand.datatype) + (operand.unit === undefined ? '' : `: ${operand.unit.en}`),
    operand.enforcedHere ? operand.enforcedBy : 'carried, not enforced',
    operand.classes.join(', '),
  ])
  return table(['Left operand, in every spelling', 'Operators', 'Value', 'Enforced by', 'Class'], rows)
}

const CODES = Object.keys(PROBLEMS) as ProblemCode[]

const problems = (): string =>
  table(
    ['Code', 'Meaning', 'Management API'],
    CODES.map((name) => [code(name), PROBLEMS[name], String(managementStatus(name))]),
  )

/** "401 for `A`, `B`; 404 for `C`; 400 for everything else": one sentence for the statuses of one side. */
function statuses(statusOf: (name: ProblemCode) => number, otherwise: number): string {
  const byStatus = new Map<number, string[]>()
  for (const name of CODES) {
    const status = statusOf(name)
    if (status !== otherwise) byStatus.set(status, [...(byStatus.get(status) ?? []), code(name)])
  }
  const parts = [...byStatus]
    .sort(([a], [b]) => a - b)
    .map(([status, names]) => `${status} for ${names.join(', ')}`)
  return [...parts, `${otherwise} for everything else`].join('; ')
}

function api(): string {
  const rows = [...ROUTES]
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
    .map((route) => [code(`${route.method.toUpperCase()} ${route.path}`), route.summary])
  return table(['Request', 'What it does'], rows)
}

const metricTable = (metrics: readonly Metric[]): string =>
  table(
    ['Metric', 'Type', 'Labels', 'Meaning'],
    metrics.map(({ name, type, labels, help }) => [code(name), type, labels.map(code).join(', '), help]),
  )

export function renderReference(own: readonly Command[], metrics: readonly Metric[]): string {
  const variables = Object.entries(OTHER_VARIABLES).map(([name, about]) => [code(name), about])
  const exits = Object.entries(EXIT).map(([name, value]) => [
    code(String(value)),
    EXIT_MEANING[name as keyof typeof EXIT],
  ])
  return `${[
    '# Reference',
    'Written by `npm run reference` from the tables of the program. Change the program, not this file.',
    'Contents: [Settings](#settings), [Commands](#commands), [Terms of a contract](#terms-of-a-contract), [Sources](#sources), [Data endpoint](#data-endpoint), [Management API](#management-api), [Problem codes](#problem-codes), [Metrics](#metrics), [Checks of doctor](#checks-of-doctor), [Data directory](#data-directory)',
    '## Settings',
    'One YAML file, `handschlag.yaml` in the working directory unless `--config` or `HANDSCHLAG_CONFIG` names another. An environment variable wins over the file; an empty one counts as not set. Relative paths in the file start at the folder of the file. Unknown keys are errors. `handschlag config check` lists every problem, `handschlag config print` shows every value and where it comes from.',
    settings(),
    'Other environment variables:',
    table(['Variable', 'Meaning'], variables),
    'Without `language` and `--lang`, messages are German when `LC_ALL`, `LC_MESSAGES` or `LANG` says so, and English otherwise.',
    '## Commands',
    'Flags of every command:',
    optionTable(GLOBAL_OPTIONS),
    'Exit codes:',
    table(['Code', 'Meaning'], exits),
    'Commands that print data take `--json`. Data goes to stdout, everything else to stderr. Contracts, negotiations and transfers are named by their id or by at least six characters of its beginning or end; partners by DID or name.',
    ...allCommands(own).map(command),
    '## Terms of a contract',
    'What an ODRL policy may contain so that this connector can enforce it: one permission for the action `use`, with constraints that all hold. The flags of `offer add` write the same terms. Anything else cannot be published, and is not accepted from a partner; terms that are "carried, not enforced" are read, explained in words and labelled as agreed by contract only. Class is the number of the usage-control class. The profile is `https://w3id.org/machine-data-policy/v1`.',
    terms(),
    'On reading, the names that operators have inside EDC (`LEQ`, `IN`) are taken for those of ODRL, and one text with commas for a list where it names participants, as sovity and older Tractus-X connectors write both. What goes out has the plain names.',
    '### Usage-control classes',
    "Classes 1 to 21 are those of the International Data Spaces. Terms that are not enforced here are carried: explained in words and labelled as what the recipient's connector does or as agreed by contract only.",
    table(['Class', 'What', 'Left operands and actions', 'Enforced here'], classRows()),
    '## Policies in batches',
    BATCHES,
    SOURCES,
    DATA_ENDPOINT,
    PUSH,
    '## Management API',
    'Base `http://127.0.0.1:8485`, JSON, `Authorization: Bearer` with a token from `handschlag token create`. The exact description, OpenAPI 3.1, is served at `/api/v1/openapi.json`. A refusal has the body `{"code", "message"}`, and `"problems"` when there are several findings.',
    api(),
    '## Problem codes',
    'Every refusal carries one of these codes. They are stable: programs may rely on them. The last column is the HTTP status of the management API.',
    problems(),
    `To trusted partners the DSP endpoints answer ${statuses(dspStatus, 400)}. Everybody else gets an empty 404, whatever is wrong.`,
    `The data endpoint answers ${statuses((name) => answer({ code: name, message: '' }, false).status, 403)}.`,
    '## Metrics',
    '`GET /metrics` at the management address, in the Prometheus text format. From this machine without a token, from others with one.',
    metricTable(metrics),
    DOCTOR,
    FILES,
  ].join('\n\n')}\n`
}
