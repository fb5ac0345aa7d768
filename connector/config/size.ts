/** Sizes as people write them, with decimal units. */
const UNITS: Readonly<Record<string, number>> = { KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 }

/** Bytes, or undefined when the text is not a size. */
export function parseSize(text: string): number | undefined {
  const [, digits = '', unit = ''] = /^(\d{1,6})\s*([KMGT]B)$/i.exec(text) ?? []
  const bytes = Number(digits) * (UNITS[unit.toUpperCase()] ?? 0)
  return bytes > 0 ? bytes : undefined
}
