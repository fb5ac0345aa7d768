/** Where delivered data is put: turns what is stored with a transfer into an open sink, below the folder meant for it. */
import { createHash } from 'node:crypto'
import { mkdir, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { err, ok, problem, type Result } from '../core/result.js'
import { type BodySink, openBodyBroker, openBodyFile } from '../dataplane/sinks/body-sink.js'
import { statePathOf } from '../dataplane/sinks/file.js'
import { type Pushed, readProgressNow } from '../dataplane/sinks/progress.js'
import type { SinkAddress } from '../domain/transfer.js'

export type Sinks = {
  /** Whether data of the transfer could be put there. */
  check(sink: SinkAddress, transferPid: string): Promise<Result<void>>
  open(sink: SinkAddress, transferPid: string): Promise<Result<BodySink>>
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
}): Sinks {
  const folder = resolve(deps.folder)

  const pathOf = (name: string): Result<string> => {
    const path = resolve(folder, name)
    const inside = relative(folder, path)
    return inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || name.includes('\0')
      ? problem(
          'InvalidInput',
          `${name} is outside the folder for received data, ${folder}. Name a file below it, or set receiveDir.`,
        )
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
        `The folder ${dirname(path)} cannot be made. Check its permissions.`,
        cause,
      )
    }
  }

  return {
    async check(sink) {
      if (sink.kind === 'mqtt') return ok(undefined)
      const path = pathOf(sink.name)
      if (!path.ok) return path
      const made = await ready(path.value)
      if (!made.ok) return made
      const there = await stat(path.value).catch(() => undefined)
      return there === undefined
        ? ok(undefined)
        : problem('Conflict', `${path.value} exists already. Name another file, or move it away.`)
    },
    async open(sink, transferPid) {
      if (sink.kind === 'file') {
        const path = pathOf(sink.name)
        if (!path.ok) return path
        const made = await ready(path.value)
        return made.ok ? openBodyFile(path.value, transferPid) : made
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
      })
    },
    pushed(sink, transferPid) {
      const path = sink.kind === 'file' ? pathOf(sink.name) : ok(statePath(transferPid))
      if (!path.ok) return undefined
      return readProgressNow(sink.kind === 'file' ? statePathOf(path.value) : path.value, transferPid)?.pushed
    },
    nameOf: (sink) => (sink.kind === 'file' ? join(folder, sink.name) : `${sink.url}/${sink.topic}`),
  }
}
