/** `pull`: the data of a contract up to now, to a file or to stdout. */
import { resolve } from 'node:path'
import { type Problem, textOf } from '../../core/result.js'
import { type EpochMs, iso, type Text } from '../../core/types.js'
import { type Call, type Command, complain, EXIT, say, usageError } from '../command.js'
import { connected, fail, type Here, inLang, next, quoted } from './connected.js'
import { type FollowDeps, untilInterrupted } from './deps.js'
import { WAIT_OPTION, waitOf } from './follow-process.js'
import { shortId } from './ids.js'
import { openPartialFile, type PartialFile } from './partial-file.js'
import type { Format, Received, Target, Wanted } from './receive-data.js'
import { type RunningTransfer, runningTransfer } from './running-transfer.js'
import { durationMs, instantOf } from './when.js'
import { ReaderGone, writeAll } from './writing.js'

const WAIT = 60_000
const FORMATS = ['ndjson', 'csv', 'json'] as const

export const pullCommand = (deps: FollowDeps): Command => ({
  name: 'pull',
  summary: {
    en: 'fetch the data of a contract up to now',
    de: 'die Daten zu einem Vertrag bis jetzt abrufen',
  },
  usage: 'CONTRACT|TRANSFER [options]',
  operands: [1, 1],
  options: {
    from: {
      type: 'string',
      value: 'TIME',
      about: {
        en: 'earliest time of a record; without an offset it is local time',
        de: 'früheste Zeit eines Eintrags; ohne Versatz gilt die Ortszeit',
      },
    },
    to: {
      type: 'string',
      value: 'TIME',
      about: { en: 'end of the time, itself excluded', de: 'Ende der Zeit, selbst ausgeschlossen' },
    },
    last: {
      type: 'string',
      value: 'PT1H',
      about: { en: 'the last hour or so, instead of --from', de: 'die letzte Stunde oder so, statt --from' },
    },
    limit: { type: 'string', value: 'N', about: { en: 'at most N records', de: 'höchstens N Einträge' } },
    format: {
      type: 'string',
      value: FORMATS.join('|'),
      about: {
        en: 'format (default: from the name of the file, else ndjson)',
        de: 'Format (sonst nach dem Dateinamen, sonst ndjson)',
      },
    },
    out: {
      type: 'string',
      value: 'FILE',
      about: {
        en: 'write to this file; it appears when it is complete. What breaks off stays as FILE.partial, and the same command goes on',
        de: 'in diese Datei schreiben; sie erscheint, wenn sie vollständig ist. Was abbricht, bleibt als DATEI.partial, und derselbe Befehl setzt fort',
      },
    },
    replace: {
      type: 'boolean',
      about: { en: 'replace the file if there is one', de: 'die Datei ersetzen, falls es sie gibt' },
    },
    wait: WAIT_OPTION,
  },
  examples: [
    'handschlag pull 3f2a91c4 --last PT1H',
    'handschlag pull 3f2a91c4 --from 2026-11-01 --out november.csv',
  ],
  run: async (call) => {
    const now = deps.clock()
    const query = queryOf(call, now)
    if ('en' in query) return usageError(call, query, 'pull')
    const waitMs = waitOf(call.value('wait'), WAIT)
    if (typeof waitMs !== 'number') return usageError(call, waitMs, 'pull')
    return connected(call, (here) =>
      untilInterrupted(deps, async (signal) => {
        const transfer = await runningTransfer(here, deps, call.operands[0] ?? '', waitMs, signal)
        if (!transfer.ok) return fail(here, transfer.error)
        return call.value('out') === undefined
          ? toStdout(here, transfer.value, query, signal)
          : toFile(here, transfer.value, query, signal)
      }),
    )
  },
})

type Query = Pick<Wanted, 'from' | 'to' | 'limit' | 'format'>

const wrongTime = (flag: string): Text => ({
  en: `--${flag} takes a time such as 2026-11-23T08:00, 2026-11-23T08:00:00Z, or a day.`,
  de: `--${flag} nimmt eine Zeit, etwa 2026-11-23T08:00, 2026-11-23T08:00:00Z, oder einen Tag.`,
})

function queryOf(call: Call, now: EpochMs): Query | Text {
  const last = call.value('last')
  const fromGiven = call.value('from')
  const toGiven = call.value('to')
  if (last !== undefined && fromGiven !== undefined) {
    return {
      en: '--last and --from say the same thing. Give one of them.',
      de: '--last und --from sagen dasselbe. Geben Sie eines davon an.',
    }
  }
  const lastMs = last === undefined ? undefined : durationMs(last)
  if (last !== undefined && lastMs === undefined) {
    return {
      en: '--last takes a duration such as PT1H, 1h or 30m.',
      de: '--last nimmt eine Dauer, etwa PT1H, 1h oder 30m.',
    }
  }
  const from =
    lastMs === undefined
      ? fromGiven === undefined
        ? undefined
        : instantOf(fromGiven)
      : iso((now - lastMs) as EpochMs)
  if (fromGiven !== undefined && from === undefined) return wrongTime('from')
  const to = toGiven === undefined ? undefined : instantOf(toGiven)
  if (toGiven !== undefined && to === undefined) return wrongTime('to')
  const limit = call.value('limit')
  if (limit !== undefined && !/^[1-9]\d{0,14}$/.test(limit)) {
    return { en: '--limit takes a whole number from 1 up.', de: '--limit nimmt eine ganze Zahl ab 1.' }
  }
  const format = formatOf(call)
  if (format === undefined) {
    return {
      en: `--format takes one of ${FORMATS.join(', ')}.`,
      de: `--format nimmt eines von ${FORMATS.join(', ')}.`,
    }
  }
  return {
    format,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(limit === undefined ? {} : { limit: Number(limit) }),
  }
}

function formatOf(call: Call): Format | undefined {
  const given = call.value('format')
  if (given !== undefined) return FORMATS.find((format) => format === given)
  const ending = call.value('out')?.split('.').at(-1)?.toLowerCase()
  return FORMATS.find((format) => format === ending) ?? 'ndjson'
}

async function toStdout(
  here: Here,
  transfer: RunningTransfer,
  query: Query,
  signal: AbortSignal,
): Promise<number> {
  const { receiveData } = await import('./receive-data.js')
  const target: Target = {
    write: (bytes) => writeAll(here.io.stdout, bytes),
    reached: async () => {},
    // What was printed has left.
    restart: async () => false,
  }
  try {
    const received = await receiveData(here.client, { ...query, pid: transfer.pid }, target, signal)
    if (received.ok) return EXIT.ok
    return fail(
      here,
      signal.aborted ? interrupted(here) : received.error,
      `transfer show ${shortId(transfer.pid)}`,
    )
  } catch (cause) {
    if (cause instanceof ReaderGone) return EXIT.ok
    throw cause
  }
}

const interrupted = (here: Here): string =>
  inLang(here, 'Stopped before the end.', 'Vor dem Ende angehalten.')

async function toFile(
  here: Here,
  transfer: RunningTransfer,
  query: Query,
  signal: AbortSignal,
): Promise<number> {
  const { isPassing, receiveData } = await import('./receive-data.js')
  const name = resolve(here.io.cwd, here.value('out') ?? '')
  const { from, ...rest } = query
  // The wish as it was typed: "the last hour" is the same wish when it is repeated a minute later.
  const wish = JSON.stringify({
    contract: transfer.contract,
    ...rest,
    from: here.value('from'),
    last: here.value('last'),
  })
  const opened = await openPartialFile(
    here,
    name,
    { text: wish, ...(from === undefined ? {} : { from }) },
    here.flag('replace'),
  )
  if (!opened.ok) return fail(here, opened.error)
  await using file = opened.value
  const { begun } = file
  if (begun !== undefined && begun.size > 0) {
    complain(here, inLang(here, `Going on with ${file.path}.`, `${file.path} wird fortgesetzt.`))
  }
  const start = begun?.from ?? from
  const wanted = {
    ...rest,
    pid: transfer.pid,
    ...(start === undefined ? {} : { from: start }),
    ...(begun === undefined ? {} : { begun }),
  }
  let reached: Parameters<PartialFile['reached']>[0] = begun ?? { records: 0 }
  let bytes = begun?.size ?? 0
  const target: Target = {
    write: async (chunk) => {
      await file.write(chunk)
      bytes += chunk.length
    },
    reached: (now) => {
      reached = now
      return file.reached(now)
    },
    restart: async () => {
      bytes = 0
      return file.restart()
    },
  }
  let received: Awaited<ReturnType<typeof receiveData>>
  try {
    received = await receiveData(here.client, wanted, target, signal)
  } catch (cause) {
    const reason = diskProblem(here, file.path, cause)
    if (reason === undefined) throw cause
    return fail(here, reason)
  }
  if (received.ok) {
    await file.finish()
    say(here, `${amount(here, received.value, bytes)} -> ${name}`)
    next(here, `stream ${quoted(shortId(transfer.contract))}`)
    return EXIT.ok
  }
  if (bytes === 0) {
    await file.discard()
    return fail(
      here,
      signal.aborted ? interrupted(here) : received.error,
      `transfer show ${shortId(transfer.pid)}`,
    )
  }
  await file.reached(reached, true)
  const why = signal.aborted ? interrupted(here) : textOf(received.error)[here.lang]
  const again = signal.aborted || isPassing(received.error)
  return fail(
    here,
    `${why}\n${left(here, file.path, amount(here, { ...reached, isFile: reached.etag !== undefined }, bytes), again)}`,
    ...(again ? [] : [`transfer show ${shortId(transfer.pid)}`]),
  )
}

const left = (here: Here, path: string, what: string, again: boolean): string =>
  inLang(
    here,
    `What came before is kept: ${what} in ${path}.${again ? ' The same command goes on behind it.' : ''}`,
    `Was vorher kam, bleibt erhalten: ${what} in ${path}.${again ? ' Derselbe Befehl setzt dahinter fort.' : ''}`,
  )

function amount(here: Here, { records, isFile }: Received, bytes: number): string {
  const number = new Intl.NumberFormat(here.lang).format(isFile ? bytes : records)
  if (isFile) return inLang(here, `${number} bytes`, `${number} Byte`)
  return records === 1
    ? inLang(here, '1 record', '1 Eintrag')
    : inLang(here, `${number} records`, `${number} Einträge`)
}

const DISK: Readonly<Record<string, Text>> = {
  ENOSPC: { en: 'There is no space left', de: 'Es ist kein Platz mehr frei' },
  EDQUOT: { en: 'The disk quota is used up', de: 'Das Plattenkontingent ist aufgebraucht' },
  EIO: { en: 'The disk reported an error', de: 'Der Datenträger meldete einen Fehler' },
}

function diskProblem(here: Here, path: string, cause: unknown): Problem | undefined {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const text = Object.hasOwn(DISK, code) ? DISK[code] : undefined
  if (text === undefined) return undefined
  const rest = inLang(
    here,
    `for ${path}. Run the same command again when that is solved.`,
    `für ${path}. Wiederholen Sie den Befehl, wenn das behoben ist.`,
  )
  return { code: 'InvalidInput', message: `${text[here.lang]} ${rest}`, detail: cause }
}
