/**
 * Recorded traffic of two live EDC 0.15.1 connectors. It is not part of the project: it is looked for in HANDSCHLAG_SHARED
 * or ../shared, and whoever uses it skips visibly where it is absent.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Json } from '../../connector/core/types.js'
import type { Answer } from '../support/dataspace.js'
import { sharedPath } from '../support/shared-data.js'

export const RECORDINGS = 'protocol/edc-wire'
export const hasRecordings = sharedPath(RECORDINGS) !== undefined

export type Exchange = {
  readonly request: {
    readonly method: string
    readonly path: string
    readonly headers: Readonly<Record<string, string>>
    readonly body: Answer
  }
  readonly response: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly body: Json
  }
}

/** One exchange by the beginning of its folder and file, such as `recorded('4-transfer-pull', '02')`. */
export function recorded(folder: string, number: string): Exchange {
  const root = join(sharedPath(RECORDINGS) ?? '', folder)
  const file = readdirSync(root).find((name) => name.startsWith(`${number}-`))
  if (file === undefined) throw new Error(`no ${number} in ${folder}`)
  return JSON.parse(readFileSync(join(root, file), 'utf8')) as Exchange
}

/**
 * The same body with other ids and addresses: texts that are a key of `changes` become its value, and so do addresses that
 * begin with one.
 */
export function adapted<T extends Json>(body: T, changes: Readonly<Record<string, string>>): T {
  const prefixes = Object.entries(changes).filter(([from]) => from.startsWith('http://'))
  const change = (value: Json): Json => {
    if (typeof value === 'string') {
      if (Object.hasOwn(changes, value)) return changes[value] ?? value
      const prefix = prefixes.find(([from]) => value.startsWith(from))
      return prefix === undefined ? value : prefix[1] + value.slice(prefix[0].length)
    }
    if (Array.isArray(value)) return value.map(change)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, change(inner)]))
  }
  return change(body) as T
}
