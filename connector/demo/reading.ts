/** Reads data through the management API the way an application would: lines of a pull, events of a stream. */
import { createInterface } from 'node:readline'
import type { ManagementClient } from '../cli/client.js'
import type { Lang } from '../core/types.js'

export type Lines = { readonly lines: readonly string[]; readonly refusal?: string }

export async function readLines(api: ManagementClient, path: string, lang: Lang = 'en'): Promise<Lines> {
  const answer = await api.stream(path, { headers: { accept: 'application/x-ndjson' } })
  if (!answer.ok) return { lines: [], refusal: answer.error.message }
  const lines: string[] = []
  for await (const line of createInterface({ input: answer.value.body })) if (line !== '') lines.push(line)
  if (answer.value.status < 400) return { lines }
  return { lines: [], refusal: sentenceOf(lines.join(''), lang) }
}

/** The sentence in an error body, whichever of the two APIs wrote it. */
function sentenceOf(body: string, lang: Lang): string {
  try {
    const { message, reason, reasonDe } = JSON.parse(body) as {
      message?: string
      reason?: readonly string[]
      reasonDe?: string
    }
    return message ?? (lang === 'de' ? reasonDe : undefined) ?? reason?.join(' ') ?? body
  } catch {
    return body
  }
}

export type Events = AsyncDisposable & {
  seen(): readonly string[]
  /** Resolves when so many records have come. */
  records(count: number, timeoutMs: number): Promise<void>
  ended(timeoutMs: number): Promise<{ readonly at: number; readonly reason: string }>
}

export function followEvents(api: ManagementClient, path: string, lang: Lang = 'en'): Events {
  const stop = new AbortController()
  const records: string[] = []
  let end: { at: number; reason: string } | undefined
  const waiting = new Set<() => void>()
  const changed = () => {
    for (const check of waiting) check()
  }
  const reading = (async () => {
    const answer = await api.stream(path, { signal: stop.signal, headers: { accept: 'text/event-stream' } })
    if (!answer.ok) {
      end = { at: Date.now(), reason: answer.error.message }
      return
    }
    let event = ''
    for await (const line of createInterface({ input: answer.value.body })) {
      if (line.startsWith('event: ')) event = line.slice(7)
      else if (line.startsWith('data: ')) {
        if (event === 'end') end = { at: Date.now(), reason: sentenceOf(line.slice(6), lang) }
        else records.push(line.slice(6))
        event = ''
        changed()
      }
    }
    end ??= { at: Date.now(), reason: '' }
  })()
    .catch((cause: unknown) => {
      end ??= { at: Date.now(), reason: String(cause) }
    })
    .finally(changed)

  const when = <T>(probe: () => T | undefined, timeoutMs: number): Promise<T> =>
    new Promise((resolve, reject) => {
      const check = () => {
        const found = probe()
        if (found === undefined) return
        clearTimeout(timer)
        waiting.delete(check)
        resolve(found)
      }
      const timer = setTimeout(() => {
        waiting.delete(check)
        reject(new Error('The stream did not bring what was expected in time.'))
      }, timeoutMs)
      waiting.add(check)
      check()
    })

  return {
    seen: () => records,
    async records(count, timeoutMs) {
      await when(() => (records.length >= count || end !== undefined ? true : undefined), timeoutMs)
    },
    ended: (timeoutMs) => when(() => end, timeoutMs),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await reading
    },
  }
}
