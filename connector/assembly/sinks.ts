/** Where delivered data is put: turns what is stored with a transfer into an open sink, below the folder meant for it. */
import { createHash } from 'node:crypto'
import { mkdir, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { err, ok, problem, type Result } from '../core/result.js'
import { type BodySink, openBodyBroker, openBodyFile } from '../dataplane/sinks/body-sink.js'
import { cutFront } from '../dataplane/sinks/cut.js'
import {
  type CutProof,
  type Pushed,
  readProgress,
  readProgressNow,
  statePathOf,
} from '../dataplane/sinks/progress.js'
import type { SinkAddress } from '../domain/transfer.js'

/** Told of everything that comes, before it is acknowledged; `own`: it lies where it can be deleted again. */
export type NoteArrival = (m: {
  readonly transferPid: string
  readonly own: boolean
  readonly before: Pushed
  readonly after: Pushed
}) => Promise<void>

type CutRange = Parameters<typeof cutFront>[2]

export type Sinks = {
  /** Whether data of the transfer could be put there. */
  check(sink: SinkAddress, transferPid: string): Promise<Result<void>>
  open(sink: SinkAddress, transferPid: string): Promise<Result<BodySink>>
  /** See cutFront. Nobody may write there meanwhile. */
  cut(sink: SinkAddress, transferPid: string, range: CutRange): Promise<Result<CutProof | undefined>>
  /** How much is there already, also while nobody delivers. */
  pushed(sink: SinkAddress, transferPid: string): Pushed | undefined
  /** For people: the path of the file, or the broker with its topic. */
  nameOf(sink: SinkAddress): string
}

export function createSinks(deps: {
  /** Files are below it, and nowhere else. */
  readonly folder: string
  /** For how far brokers have come. */
  readonly stateDir: string
  /** Opens what was sealed for the transfer. */
  readonly openToken: (sealed: string, transferPid: string) => Result<string>
  readonly arriving: NoteArrival
}): Sinks {
  const folder = resolve(deps.folder)

  const pathOf = (name: string): Result<string> => {
    const path = resolve(folder, name)
    const inside = relative(folder, path)
    return inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || name.includes('\0')
      ? problem('InvalidInput', {
          en: `${name} is outside the folder for received data, ${folder}. Name a file below it, or set receiveDir.`,
          de: `${name} liegt außerhalb des Ordners für empfangene Daten, ${folder}. Nennen Sie eine Datei darin, oder setzen Sie receiveDir.`,
        })
      : ok(path)
  }
  const statePath = (transferPid: string): string =>
    join(deps.stateDir, `${createHash('sha256').update(transferPid).digest('hex').slice(0, 32)}.json`)

  const ready = async (path: string): Promise<Result<void>> => {
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      return ok(undefined)
    } catch (cause) {
      return problem(
        'InvalidInput',
        {
          en: `The folder ${dirname(path)} cannot be made. Check its permissions.`,
          de: `Der Ordner ${dirname(path)} lässt sich nicht anlegen. Prüfen Sie seine Rechte.`,
        },
        cause,
      )
    }
  }

  return {
    async check(sink, transferPid) {
      if (sink.kind === 'mqtt') return ok(undefined)
      const path = pathOf(sink.name)
      if (!path.ok) return path
      if (/\.(state|rest)$/.test(sink.name)) {
        return problem('InvalidInput', {
          en: `${sink.name} ends in .state or .rest, which stand beside the files of other deliveries. Name another file.`,
          de: `${sink.name} endet auf .state oder .rest; solche Dateien stehen neben denen anderer Lieferungen. Nennen Sie eine andere Datei.`,
        })
      }
      const made = await ready(path.value)
      if (!made.ok) return made
      const there = await stat(path.value).catch(() => undefined)
      if (there !== undefined) {
        return problem('Conflict', {
          en: `${path.value} exists already. Name another file, or move it away.`,
          de: `${path.value} gibt es schon. Nennen Sie eine andere Datei, oder verschieben Sie diese.`,
        })
      }
      // The data of another transfer may have been deleted already, and more of it may come.
      const progress = await readProgress(statePathOf(path.value), transferPid)
      return progress.ok ? ok(undefined) : progress
    },
    async open(sink, transferPid) {
      if (sink.kind === 'file') {
        const path = pathOf(sink.name)
        if (!path.ok) return path
        const made = await ready(path.value)
        const own = true
        return made.ok
          ? openBodyFile(path.value, transferPid, (before, after) =>
              deps.arriving({ transferPid, own, before, after }),
            )
          : made
      }
      const password =
        sink.sealedPassword === undefined ? ok(undefined) : deps.openToken(sink.sealedPassword, transferPid)
      if (!password.ok) return err(password.error)
      const made = await ready(statePath(transferPid))
      if (!made.ok) return made
      return openBodyBroker({
        url: sink.url,
        topic: sink.topic,
        client: {
          ...(sink.username === undefined ? {} : { username: sink.username }),
          ...(password.value === undefined ? {} : { password: password.value }),
        },
        statePath: statePath(transferPid),
        subject: transferPid,
        arriving: (before, after) => deps.arriving({ transferPid, own: false, before, after }),
      })
    },
    async cut(sink, transferPid, range) {
      if (sink.kind !== 'file') {
        return problem('InvalidInput', {
          en: 'What was published through a broker cannot be deleted from here.',
          de: 'Was über einen Broker veröffentlicht wurde, lässt sich von hier nicht löschen.',
        })
      }
      const path = pathOf(sink.name)
      return path.ok ? cutFront(path.value, transferPid, range) : path
    },
    pushed(sink, transferPid) {
      const path = sink.kind === 'file' ? pathOf(sink.name) : ok(statePath(transferPid))
      if (!path.ok) return undefined
      return readProgressNow(sink.kind === 'file' ? statePathOf(path.value) : path.value, transferPid)?.pushed
    },
    nameOf: (sink) => (sink.kind === 'file' ? join(folder, sink.name) : `${sink.url}/${sink.topic}`),
  }
}
