/** Plain aligned text for terminals and pipes: no colours, no frames, no trailing blanks. */

/** Columns a terminal needs for a text: combining marks take none, East Asian wide characters two. */
function columns(text: string): number {
  let width = 0
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    width += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/.test(segment)
      ? 2
      : 1
  }
  return width
}

const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - columns(text)))

/** Bytes that a partner chose must not move the cursor of an operator's terminal. */
export const printable = (text: string): string => text.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, '\u{fffd}')

/** Header in capitals, one line per row, columns two blanks apart. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header.map((title) => title.toUpperCase()), ...rows.map((row) => row.map(printable))]
  const widths = header.map((_, i) => Math.max(...lines.map((line) => columns(line[i] ?? ''))))
  return lines
    .map((line) =>
      widths
        .map((width, i) => pad(line[i] ?? '', width))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** One `key  value` line per pair. Lines of a longer value stand below each other. */
export function renderPairs(pairs: readonly (readonly [key: string, value: string])[]): string {
  const width = Math.max(0, ...pairs.map(([key]) => columns(key)))
  return pairs
    .map(([key, value]) => {
      const [first = '', ...more] = value.split('\n').map(printable)
      return [`${pad(key, width)}  ${first}`, ...more.map((line) => `${' '.repeat(width)}  ${line}`)]
        .map((line) => line.trimEnd())
        .join('\n')
    })
    .join('\n')
}
