/** Size limits of a policy, checked before anything else looks at it, so that recursion over it is bounded. */

export const MAX_DEPTH = 16
export const MAX_NODES = 2000

/** Which limit a JSON value breaks, if any. The value itself is at depth 1; every value in it is a node. */
export function exceededLimit(json: unknown): 'depth' | 'nodes' | undefined {
  let nodes = 0
  const visit = (value: unknown, depth: number): 'depth' | 'nodes' | undefined => {
    nodes += 1
    if (nodes > MAX_NODES) return 'nodes'
    if (typeof value !== 'object' || value === null) return undefined
    if (depth > MAX_DEPTH) return 'depth'
    for (const inner of Array.isArray(value) ? value : Object.values(value)) {
      const excess = visit(inner, depth + 1)
      if (excess !== undefined) return excess
    }
    return undefined
  }
  return visit(json, 1)
}
