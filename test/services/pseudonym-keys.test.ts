/** The key of the pseudonyms: made with the contract, used while it runs, and destroyed with it. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ok, problem } from '../../connector/core/result.js'
import { revokeAgreement } from '../../connector/services/agreements.js'
import type { PseudonymKeys } from '../../connector/services/ports.js'
import { watchPseudonymKeys } from '../../connector/services/pseudonym-keys.js'
import { createWorld, type World } from './world.js'

const DAY = 86_400_000
let made = 0
const pseudonyms: PseudonymKeys = {
  create: (id) => `${id} ${++made}`,
  open: (sealed, id) =>
    sealed.startsWith(`${id} `)
      ? ok(new Uint8Array(32).fill(Number(sealed.slice(id.length + 1))))
      : problem('SecretUnreadable', 'sealed for another agreement'),
}

let world: World
afterEach(async () => {
  vi.useRealTimers()
  await world[Symbol.asyncDispose]()
})

async function open(withKeys = true) {
  world = await createWorld({ terms: { pseudonym: 'agreement', until: '2027-01-31' } })
  for (const side of [world.provider, world.consumer]) {
    if (withKeys) Object.assign(side.deps, { pseudonyms })
  }
  return world
}

describe('the key of the pseudonyms', () => {
  it('is handed to the data plane while the contract runs, the same after a restart, and destroyed by a revocation', async () => {
    const { provider } = await open()
    await world.started()
    const sealed = provider.agreement().pseudonymKey
    expect(sealed?.startsWith(provider.agreement().id)).toBe(true)
    expect(provider.flows.get(provider.transfer().pid)?.grant?.pseudonymKey?.byteLength).toBe(32)
    await provider.restart()
    expect(provider.agreement().pseudonymKey).toBe(sealed)
    await revokeAgreement(provider.deps, provider.agreement().id, 'the machine was sold')
    expect(provider.agreement().pseudonymKey).toBeUndefined()
    expect(JSON.stringify(provider.agreement())).not.toContain(String(sealed))
  })

  it('is destroyed when the contract expires, by timer and without any transfer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { provider } = await open()
    using _watch = watchPseudonymKeys(provider.deps)
    await world.finalized()
    expect(provider.agreement().pseudonymKey).toBeDefined()
    world.forward(60 * DAY)
    vi.advanceTimersByTime(60 * DAY)
    vi.useRealTimers()
    await vi.waitFor(() => expect(provider.agreement().pseudonymKey).toBeUndefined())
  })

  it('that is not to be had lets nothing be agreed', async () => {
    const { provider } = await open(false)
    await world.finalized().catch(() => {})
    expect(provider.store().agreements()).toEqual([])
  })
})
