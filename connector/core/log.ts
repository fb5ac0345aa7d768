/** Structured log on stderr, one event per line. Log once, where the decision is made. Never a secret. */
import { pino } from 'pino'

export type Log = {
  info(fields: object, event: string): void
  warn(fields: object, event: string): void
  error(fields: object, event: string): void
  debug(fields: object, event: string): void
  child(fields: object): Log
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** Paths that are censored wherever they appear, as a net below the rule that nobody logs them. */
const SECRET_PATHS = ['authorization', '*.authorization', 'token', '*.token', 'password', '*.password']

export function createLog(level: LogLevel): Log {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact: SECRET_PATHS },
    pino.destination({ dest: 2, sync: false }),
  )
}

export const silentLog: Log = {
  info: () => {},
  warn: () => {},
  error: () => {},
  debug: () => {},
  child: () => silentLog,
}
