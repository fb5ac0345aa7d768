/**
 * Lines of bytes. Only a line feed ends one: JSON may contain every other character that ends lines of text. What is too
 * long is thrown away as it comes, so that memory is bounded by the limit, whatever the input is.
 */

/** `number` counts from 1, blank lines included. */
export type Line = { readonly number: number } & (
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'too long' | 'not UTF-8' }
)

const LINE_FEED = 0x0a

/** @param maxBytes of one line, without its end */
export async function* readLines(
  input: AsyncIterable<Uint8Array | string>,
  maxBytes: number,
): AsyncGenerator<Line> {
  let parts: Uint8Array[] = []
  let length = 0
  let number = 1
  const take = (part: Uint8Array): void => {
    length += part.length
    if (length <= maxBytes) parts.push(part)
    else parts = []
  }
  const finish = (): Line => {
    const line: Line =
      length > maxBytes ? { number, kind: 'too long' } : { number, ...decoded(Buffer.concat(parts)) }
    parts = []
    length = 0
    number += 1
    return line
  }
  for await (const chunk of input) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    let start = 0
    for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
      take(bytes.subarray(start, end))
      yield finish()
      start = end + 1
    }
    if (start < bytes.length) take(bytes.subarray(start))
  }
  if (length > 0) yield finish()
}

/** Fatal: bytes that are no text must not become a policy that nobody wrote. A byte order mark is dropped. */
const decoder = new TextDecoder('utf-8', { fatal: true })

function decoded(bytes: Uint8Array) {
  try {
    return { kind: 'text', text: decoder.decode(bytes) } as const
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    return { kind: 'not UTF-8' } as const
  }
}
