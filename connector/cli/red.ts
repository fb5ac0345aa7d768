/** What must not be overlooked, in red where somebody sees colours. */
import type { Io } from './command.js'

/** https://no-color.org: any value that is not empty switches colours off. */
export const red = (io: Pick<Io, 'stdout' | 'env'>, text: string): string =>
  'isTTY' in io.stdout && io.stdout.isTTY === true && (io.env.NO_COLOR ?? '') === ''
    ? `\u001b[31m${text}\u001b[39m`
    : text
