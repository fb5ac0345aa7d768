/** Content negotiation: RFC 9110, "Accept" and "Accept-Encoding". */

export const NDJSON = 'application/x-ndjson'
export const CSV = 'text/csv'
export const JSON_ARRAY = 'application/json'
export const EVENT_STREAM = 'text/event-stream'

export type Format = typeof NDJSON | typeof CSV | typeof JSON_ARRAY | typeof EVENT_STREAM

/** In our order of preference, which decides between equals. */
export const RECORD_FORMATS: readonly Format[] = [NDJSON, CSV, JSON_ARRAY, EVENT_STREAM]

/** The format the receiver likes most, or undefined when it takes none of ours. */
export function chooseFormat(accept: string | undefined): Format | undefined {
  if (accept === undefined || accept.trim() === '') return NDJSON
  const ranges = qualities(accept)
  let best: Format | undefined
  let bestQuality = 0
  for (const format of RECORD_FORMATS) {
    const [type] = format.split('/')
    // A stream never ends: nobody gets one by a wildcard.
    const wildcard = format === EVENT_STREAM ? undefined : (ranges.get(`${type}/*`) ?? ranges.get('*/*'))
    const quality = ranges.get(format) ?? wildcard ?? 0
    if (quality > bestQuality) {
      best = format
      bestQuality = quality
    }
  }
  return best
}

export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  if (acceptEncoding === undefined) return false
  const codings = qualities(acceptEncoding)
  return (codings.get('gzip') ?? codings.get('x-gzip') ?? codings.get('*') ?? 0) > 0
}

/** Lower-case range or coding -> q, 1 when absent, 0 when unreadable. Other parameters are ignored. */
function qualities(header: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (const part of header.split(',')) {
    const [name = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase())
    if (name === '') continue
    const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
    const quality = q === undefined ? 1 : /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(q) ? Number(q) : 0
    found.set(name, Math.max(found.get(name) ?? 0, quality))
  }
  return found
}
