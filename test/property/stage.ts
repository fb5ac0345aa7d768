/** Where stories are played: two data directories that are put back to their beginning before each story. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Role } from '../../connector/core/types.js'
import { schedule } from './deeds.js'
import { configOf, copyState, createIdentity, DID, HOST } from './member.js'
import { QUOTA, READINGS } from './pull.js'
import type { Story } from './story.js'
import { watch } from './truth.js'
import { createWorld, type World } from './world.js'

export type Played = {
  readonly findings: readonly string[]
  /** The story as it went, line by line, with seconds. */
  readonly told: readonly string[]
}

export type Stage = AsyncDisposable & { play(story: Story): Promise<Played> }

/** Memory serves as a disk where there is one: what a power cut takes is decided by the story. */
const PLACE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
const SIDES = ['consumer', 'provider'] as const

export async function createStage(): Promise<Stage> {
  const folder = mkdtempSync(join(PLACE, 'handschlag-story-'))
  const configs = { consumer: configOf('consumer', folder), provider: configOf('provider', folder) }
  for (const role of SIDES) await createIdentity(configs[role])
  const world = createWorld(configs, { consumer: [], provider: [] })
  for (const role of SIDES) await world.members[role].start()
  await settle(world, folder)
  for (const role of SIDES) {
    await world.members[role].stop()
    copyState(configs[role], 'keep')
  }
  return {
    async play(story) {
      for (const role of SIDES) copyState(configs[role], 'bring back')
      const stage = createWorld(configs, story.fates)
      const witness = watch(stage)
      try {
        const played = async (): Promise<Played> => {
          for (const role of SIDES) await stage.members[role].start()
          schedule(stage, story)
          await stage.run()
          for (const role of SIDES) stage.members[role].arm(undefined)
          return { findings: await witness.verdict(), told: stage.told }
        }
        return await inTime(played())
      } catch (cause) {
        const words = cause instanceof Error ? cause.message : String(cause)
        return { findings: [words], told: stage.told }
      } finally {
        for (const role of SIDES) await stage.members[role].stop()
      }
    },
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A story takes a fraction of a second; one that hangs must be told too. */
const LONGEST_MS = 30_000

async function inTime(played: Promise<Played>): Promise<Played> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the story hangs')), LONGEST_MS)
  })
  try {
    return await Promise.race([played, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Partners that trust each other, and something to offer. */
async function settle(world: World, folder: string): Promise<void> {
  const { provider } = world.members
  const sure = async (role: Role, method: string, path: string, body?: object): Promise<void> => {
    const answer = await world.members[role].operate(method, path, body)
    if (answer === undefined || answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer)}`)
  }
  for (const [from, to] of [
    ['consumer', 'provider'],
    ['provider', 'consumer'],
  ] as const) {
    await sure(from, 'POST', '/partners', {
      did: DID[to],
      address: `https://${HOST[to]}`,
      name: to,
      seal: 'require',
    })
    await sure(from, 'POST', `/partners/${encodeURIComponent(DID[to])}/trust`)
  }
  const file = join(folder, 'readings.csv')
  writeFileSync(file, `time,level\n${READINGS.map((at) => `${at},1`).join('\n')}\n`)
  const config = { file, format: 'csv', time: { column: 'time', format: 'iso' }, signals: { level: 'level' } }
  await sure(provider.role, 'PUT', '/sources/tank', { kind: 'files', config })
  await sure(provider.role, 'PUT', '/datasets/readings', {
    title: 'Readings',
    signals: [{ name: 'level', type: 'number' }],
    sourceId: 'tank',
  })
  await sure(provider.role, 'POST', '/datasets/readings/offers', { id: 'open', terms: {} })
  await sure(provider.role, 'POST', '/datasets/readings/offers', { id: 'limited', terms: { count: QUOTA } })
  await sure(provider.role, 'POST', '/datasets/readings/publish')
}
