/** One whole connector of a story: its own data directory, clock, keys and store, reached through memory. */
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { type Connector, startConnector } from '../../connector/app.js'
import { findToken } from '../../connector/cli/client.js'
import { type Config, resolveConfig } from '../../connector/config/load.js'
import { type Log, silentLog } from '../../connector/core/log.js'
import { ok } from '../../connector/core/result.js'
import {
  type EpochMs,
  type JsonObject,
  type Pid,
  type Role,
  systemClock,
} from '../../connector/core/types.js'
import { createKeys } from '../../connector/crypto/keys.js'
import { createSecretKey, loadSecretBox, type SecretBox } from '../../connector/crypto/secret-box.js'
import type { PublicServer } from '../../connector/dsp/listen.js'
import type { Outgoing, OutgoingFetch } from '../../connector/identity/outgoing.js'
import { openStore } from '../../connector/store/sqlite/store.js'
import { type Ask, askOf } from './memory-http.js'
import { type Fuse, type Mortal, mortal } from './mortal-store.js'

export const HOST = { consumer: 'consumer.example', provider: 'provider.example' } as const
export const DID = { consumer: 'did:web:consumer.example', provider: 'did:web:provider.example' } as const

const PUBLIC_PORT = 8484
const FILES = ['handschlag.db', 'history.db'] as const

/** One life of a connector, from its start to its end; what a dead one still does reaches nobody. */
export type Life = {
  readonly connector: Connector
  readonly mortal: Mortal
  readonly outside: Ask
  readonly inside: Ask
  readonly token: string
  /** Resolves when its power goes. */
  readonly dead: Promise<undefined>
  /** Messages that the network holds for it. */
  held: number
}

export type OperatorAnswer = { readonly status: number; readonly body: JsonObject }

export type Member = {
  readonly role: Role
  readonly life: () => Life | undefined
  skewMs: number
  now(): EpochMs
  start(): Promise<void>
  /** An orderly stop; also takes away what a power cut has left. */
  stop(): Promise<void>
  /** Without power, and not taken away yet. */
  fallen(): boolean
  /** How long it stays down after its power has gone, milliseconds. */
  downMs: number
  /** Dies at a later write, or does not any more. */
  arm(fuse: Fuse | undefined): void
  /** What the operator asks of the management API; undefined when nobody answers. */
  operate(method: string, path: string, body?: object): Promise<OperatorAnswer | undefined>
  /** The consumer's way to the data of a transfer, as its applications have it. */
  dataOf(pid: string): { readonly path: string; readonly token: string } | undefined
  /** Errors that a connector in service has logged. */
  readonly complaints: readonly string[]
}

export function configOf(role: Role, folder: string): Config {
  const resolved = resolveConfig({
    cwd: folder,
    env: {
      HANDSCHLAG_NAME: role,
      HANDSCHLAG_PUBLIC_URL: `https://${HOST[role]}`,
      HANDSCHLAG_TLS: 'off',
      HANDSCHLAG_PORT: String(PUBLIC_PORT),
      HANDSCHLAG_DATA_DIR: join(folder, role),
      HANDSCHLAG_LOG_LEVEL: 'silent',
    },
  })
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.error))
  return resolved.value.config
}

export async function createIdentity(config: Config): Promise<void> {
  const keys = join(config.dataDir, 'keys')
  const secret = await createSecretKey(keys)
  const made = await createKeys(keys, systemClock)
  if (!secret.ok || !made.ok) throw new Error('no keys')
}

/** Keeps or brings back what the data directory held at the beginning. */
export function copyState(config: Config, direction: 'keep' | 'bring back'): void {
  const kept = join(config.dataDir, 'kept')
  mkdirSync(kept, { recursive: true })
  for (const file of FILES) {
    const [from, to] = [join(config.dataDir, file), join(kept, file)]
    if (direction === 'keep') copyFileSync(from, to)
    else {
      for (const rest of ['-wal', '-shm', '-journal']) rmSync(from + rest, { force: true })
      copyFileSync(to, from)
    }
  }
}

export type Surroundings = {
  readonly now: () => number
  readonly fetch: (life: Promise<Life>, from: Role) => OutgoingFetch
  /** Every sign of life, so that silence can be told from work. */
  readonly stirred: () => void
  readonly died: (role: Role) => void
}

export function createMember(config: Config, role: Role, around: Surroundings): Member {
  let life: Life | undefined
  let box: SecretBox | undefined
  let pids = 0
  const complaints: string[] = []

  const start = async (): Promise<void> => {
    const servers: PublicServer[] = []
    let store: Mortal | undefined
    const serving = () => store?.alive() === true
    const log: Log = {
      ...silentLog,
      error: (fields, event) => {
        if (serving() && 'err' in fields) complaints.push(`${role}: ${event}: ${String(fields.err)}`)
      },
      child: () => log,
    }
    // What it owes from before is sent while it still starts, and goes out when it is there.
    let isReady: (life: Life) => void = () => {}
    const ready = new Promise<Life>((resolve) => {
      isReady = resolve
    })
    let isDead: () => void = () => {}
    const dead = new Promise<undefined>((resolve) => {
      isDead = () => resolve(undefined)
    })
    const opened = await loadSecretBox(join(config.dataDir, 'keys'))
    if (opened.ok) box = opened.value
    const started = await startConnector(config, {
      clock: member.now,
      log,
      dev: true,
      version: 'test',
      newPid: () => `urn:uuid:${role}-${++pids}` as Pid,
      random: () => 0.5,
      openStore: (...args) => {
        const died = () => {
          isDead()
          around.died(role)
        }
        store = mortal(openStore(...args), died, around.stirred)
        return store.store
      },
      network: {
        createOutgoing: () => outgoingOf(around.fetch(ready, role)),
        listen: async (server) => {
          servers.push(server)
          return {
            port: server.port,
            address: '127.0.0.1',
            connections: () => 0,
            refused: () => 0,
            [Symbol.asyncDispose]: async () => {},
          }
        },
      },
    })
    if (!started.ok) throw new Error(started.error.message)
    const token = findToken({}, config.dataDir, 'en')
    const [outside, inside] = servers
    if (!token.ok || store === undefined || outside === undefined || inside === undefined) {
      throw new Error('not started')
    }
    life = {
      connector: started.value,
      mortal: store,
      outside: askOf(outside),
      inside: askOf(inside),
      token: token.value,
      dead,
      held: 0,
    }
    isReady(life)
  }

  const member: Member = {
    role,
    skewMs: 0,
    downMs: 0,
    complaints,
    fallen: () => life !== undefined && !life.mortal.alive(),
    life: () => (life?.mortal.alive() === true ? life : undefined),
    now: () => (around.now() + member.skewMs) as EpochMs,
    start,
    async stop() {
      const ending = life
      life = undefined
      await ending?.connector[Symbol.asyncDispose]()
      await turn()
    },
    dataOf(pid) {
      const found = life?.connector.store.find({ kind: 'transfer', pid: pid as Pid })
      if (found?.endpoint === undefined || found.sealedToken === undefined) return undefined
      const token = box?.open(found.sealedToken, `transfer:${pid}`)
      return token?.ok === true ? { path: new URL(found.endpoint).pathname, token: token.value } : undefined
    },
    arm: (fuse) => life?.mortal.arm(fuse),
    async operate(method, path, body) {
      const asked = member.life()
      if (asked === undefined) return undefined
      const reply = await Promise.race([
        asked.inside({
          method,
          path: `/api/v1${path}`,
          headers: { authorization: `Bearer ${asked.token}`, 'content-type': 'application/json' },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        }),
        asked.dead,
      ])
      if (reply === undefined || !asked.mortal.alive()) return undefined
      const text = reply.body.toString()
      return { status: reply.status, body: text === '' ? {} : (JSON.parse(text) as JsonObject) }
    },
  }
  return member
}

const outgoingOf = (fetch: OutgoingFetch): Outgoing => ({
  fetch,
  checkUrl: (url) => ok(new URL(url)),
  // Data is read by the story itself, not through the consumer's connector.
  get dispatcher(): never {
    throw new Error('no data is pulled over this network')
  },
  get dial(): never {
    throw new Error('no data is pulled over this network')
  },
  [Symbol.asyncDispose]: async () => {},
})
