/** Data under a transfer as the consumer's application reads it, and what may come of it. */
import type { Ask } from './memory-http.js'
import type { World } from './world.js'

/** What there is to read, oldest first. */
export const READINGS = ['2027-01-01T00:00:00Z', '2027-01-01T00:00:01Z'] as const
/** Records that the offer "limited" allows in total: more than one reading of everything, and less than two. */
export const QUOTA = 3

/** Records received, by contract. */
const received = new WeakMap<World, Map<string, number>>()

export const receivedUnder = (world: World, contract: string): number =>
  received.get(world)?.get(contract) ?? 0

export async function pull(world: World, pid: string | undefined): Promise<void> {
  if (pid === undefined) return
  const answer = await read(world, pid)
  if (answer === undefined) return world.tell(`consumer has no access to the data of ${pid}`)
  world.tell(`consumer reads ${answer.records} records under ${pid}: ${answer.status}`)
}

export type Read = { readonly status: number; readonly records: number }

/** Undefined when there is no address, nobody answers, or the connection breaks. */
export async function read(world: World, pid: string): Promise<Read | undefined> {
  const { consumer, provider } = world.members
  const data = consumer.dataOf(pid)
  const serving = provider.life()
  const transfer = consumer.life()?.connector.store.find({ kind: 'transfer', pid: pid as never })
  if (data === undefined || serving === undefined || transfer === undefined) return undefined
  const asked: ReturnType<Ask> = serving.outside({ path: data.path, headers: { authorization: data.token } })
  const reply = await Promise.race([asked.catch(() => undefined), serving.dead])
  if (reply === undefined) return undefined
  const records = reply.status === 200 ? reply.body.toString().split('\n').length - 1 : 0
  const counts = received.get(world) ?? new Map<string, number>()
  received.set(world, counts)
  counts.set(transfer.agreementId, (counts.get(transfer.agreementId) ?? 0) + records)
  return { status: reply.status, records }
}
