/** Exact decimal numbers: an integer and how many of its digits stand behind the point. No float ever touches a value. */

export type Num = { readonly n: bigint; readonly scale: number }

const DECIMAL = /^([+-]?)(\d{0,200})(?:\.(\d{0,200}))?(?:[eE]([+-]?\d{1,3}))?$/

/** Undefined for anything that is not a number in decimal or exponent notation of bounded length. */
export function parseNum(text: string): Num | undefined {
  const match = DECIMAL.exec(text.trim())
  if (match === null) return undefined
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  if (whole === '' && fraction === '') return undefined
  const scale = fraction.length - Number(exponent)
  const digits = BigInt(whole + fraction)
  const n = sign === '-' ? -digits : digits
  return scale < 0 ? { n: n * 10n ** BigInt(-scale), scale: 0 } : { n, scale }
}

export const numOf = (n: bigint, scale = 0): Num => ({ n, scale })

const at = (value: Num, scale: number): bigint =>
  value.scale === scale ? value.n : value.n * 10n ** BigInt(scale - value.scale)

/** Negative, zero or positive. */
export function compareNum(a: Num, b: Num): number {
  const scale = Math.max(a.scale, b.scale)
  const [x, y] = [at(a, scale), at(b, scale)]
  return x < y ? -1 : x > y ? 1 : 0
}

export function addNum(a: Num, b: Num): Num {
  const scale = Math.max(a.scale, b.scale)
  return { n: at(a, scale) + at(b, scale), scale }
}

export const multiplyNum = (a: Num, b: Num): Num => ({ n: a.n * b.n, scale: a.scale + b.scale })

/** A number strictly between, nearest to the middle with one digit more. */
export function between(a: Num, b: Num): Num {
  const scale = Math.max(a.scale, b.scale) + 1
  return { n: (at(a, scale) + at(b, scale)) / 2n, scale }
}

export const isInteger = ({ n, scale }: Num): boolean => scale === 0 || n % 10n ** BigInt(scale) === 0n

/** Decimal text without superfluous zeros. */
export function numText({ n, scale }: Num): string {
  const negative = n < 0n
  const digits = (negative ? -n : n).toString().padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale)
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, '')
  return `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
}
