/**
 * Two whole connectors and what lies between them: a virtual time, a network that loses, repeats, delays and reorders
 * messages, power cuts and clocks that differ. Everything happens in the order of that time and nothing waits for a real one.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { ok, problem, type Result } from '../../connector/core/result.js'
import type { Role } from '../../connector/core/types.js'
import type { OutgoingAnswer, OutgoingRequest } from '../../connector/identity/outgoing.js'
import { createMember, HOST, type Life, type Member } from './member.js'
import type { Fate } from './story.js'

/** What a sender waits for an answer, milliseconds. */
const PATIENCE = 15_000
/** Turns of the event loop without a sign of life, after which everything has come to rest. */
const REST = 4
const MOST_TURNS = 20_000
const MOST_EVENTS = 4_000

export type World = {
  readonly members: Readonly<Record<Role, Member>>
  now(): number
  /** Lets something happen at a moment; answers how to call it off. */
  at(moment: number, happen: () => Promise<void> | void): () => void
  tell(line: string): void
  readonly told: readonly string[]
  /** Called whenever everything has come to rest between two moments. */
  readonly onRest: (() => void)[]
  /** A process message has been answered: what its receiver promised by that. */
  readonly onAnswer: ((m: Answered) => void)[]
  /** Goes on until nothing is left to happen. */
  run(): Promise<void>
}

export type Answered = {
  readonly to: Role
  readonly path: string
  readonly message: Readonly<Record<string, unknown>>
  readonly status: number
}

type Event = {
  readonly moment: number
  readonly order: number
  readonly happen: () => Promise<void> | void
}

const other = (role: Role): Role => (role === 'consumer' ? 'provider' : 'consumer')
const HTTP_DATE = Date.parse('2027-01-04T12:00:00Z')
const READS = /\/(catalog\/|\.well-known\/)/

const asleep = (host: string): Result<never> =>
  problem('PartnerUnreachable', `${host} refused the connection.`)

export function createWorld(
  configs: Readonly<Record<Role, Parameters<typeof createMember>[0]>>,
  fates: Readonly<Record<Role, readonly Fate[]>>,
): World {
  let now = 0
  let stirs = 0
  let asking = 0
  let order = 0
  const events: Event[] = []
  const left = { consumer: [...fates.consumer], provider: [...fates.provider] }
  const told: string[] = []
  const onRest: (() => void)[] = []
  const onAnswer: ((m: Answered) => void)[] = []

  const tell = (line: string): void => void told.push(`${(now / 1000).toFixed(3).padStart(10)}  ${line}`)
  const at = (moment: number, happen: Event['happen']): (() => void) => {
    order += 1
    const event = { moment: Math.max(now, moment), order, happen }
    events.push(event)
    events.sort((a, b) => a.moment - b.moment || a.order - b.order)
    return () => {
      const index = events.indexOf(event)
      if (index >= 0) events.splice(index, 1)
    }
  }

  const knock = async (to: Role, request: OutgoingRequest): Promise<Result<OutgoingAnswer> | undefined> => {
    const receiver = members[to].life()
    if (receiver === undefined) return asleep(HOST[to])
    asking += 1
    try {
      const { pathname, search } = new URL(request.url)
      const reply = await Promise.race([
        receiver.outside({
          method: request.method ?? 'GET',
          path: pathname + search,
          headers: request.headers ?? {},
          ...(request.body === undefined ? {} : { body: request.body }),
        }),
        receiver.dead,
      ])
      return reply === undefined || !receiver.mortal.alive() ? undefined : ok(reply)
    } finally {
      asking -= 1
      stirs += 1
    }
  }

  /** One message on its way, with what the network does to it. */
  const carry = (from: Role, request: OutgoingRequest, life: Life): Promise<Result<OutgoingAnswer>> => {
    const to = other(from)
    const fate = left[from].shift() ?? { request: 'arrives', answer: 'arrives', out: 0, back: 0 }
    const name = nameOf(request)
    const gone = problem('PartnerUnreachable', `${HOST[to]} did not answer in time.`)
    return new Promise((resolve) => {
      life.held += 1
      let open = true
      const close = (outcome: Result<OutgoingAnswer>, line?: string): void => {
        if (!open) return
        open = false
        callOff()
        life.held -= 1
        stirs += 1
        if (line !== undefined && life.mortal.alive()) tell(line)
        resolve(outcome)
      }
      request.signal?.addEventListener('abort', () => close(problem('Stopping', 'The sender stops.')), {
        once: true,
      })
      const callOff = at(now + PATIENCE, () =>
        close(gone, `${from} gives up waiting for the answer to its ${name}`),
      )
      const arrive = async (copy: boolean): Promise<void> => {
        const what = copy ? `a copy of ${from}'s ${name}` : `${from}'s ${name}`
        const reply = await knock(to, request)
        if (reply === undefined) {
          tell(`${what} arrives; ${to} goes down before it answers`)
          return close(asleep(HOST[to]))
        }
        if (!reply.ok) {
          tell(`${what} finds nobody at ${to}`)
          return close(reply)
        }
        const { status, body } = reply.value
        const why = status < 300 ? '' : ` (${reasonIn(body)})`
        for (const listener of onAnswer)
          listener({ to, path: new URL(request.url).pathname, message: parsed(request), status })
        if (copy) return tell(`${what} arrives: ${status}${why}`)
        if (fate.answer === 'lost') return tell(`${what} arrives: ${status}${why}, and the answer is lost`)
        tell(`${what} arrives: ${status}${why}`)
        at(now + fate.back, () =>
          close(reply, fate.back === 0 ? undefined : `${from} hears the answer to its ${name}: ${status}`),
        )
      }
      if (fate.request === 'lost') return tell(`${from} sends ${name}, which is lost`)
      if (fate.request === 'refused') {
        tell(`${from} sends ${name}, and the connection breaks at once`)
        at(now, () => close(asleep(HOST[to])))
        return
      }
      if (fate.out > 0) tell(`${from} sends ${name}, which takes ${fate.out / 1000} s`)
      at(now + fate.out, () => arrive(false))
      if (fate.again !== undefined) at(now + fate.out + fate.again, () => arrive(true))
    })
  }

  const members: Readonly<Record<Role, Member>> = {
    consumer: createMember(configs.consumer, 'consumer', around('consumer')),
    provider: createMember(configs.provider, 'provider', around('provider')),
  }

  function around(role: Role): Parameters<typeof createMember>[2] {
    return {
      now: () => HTTP_DATE + now,
      stirred: () => {
        stirs += 1
      },
      died: () => tell(`${role} is without power`),
      fetch: (ready) => async (request) => {
        const life = await ready
        stirs += 1
        if (!life.mortal.alive()) return problem('Stopping', 'The sender is gone.')
        if (request.method === 'POST' && !READS.test(request.url)) return carry(role, request, life)
        const reply = await knock(request.url.includes(HOST.consumer) ? 'consumer' : 'provider', request)
        return reply ?? asleep(request.url)
      },
    }
  }

  const both = Object.values(members)
  const isBusy = (): boolean =>
    asking > 0 ||
    both.some((m) => {
      const life = m.life()
      return (
        life !== undefined && (life.connector.dispatcher.inFlight() > life.held || life.mortal.writing() > 0)
      )
    })

  /** Lets the event loop turn until nothing moves but what the network holds. */
  const rest = async (): Promise<void> => {
    let quiet = 0
    let seen = -1
    for (let turns = 0; quiet < REST; turns++) {
      if (turns > MOST_TURNS) throw new Error('the connectors do not come to rest')
      await turn()
      quiet = isBusy() || seen !== stirs ? 0 : quiet + 1
      seen = stirs
    }
  }

  const nextRetry = (): number | undefined => {
    const moments = both.flatMap((m) => {
      const due = m.life()?.connector.store.nextDue(m.now())
      return due === undefined ? [] : [due - HTTP_DATE - m.skewMs]
    })
    return moments.length === 0 ? undefined : Math.min(...moments)
  }

  return {
    members,
    now: () => now,
    at,
    tell,
    told,
    onRest,
    onAnswer,
    async run() {
      for (let count = 0; ; count++) {
        if (count > MOST_EVENTS) throw new Error('messages are exchanged without end')
        await rest()
        for (const m of both) {
          if (!m.fallen()) continue
          await m.stop()
          at(now + m.downMs, async () => {
            await m.start()
            tell(`${m.role} is back`)
          })
        }
        for (const listener of onRest) listener()
        const [event] = events
        const retry = nextRetry()
        const before = now
        if (event === undefined && retry === undefined) return
        if (event !== undefined && (retry === undefined || event.moment <= retry)) {
          events.shift()
          now = event.moment
          await event.happen()
        } else now = Math.max(now, retry ?? now)
        if (now > before) for (const m of both) m.life()?.connector.dispatcher.wake()
      }
    },
  }
}

const parsed = (request: OutgoingRequest): Record<string, unknown> =>
  JSON.parse(String(request.body)) as Record<string, unknown>

/** The type of a message as the specification names it, without what all names have in common. */
function nameOf(request: OutgoingRequest): string {
  const message = parsed(request)
  const type = String(message['@type']).replace(/Message$/, '')
  return typeof message.eventType === 'string' ? `${type} ${message.eventType}` : type
}

function reasonIn(body: Buffer): string {
  try {
    const { reason } = JSON.parse(body.toString()) as { readonly reason?: readonly unknown[] }
    return String(reason?.[0] ?? 'no reason')
  } catch {
    return 'no reason'
  }
}
