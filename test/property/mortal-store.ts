/** A store that dies at a chosen write, as in a power cut: what was committed is on the disk, and nothing comes after it. */
import type { Store } from '../../connector/store/store.js'

/** Everything that writes and is waited for. */
type Write = {
  [K in keyof Store]: K extends string ? (ReturnType<Store[K]> extends Promise<unknown> ? K : never) : never
}[keyof Store]

const WRITES = Object.keys({
  create: true,
  change: true,
  attemptFailed: true,
  putPush: true,
  bookPush: true,
  retryNow: true,
  changeAgreement: true,
  note: true,
  noteArrival: true,
  putStatement: true,
  disown: true,
  addFact: true,
  endFact: true,
  putPartner: true,
  changePartner: true,
  removePartner: true,
  putShape: true,
  removeShape: true,
  putDataset: true,
  removeDataset: true,
  putSource: true,
  removeSource: true,
  putOffer: true,
  removeOffer: true,
  book: true,
  putApiToken: true,
  removeApiToken: true,
} satisfies Record<Write, true>) as Write[]

export type Fuse = {
  /** Writes that are still let through before the one at which it ends. */
  writes: number
  /** Whether that last write reaches the disk. */
  readonly kept: boolean
}

export type Mortal = {
  readonly store: Store
  /** Arms the fuse, which burns with every write, or takes it away. */
  arm(fuse: Fuse | undefined): void
  /** From now on nothing is written and nobody hears of anything. */
  die(): void
  alive(): boolean
  /** Writes under way. */
  writing(): number
}

export function mortal(real: Store, died: () => void, stirred: () => void): Mortal {
  let fuse: Fuse | undefined
  let dead = false
  let writing = 0
  const cut = (): never => {
    throw new Error('the power is off')
  }
  const die = (): void => {
    if (dead) return
    dead = true
    died()
  }
  const mortalWrite =
    (write: (...args: unknown[]) => Promise<unknown>) =>
    async (...args: unknown[]): Promise<unknown> => {
      if (dead) return cut()
      const last = fuse !== undefined && fuse.writes-- <= 0
      if (last && fuse?.kept !== true) {
        die()
        return cut()
      }
      writing += 1
      try {
        const value = await write(...args)
        if (last) die()
        return dead ? cut() : value
      } finally {
        writing -= 1
        stirred()
      }
    }
  const writes = Object.fromEntries(
    WRITES.map((name) => [
      name,
      mortalWrite((real[name] as (...args: unknown[]) => Promise<unknown>).bind(real)),
    ]),
  )
  return {
    store: { ...real, ...writes, [Symbol.asyncDispose]: () => real[Symbol.asyncDispose]() } as Store,
    arm(next) {
      fuse = next
    },
    die,
    alive: () => !dead,
    writing: () => writing,
  }
}
