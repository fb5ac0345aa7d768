/**
 * The push side of transfers: which address a consumer may name, what we name ourselves, and what the data plane is told.
 */
import { ok, type Problem, problem, type Result } from '../core/result.js'
import type { Partner } from '../domain/partner.js'
import { PUSH, type PushAddress, type SinkAddress, type Transfer } from '../domain/transfer.js'
import type { DataGrant, PushDestination } from './ports.js'

export type PushDeps = {
  /** Where partners deliver the data of a transfer that we asked for. */
  readonly pushEndpoint: (transferPid: string) => string
  /** Whether an address that a partner chose may be called at all; looked at again when it is dialled. */
  readonly checkEndpoint: (url: string, partner: Partner | undefined) => Result<unknown>
  readonly sealToken: (token: string, transferPid: string) => string
  readonly openToken: (sealed: string, transferPid: string) => Result<string>
  /** Whether received data could be put there; refuses what would end up outside the folder meant for it. */
  readonly checkSink: (sink: SinkAddress, transferPid: string) => Promise<Result<void>>
  /** How far a push has come, on either side. */
  readonly pushProgress: (transfer: Transfer) => PushProgress | undefined
  /** Whether deliveries of a running push fail at present, on either side. */
  readonly pushFailing: (transfer: Transfer) => PushFailing | undefined
}

/** Deliveries have failed since then, and none has succeeded. */
export type PushFailing = {
  readonly since: string
  readonly lastError: string
  readonly lastErrorDe?: string
}

export type PushProgress = {
  readonly to: string
  readonly batches: number
  readonly records: number
  readonly bytes: number
  readonly lastAt?: string
  readonly lastError?: string
  readonly lastErrorDe?: string
}

/** Where the operator wants delivered data. */
export type SinkWish =
  | { readonly kind: 'file'; readonly name: string }
  | {
      readonly kind: 'mqtt'
      readonly url: string
      readonly topic: string
      readonly username?: string
      readonly password?: string
    }

/** Consumer: the sink of a push, ready to be stored; undefined for a transfer that is fetched. */
export async function chosenSink(
  deps: Pick<PushDeps, 'checkSink' | 'sealToken'>,
  { format, sink }: { readonly format: string; readonly sink?: SinkWish },
  transferPid: string,
): Promise<Result<SinkAddress | undefined>> {
  if (format !== PUSH) {
    return sink === undefined
      ? ok(undefined)
      : problem('InvalidInput', {
          en: `Only data that is delivered (${PUSH}) needs a target; with the format ${format} it is fetched by a command.`,
          de: `Nur zugestellte Daten (${PUSH}) brauchen ein Ziel; mit dem Format ${format} werden sie mit einem Befehl abgeholt.`,
        })
  }
  const address = sink === undefined ? fileFor(transferPid) : sealed(deps, sink, transferPid)
  const usable = await deps.checkSink(address, transferPid)
  return usable.ok ? ok(address) : usable
}

const fileFor = (transferPid: string): SinkAddress => ({
  kind: 'file',
  name: `${transferPid.replace(/^urn:uuid:/, '').replaceAll(/[^A-Za-z0-9._-]/g, '_')}.ndjson`,
})

function sealed(deps: Pick<PushDeps, 'sealToken'>, wish: SinkWish, transferPid: string): SinkAddress {
  if (wish.kind === 'file') return wish
  const { password, ...rest } = wish
  return password === undefined ? rest : { ...rest, sealedPassword: deps.sealToken(password, transferPid) }
}

/** `file:NAME` below the folder for received data, or `mqtt://HOST[:PORT]/TOPIC`; user and password stand beside it. */
export function readSink(wish: {
  readonly to: string
  readonly username?: string
  readonly password?: string
}): Result<SinkWish> {
  const { to, username, password } = wish
  const name = /^file:(?:\/\/)?(.+)$/.exec(to)?.[1]
  if (name !== undefined) return ok({ kind: 'file', name })
  const url = URL.canParse(to) ? new URL(to) : undefined
  const topic = url === undefined ? '' : topicOf(url)
  const plain = url?.username === '' && url.password === '' && url.search === '' && url.hash === ''
  if (url === undefined || !/^mqtts?:$/.test(url.protocol) || url.host === '' || !plain || topic === '') {
    return problem('InvalidInput', {
      en: 'The target has to be file:NAME or mqtt://HOST[:PORT]/TOPIC (or mqtts://), without user and password in it.',
      de: 'Das Ziel muss file:NAME oder mqtt://HOST[:PORT]/TOPIC (oder mqtts://) sein, ohne Benutzer und Passwort darin.',
    })
  }
  return ok({
    kind: 'mqtt',
    url: `${url.protocol}//${url.host}`,
    topic,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  })
}

/** Empty when it is none to publish to. MQTT 5.0, "Topic Names and Topic Filters". */
function topicOf(url: URL): string {
  try {
    const topic = decodeURIComponent(url.pathname).replace(/^\//, '')
    return /[+#\0]/.test(topic) ? '' : topic
  } catch {
    // Broken percent-encoding names no topic.
    return ''
  }
}

/**
 * Provider: the address in a request, which stands there for push and for nothing else.
 * DSP 2025-1, Transfer Process Protocol, "Transfer Request Message": dataAddress.
 */
export function requestedPush(
  deps: Pick<PushDeps, 'checkEndpoint' | 'sealToken'>,
  format: string,
  wanted: PushDestination | undefined,
  { pid, partner }: { readonly pid: string; readonly partner: Partner | undefined },
): Result<PushAddress | undefined> {
  if (format !== PUSH) {
    return wanted === undefined
      ? ok(undefined)
      : problem('InvalidMessage', {
          en: `A dataAddress says where data is to be delivered; with the format ${format} it is fetched. Leave it out, or ask for ${PUSH}.`,
          de: `Eine dataAddress sagt, wohin Daten zuzustellen sind; mit dem Format ${format} werden sie abgeholt. Lassen Sie sie weg, oder fragen Sie ${PUSH} an.`,
        })
  }
  if (wanted === undefined) {
    return problem('InvalidMessage', {
      en: `The format ${PUSH} needs a dataAddress that says where the data is to be delivered.`,
      de: `Das Format ${PUSH} braucht eine dataAddress, die sagt, wohin die Daten zuzustellen sind.`,
    })
  }
  const callable = deps.checkEndpoint(wanted.endpoint, partner)
  if (!callable.ok) return unusable(callable.error)
  const { endpoint, credential, from, to } = wanted
  return ok({
    endpoint,
    ...(credential === undefined
      ? {}
      : {
          credential: {
            header: credential.header,
            sealedValue: deps.sealToken(credential.value, pid),
          },
        }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  })
}

/** How our network looks from inside is nobody's business. */
const unusable = (why: Problem) =>
  problem(
    'AddressRefused',
    {
      en: 'The endpoint of the dataAddress cannot be used: it has to be a public https address without user name and password.',
      de: 'Der endpoint der dataAddress ist nicht verwendbar: Er muss eine öffentliche https-Adresse ohne Benutzernamen und Passwort sein.',
    },
    why,
  )

/** What the data plane needs to push; undefined for a transfer that is fetched. */
export function pushGrant(
  deps: Pick<PushDeps, 'openToken'>,
  { pid, pushTo }: Transfer,
): Result<DataGrant['push']> {
  if (pushTo === undefined) return ok(undefined)
  const { credential, ...rest } = pushTo
  if (credential === undefined) return ok(rest)
  const value = deps.openToken(credential.sealedValue, pid)
  return value.ok ? ok({ ...rest, credential: { header: credential.header, value: value.value } }) : value
}
