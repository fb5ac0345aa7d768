/** Near misses: the known name that somebody probably meant. */

/** Spelling variants that mean the same to a person: case, hyphens, underscores. */
const plain = (name: string): string => name.toLowerCase().replaceAll(/[-_ ]/g, '')

/** Edits (insert, delete, replace, swap of neighbours) that turn one word into the other. */
function distance(a: string, b: string): number {
  let beforeLast: readonly number[] = []
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replace = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swap =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
          ? (beforeLast[j - 2] ?? 0) + 1
          : Number.POSITIVE_INFINITY
      row.push(Math.min((row[j - 1] ?? 0) + 1, (last[j] ?? 0) + 1, replace, swap))
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}

/** The closest known name within two edits, for short words within one. Undefined when nothing is close. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const wanted = plain(name)
  const allowed = wanted.length < 6 ? 1 : 2
  const ranked = known
    .map((candidate) => ({ candidate, edits: distance(wanted, plain(candidate)) }))
    .filter(({ edits }) => edits <= allowed)
    .sort((a, b) => a.edits - b.edits)
  return ranked[0]?.candidate
}
