/** Where a value stands in a JSON document: a JSON Pointer (RFC 6901, "/a/b/0") or a dotted path ("a.b.0"). */

export type Pick = (json: unknown) => unknown

const POINTER = /^(?:\/(?:[^~/]|~[01])*)+$/
const DOTTED = /^[^./]+(?:\.[^./]+)*$/

export const isPath = (path: string): boolean => POINTER.test(path) || DOTTED.test(path)

function step(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  if (Array.isArray(value)) return /^(?:0|[1-9]\d{0,9})$/.test(key) ? value[Number(key)] : undefined
  // Own members only: a payload has no prototype, and neither has a path into it.
  return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
}

export function compilePath(path: string): Pick {
  const keys = path.startsWith('/')
    ? path
        .slice(1)
        .split('/')
        .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    : path.split('.')
  const [only] = keys
  if (keys.length === 1 && only !== undefined) return (json) => step(json, only)
  return (json) => {
    let value = json
    for (const key of keys) {
      if (value === undefined) return undefined
      value = step(value, key)
    }
    return value
  }
}
