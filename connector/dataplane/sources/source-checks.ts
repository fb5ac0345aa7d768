/** Tries a source out without keeping anything: for doctor and for the form in which an operator describes it. */
import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { err, ok, problem, type Result } from '../../core/result.js'
import { systemClock } from '../../core/types.js'
import { SourceError } from '../ports.js'
import type { Signal } from '../record.js'
import { type BytesConfig, createByteSource } from './bytes.js'
import { createFileSource } from './files.js'
import type { FilesConfig } from './files-config.js'
import type { SourceReport } from './managed.js'
import type { MqttConfig } from './mqtt-config.js'
import { connectMqtt } from './mqtt-connection.js'
import { notSubscribed } from './mqtt-problems.js'
import { fileProblem } from './ordinals.js'

type Options = {
  readonly signals?: readonly Signal[]
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

const silent: SourceReport = { malformed: () => {}, state: () => {} }

export async function checkMqtt(config: MqttConfig, { timeoutMs, signal }: Options): Promise<Result<string>> {
  const connected = await connectMqtt(
    config,
    config.protocolVersion === 'auto' ? [5, 4] : [config.protocolVersion],
    {
      // A name of its own: the same one would throw the running source off its connection.
      clientId: `check${randomUUID().replaceAll('-', '').slice(0, 16)}`,
      keepSession: false,
      // Before the check as a whole is given up, so that its own finding is told.
      timeoutMs: timeoutMs * 0.8,
      signal,
      onMessage: (_message, _acknowledge, next) => next(),
    },
  )
  if (!connected.ok) return connected
  const { value: connection } = connected
  const refused = await connection.subscribe(config.topics, 0)
  await connection.end()
  if (!refused.ok) return refused
  if (refused.value.length > 0) return err(notSubscribed(config, refused.value))
  const spoken = connection.version === 5 ? 'MQTT 5' : 'MQTT 3.1.1'
  return ok(`The broker at ${config.url} lets this connector read the topics (${spoken}).`)
}

export async function checkFiles(config: FilesConfig, { signals, signal }: Options): Promise<Result<string>> {
  const declared = signals ?? mappedNames(config).map((name): Signal => ({ name, type: 'string' }))
  let firstFault: string | undefined
  const report: SourceReport = {
    ...silent,
    malformed: (_n, { reason }) => {
      firstFault ??= reason
    },
  }
  await using source = createFileSource(config, { signals: declared, clock: systemClock, report })
  try {
    if ('folder' in config.place) {
      const { folder, suffix } = config.place
      const names = await readdir(folder).catch((cause: unknown) => {
        throw new SourceError(fileProblem(folder, 'folder', cause))
      })
      if (!names.some((name) => name.endsWith(suffix))) {
        return ok(`The folder ${folder} is there; no file in it ends with ${suffix} yet.`)
      }
    }
    for await (const _batch of source.read({ signal })) return ok('The first record was read.')
  } catch (cause) {
    if (cause instanceof SourceError) return err(cause.problem)
    throw cause
  }
  // Without the declared types only the time can be judged.
  if (firstFault !== undefined && (signals !== undefined || /\bits? (?:has no )?time\b/.test(firstFault))) {
    return problem('SourceUnavailable', {
      en: `No row can be read. ${firstFault} Correct the source or the file.`,
      de: `Keine Zeile lässt sich lesen. ${firstFault} Berichtigen Sie die Quelle oder die Datei.`,
    })
  }
  return ok('The source can be read; it holds no record yet.')
}

const mappedNames = ({ format }: FilesConfig): readonly string[] =>
  Object.keys('csv' in format ? format.csv.signals : format.ndjson.signals)

export async function checkBytes(config: BytesConfig): Promise<Result<string>> {
  await using source = createByteSource(config, { report: silent })
  const described = await source.describe()
  return described.ok ? ok(`The file is there, ${described.value.size} bytes.`) : described
}
