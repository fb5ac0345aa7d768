import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EpochMs } from '../../connector/core/types.js'
import type { RecordSource } from '../../connector/dataplane/ports.js'
import type { DataRecord, Signal } from '../../connector/dataplane/record.js'
import type { MalformedSample, SourceReport } from '../../connector/dataplane/sources/managed.js'

export async function inTempDir<T>(run: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'sources-'))
  try {
    return await run(dir)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

export type Heard = {
  readonly malformed: { n: number; sample: MalformedSample }[]
  readonly states: string[]
  readonly problems: string[]
  readonly report: SourceReport
}

export function listen(): Heard {
  const malformed: Heard['malformed'] = []
  const states: string[] = []
  const problems: string[] = []
  return {
    malformed,
    states,
    problems,
    report: {
      malformed: (n, sample) => void malformed.push({ n, sample }),
      state: (state, problem) => {
        states.push(state)
        if (problem !== undefined) problems.push(problem.message)
      },
    },
  }
}

export async function readAll(
  source: RecordSource,
  query: { after?: string; from?: EpochMs; signal?: AbortSignal } = {},
): Promise<DataRecord[]> {
  const records: DataRecord[] = []
  const signal = query.signal ?? new AbortController().signal
  for await (const batch of source.read({ ...query, signal })) records.push(...batch)
  return records
}

export const number = (name: string): Signal => ({ name, type: 'number' })
