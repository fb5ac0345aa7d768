/** `stream`: follows the live data of a contract until it ends, to stdout, to a file, or to an MQTT broker. */
import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { ok, type Problem, problem, type Result, textOf } from '../../core/result.js'
import type { Text } from '../../core/types.js'
import type { Received } from '../../dataplane/receive/received.js'
import type { Sink } from '../../dataplane/sinks/sink.js'
import { type Call, type Command, complain, EXIT, usageError } from '../command.js'
import { connected, fail, type Here, inLang } from './connected.js'
import { type FollowDeps, untilInterrupted } from './deps.js'
import { WAIT_OPTION, waitOf } from './follow-process.js'
import { shortId } from './ids.js'
import { type RunningTransfer, runningTransfer, stoppedWords } from './running-transfer.js'
import type { View } from './view.js'
import { instantOf } from './when.js'
import { sideWords } from './words.js'

const WAIT = 60_000
const PASSWORD_VARIABLE = 'HANDSCHLAG_MQTT_PASSWORD'

export const streamCommand = (deps: FollowDeps): Command => ({
  name: 'stream',
  summary: {
    en: 'follow the live data of a contract; exit code 0 when it is complete or you stop it, 1 when it was cut off',
    de: 'die Live-Daten zu einem Vertrag verfolgen; Exit-Code 0 am Ende oder wenn Sie anhalten, 1 bei Abbruch',
  },
  usage: 'CONTRACT|TRANSFER [options]',
  operands: [1, 1],
  options: {
    out: {
      type: 'string',
      value: 'FILE',
      about: {
        en: 'append to this file (NDJSON); FILE.state remembers how far, so that a restart goes on',
        de: 'an diese Datei anhängen (NDJSON); DATEI.state merkt sich die Stelle, ein Neustart setzt dort fort',
      },
    },
    to: {
      type: 'string',
      value: 'mqtt://HOST/TOPIC',
      about: {
        en: 'publish to an MQTT broker, one message per record',
        de: 'an einen MQTT-Broker veröffentlichen, eine Nachricht je Eintrag',
      },
    },
    username: {
      type: 'string',
      value: 'NAME',
      about: {
        en: `user at that broker; its password comes from ${PASSWORD_VARIABLE}`,
        de: `Benutzer an diesem Broker; das Passwort kommt aus ${PASSWORD_VARIABLE}`,
      },
    },
    ca: {
      type: 'string',
      value: 'FILE',
      about: {
        en: 'certificate authority of that broker, PEM',
        de: 'Zertifizierungsstelle dieses Brokers, PEM',
      },
    },
    state: {
      type: 'string',
      value: 'FILE',
      about: {
        en: 'where to remember how far --to has come (default: in the data directory)',
        de: 'wo gemerkt wird, wie weit --to gekommen ist (sonst im Datenverzeichnis)',
      },
    },
    after: {
      type: 'string',
      value: 'ID',
      about: {
        en: 'go on behind the record with this id',
        de: 'hinter dem Eintrag mit dieser Kennung fortsetzen',
      },
    },
    from: {
      type: 'string',
      value: 'TIME',
      about: { en: 'begin with the history from here', de: 'mit der Vorgeschichte ab hier beginnen' },
    },
    count: {
      type: 'string',
      value: 'N',
      about: { en: 'stop after N records', de: 'nach N Einträgen aufhören' },
    },
    wait: WAIT_OPTION,
  },
  examples: [
    'handschlag stream 3f2a91c4',
    'handschlag stream 3f2a91c4 --out pump.ndjson',
    'handschlag stream 3f2a91c4 --to mqtt://127.0.0.1/partner/pump',
  ],
  run: async (call) => {
    const wrong = mistake(call)
    if (wrong !== undefined) return usageError(call, wrong, 'stream')
    const waitMs = waitOf(call.value('wait'), WAIT)
    if (typeof waitMs !== 'number') return usageError(call, waitMs, 'stream')
    return connected(call, (here) =>
      untilInterrupted(deps, async (signal) => {
        const transfer = await runningTransfer(here, deps, call.operands[0] ?? '', waitMs, signal)
        if (!transfer.ok) return fail(here, transfer.error)
        return stream(here, deps, transfer.value, signal)
      }),
    )
  },
})

function mistake(call: Call): Text | undefined {
  const to = call.value('to')
  if (to !== undefined && call.value('out') !== undefined) {
    return { en: 'Give either --out or --to.', de: 'Geben Sie entweder --out oder --to an.' }
  }
  if (to !== undefined && brokerOf(to) === undefined) {
    return {
      en: `--to takes mqtt://HOST[:PORT]/TOPIC or mqtts://..., without user or password: they come from --username and ${PASSWORD_VARIABLE}.`,
      de: `--to nimmt mqtt://HOST[:PORT]/TOPIC oder mqtts://..., ohne Benutzer und Passwort: Die kommen aus --username und ${PASSWORD_VARIABLE}.`,
    }
  }
  const from = call.value('from')
  if (from !== undefined && instantOf(from) === undefined) {
    return {
      en: '--from takes a time such as 2026-11-23T08:00, 2026-11-23T08:00:00Z, or a day.',
      de: '--from nimmt eine Zeit, etwa 2026-11-23T08:00, 2026-11-23T08:00:00Z, oder einen Tag.',
    }
  }
  const after = call.value('after')
  if (after !== undefined && !/^[A-Za-z0-9._~-]{1,64}$/.test(after)) {
    return {
      en: '--after takes the id of a record that you received.',
      de: '--after nimmt die Kennung eines empfangenen Eintrags.',
    }
  }
  const count = call.value('count')
  if (count !== undefined && !/^[1-9]\d{0,14}$/.test(count)) {
    return { en: '--count takes a whole number from 1 up.', de: '--count nimmt eine ganze Zahl ab 1.' }
  }
  return undefined
}

function brokerOf(to: string): { readonly url: string; readonly topic: string } | undefined {
  const url = URL.canParse(to) ? new URL(to) : undefined
  if (url === undefined || !/^mqtts?:$/.test(url.protocol) || url.host === '') return undefined
  const topic = decodeURIComponent(url.pathname).replace(/^\//, '')
  const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === ''
  return plain && topic !== '' ? { url: `${url.protocol}//${url.host}`, topic } : undefined
}

async function openSink(here: Here, contract: string): Promise<Result<Sink>> {
  const out = here.value('out')
  if (out !== undefined) {
    const { openFileSink } = await import('../../dataplane/sinks/file.js')
    return openFileSink({ path: resolve(here.io.cwd, out), format: 'ndjson', subject: contract })
  }
  const to = here.value('to')
  const broker = to === undefined ? undefined : brokerOf(to)
  if (broker === undefined) {
    const { openStreamSink } = await import('../../dataplane/sinks/stdout.js')
    return ok(openStreamSink(here.io.stdout))
  }
  const { openMqttSink } = await import('../../dataplane/sinks/mqtt.js')
  const statePath = await statePathOf(here, `${contract} ${to}`)
  if (!statePath.ok) return statePath
  const username = here.value('username')
  const password = here.io.env[PASSWORD_VARIABLE]
  const caFile = here.value('ca')
  let ca: Buffer | undefined
  try {
    ca = caFile === undefined ? undefined : await readFile(resolve(here.io.cwd, caFile))
  } catch (cause) {
    return problem(
      'InvalidInput',
      inLang(here, `The file ${caFile} cannot be read.`, `Die Datei ${caFile} lässt sich nicht lesen.`),
      cause,
    )
  }
  return openMqttSink({
    ...broker,
    client: {
      ...(username === undefined ? {} : { username }),
      ...(password === undefined || username === undefined ? {} : { password }),
      ...(ca === undefined ? {} : { ca }),
    },
    progress: { path: statePath.value, subject: contract },
  })
}

async function statePathOf(here: Here, target: string): Promise<Result<string>> {
  const given = here.value('state')
  const name = `${createHash('sha256').update(target).digest('hex').slice(0, 16)}.json`
  const path = given === undefined ? join(here.dataDir, 'streams', name) : resolve(here.io.cwd, given)
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    return ok(path)
  } catch (cause) {
    return problem(
      'InvalidInput',
      inLang(
        here,
        `How far the stream has come cannot be remembered in ${dirname(path)}. Name a file with --state.`,
        `Wie weit der Datenstrom gekommen ist, lässt sich in ${dirname(path)} nicht merken. Nennen Sie eine Datei mit --state.`,
      ),
      cause,
    )
  }
}

async function stream(
  here: Here,
  deps: FollowDeps,
  transfer: RunningTransfer,
  interrupted: AbortSignal,
): Promise<number> {
  const opened = await openSink(here, transfer.contract)
  if (!opened.ok) return fail(here, opened.error)
  const { SinkError } = await import('../../dataplane/sinks/sink.js')
  try {
    await using sink = opened.value
    return await follow(here, deps, transfer, sink, interrupted)
  } catch (cause) {
    if (!(cause instanceof SinkError)) throw cause
    // The reader of stdout has enough, as in `| head`.
    if (here.value('out') === undefined && here.value('to') === undefined) return EXIT.ok
    return fail(here, cause.message)
  }
}

async function follow(
  here: Here,
  deps: FollowDeps,
  transfer: RunningTransfer,
  sink: Sink,
  interrupted: AbortSignal,
): Promise<number> {
  const { followLive, settledEnd } = await import('./live.js')
  const { into } = await import('../../dataplane/sinks/sink.js')
  const enough = new AbortController()
  const signal = AbortSignal.any([interrupted, enough.signal])
  const write = into(sink)
  let left = Number(here.value('count') ?? Number.POSITIVE_INFINITY)
  let received = 0
  const onRecords = async (batch: readonly Received[]): Promise<void> => {
    const wanted = batch.slice(0, left)
    await write(wanted)
    received += wanted.length
    left -= wanted.length
    if (left <= 0) enough.abort()
  }
  let isOut = false
  const onOutage = (why: Problem | undefined): void => {
    if (why !== undefined && !isOut) {
      complain(
        here,
        `${textOf(why)[here.lang]}\n${inLang(here, 'Trying again until it works.', 'Es wird weiter versucht, bis es geht.')}`,
      )
    }
    if (why === undefined && isOut) complain(here, inLang(here, 'Connected again.', 'Wieder verbunden.'))
    isOut = why !== undefined
  }
  const fromGiven = here.value('from')
  const from = fromGiven === undefined ? undefined : instantOf(fromGiven)
  // A repeated command goes on where it was, whatever its first run was told.
  let after = sink.lastId() ?? here.value('after')
  for (let restarts = 0; ; restarts++) {
    const before = received
    const ended = await followLive({
      client: here.client,
      pid: transfer.pid,
      signal,
      onRecords,
      onOutage,
      ...(after === undefined ? {} : { after }),
      ...(from === undefined ? {} : { from }),
    })
    if (ended.problem === undefined) {
      tellWritten(here, received)
      return EXIT.ok
    }
    after = ended.resume
    if (!['GrantEnded', 'GrantInvalid'].includes(ended.problem.code)) {
      return cutOff(here, transfer, textOf(ended.problem)[here.lang])
    }
    const end = await settledEnd(here.client, transfer, deps.clock)
    if (!end.ok) return fail(here, end.error)
    const again =
      end.value.transfer.text('state') === 'STARTED' && end.value.contract.text('status') === 'active'
    if (received > before) restarts = 0
    // Started anew: the next request uses the new token.
    if (again && restarts < RESTARTS) continue
    return explained(here, transfer, end.value, ended.problem)
  }
}

/** Records that went to the terminal were seen; those that went elsewhere are counted. */
function tellWritten(here: Here, records: number): void {
  const target = here.value('to') ?? here.value('out')
  if (target === undefined) return
  const noun = inLang(here, records === 1 ? 'record' : 'records', records === 1 ? 'Eintrag' : 'Einträge')
  complain(here, `${records} ${noun} -> ${target}`)
}

/** New starts in a row that bring no record before we stop believing in them. */
const RESTARTS = 3

function explained(
  here: Here,
  transfer: RunningTransfer,
  end: { readonly transfer: View; readonly contract: View },
  told: Problem,
): number {
  const { contract } = end
  if (contract.text('status') === 'revoked') {
    const by = sideWords(contract.text('statusBy') || 'partner', here.lang)
    const reason = contract.maybe('statusReason')
    const why = reason === undefined ? '.' : `: ${reason}`
    return cutOff(
      here,
      transfer,
      inLang(here, `The contract was revoked ${by}${why}`, `Der Vertrag wurde ${by} widerrufen${why}`),
    )
  }
  if (end.transfer.text('state') === 'COMPLETED') {
    complain(here, inLang(here, 'The transfer is complete.', 'Die Übertragung ist abgeschlossen.'))
    return EXIT.ok
  }
  return cutOff(here, transfer, stoppedWords(here, end.transfer) ?? textOf(told)[here.lang])
}

const cutOff = (here: Here, transfer: RunningTransfer, why: string): number =>
  fail(
    here,
    `${inLang(here, 'The stream ended.', 'Der Datenstrom ist zu Ende.')} ${why}`,
    `transfer show ${shortId(transfer.pid)}`,
  )
