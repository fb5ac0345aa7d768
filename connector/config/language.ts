/** The language of the person in front of the terminal. */
import type { Lang } from '../core/types.js'

/** POSIX order: LC_ALL, LC_MESSAGES, LANG. Anything but German is English. */
export function langOfEnvironment(env: Readonly<Record<string, string | undefined>>): Lang {
  const locale = env.LC_ALL || env.LC_MESSAGES || env.LANG || ''
  return /^de([_.@-]|$)/i.test(locale) ? 'de' : 'en'
}
