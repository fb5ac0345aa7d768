/** A tank with a level, five records in a file: the smallest dataset that a contract can be made about. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Member } from '../support/dataspace.js'

export type Terms = { readonly [name: string]: unknown }

/** Publishes `tank` with the given offers by id; without any there is one without terms, called `open`. */
export async function publishTank(
  member: Member,
  folder: string,
  offers: Readonly<Record<string, Terms>> = { open: {} },
  id = 'tank',
): Promise<string> {
  const file = join(folder, `${member.name}-${id}.csv`)
  const lines = [0, 1, 2, 3, 4].map((s) => `2026-01-01T00:00:0${s}Z,${s}`)
  writeFileSync(file, `time,level\n${lines.join('\n')}\n`)
  await member.put(`/api/v1/sources/${id}`, {
    kind: 'files',
    config: {
      file,
      growing: true,
      format: 'csv',
      time: { column: 'time', format: 'iso' },
      signals: { level: 'level' },
    },
  })
  await member.put(`/api/v1/datasets/${id}`, {
    title: 'Tank',
    signals: [{ name: 'level', type: 'number', unit: 'mm' }],
    sourceId: id,
  })
  for (const [offer, terms] of Object.entries(offers)) {
    await member.post(`/api/v1/datasets/${id}/offers`, { id: offer, terms })
  }
  await member.post(`/api/v1/datasets/${id}/publish`)
  return file
}
