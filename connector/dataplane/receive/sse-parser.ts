/** The event stream format of the HTML standard, "Server-sent events", "Parsing an event stream". */

export type StreamEvent = {
  readonly type: string
  readonly data: string
  /** The id given in this event itself. */
  readonly id?: string
}

export type EventParser = {
  /** Complete events so far; undefined when a line or an event is longer than allowed. */
  push(chunk: Uint8Array): readonly StreamEvent[] | undefined
}

/** @param maxLength of a line and of the data of one event, characters. */
export function createEventParser(maxLength: number): EventParser {
  const decoder = new TextDecoder()
  let rest = ''
  let type = ''
  let data: string[] = []
  let length = 0
  let id: string | undefined

  const field = (line: string): void => {
    const colon = line.indexOf(':')
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (name === 'event') type = value
    else if (name === 'id' && !value.includes('\0')) id = value
    else if (name === 'data') {
      data.push(value)
      length += value.length
    }
  }

  return {
    push(chunk) {
      rest += decoder.decode(chunk, { stream: true })
      const events: StreamEvent[] = []
      let from = 0
      for (let i = 0; i < rest.length; i++) {
        const sign = rest.charCodeAt(i)
        if (sign !== 10 && sign !== 13) continue
        // A CR at the very end may be the first half of a CRLF.
        if (sign === 13 && i === rest.length - 1) break
        const line = rest.slice(from, i)
        if (sign === 13 && rest.charCodeAt(i + 1) === 10) i += 1
        from = i + 1
        if (line !== '') {
          field(line)
          continue
        }
        if (data.length > 0 || id !== undefined) {
          events.push({
            type: type === '' ? 'message' : type,
            data: data.join('\n'),
            ...(id !== undefined && { id }),
          })
        }
        type = ''
        data = []
        length = 0
        id = undefined
      }
      rest = rest.slice(from)
      return rest.length > maxLength || length > maxLength ? undefined : events
    },
  }
}
