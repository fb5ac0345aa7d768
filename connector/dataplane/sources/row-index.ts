/**
 * What is known about one file after reading in it: for each stretch of rows where it lies, its latest time and the
 * number of its first line. Built by whoever reads at the frontier; lets a reader with a start time skip the rest.
 */
type Stretch = {
  readonly start: number
  readonly end: number
  /** -Infinity when no row of the stretch is a record. */
  readonly latest: number
  readonly line: number
}

/** Above this many stretches neighbours are merged, so that the index of a huge file stays small. */
const MOST_STRETCHES = 32_768

export type RowIndex = {
  /** End of what is known; a row begins there. */
  frontier(): number
  /** The first offset at or behind `offset` at which records at or after `from` may begin. */
  skip(offset: number, from: number): number
  /** Number of the line at an offset, when it is known. */
  lineAt(offset: number): number | undefined
  /** Adds the stretch at the frontier. */
  extend(end: number, latest: number, lines: number): void
}

export function createRowIndex(start: number, firstLine: number): RowIndex {
  let stretches: Stretch[] = []
  let frontier = start
  let frontierLine = firstLine

  /** The stretch in which an offset lies. */
  const find = (offset: number): number => {
    let low = 0
    let high = stretches.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const one = stretches[middle]
      if (one === undefined) return -1
      if (offset < one.start) high = middle - 1
      else if (offset >= one.end) low = middle + 1
      else return middle
    }
    return -1
  }

  return {
    frontier: () => frontier,
    skip(offset, from) {
      let at = find(offset)
      let to = offset
      for (
        let one = stretches[at];
        at !== -1 && one !== undefined && one.latest < from;
        one = stretches[at]
      ) {
        to = one.end
        at += 1
      }
      return to
    },
    lineAt(offset) {
      if (offset === frontier) return frontierLine
      const one = stretches[find(offset)]
      return one?.start === offset ? one.line : undefined
    },
    extend(end, latest, lines) {
      stretches.push({ start: frontier, end, latest, line: frontierLine })
      frontier = end
      frontierLine += lines
      if (stretches.length > MOST_STRETCHES) stretches = mergeNeighbours(stretches)
    },
  }
}

const mergeNeighbours = (stretches: readonly Stretch[]): Stretch[] =>
  stretches.flatMap((one, at) => {
    if (at % 2 === 1) return []
    const next = stretches[at + 1]
    return [next === undefined ? one : { ...one, end: next.end, latest: Math.max(one.latest, next.latest) }]
  })
