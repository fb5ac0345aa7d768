/** The clock of this machine against those of others: tokens and contracts depend on it. */
import type { Config } from '../../config/load.js'
import type { Clock } from '../../core/types.js'
import type { Check, Finding } from '../doctor.js'
import type { Probe } from './probe.js'

/** One silent witness must not use up the time of the check, milliseconds. */
const WITNESS_MS = 2_500

/** There we would ask our own clock. */
const isLoopback = (url: string): boolean => /^(localhost|127\.|\[::1\])/.test(new URL(url).hostname)

/** The Date header has whole seconds. */
const DATE_STEP_MS = 1000

export type ClockDeps = {
  readonly clock: Clock
  readonly probe: Probe
  /** Addresses of partners, whose clocks are compared with ours. */
  readonly partnerUrls: () => Promise<readonly string[]>
}

export function clockCheck(config: Pick<Config, 'publicUrl' | 'maxClockSkewMs'>, deps: ClockDeps): Check {
  return {
    name: 'clock',
    needs: ['config'],
    run: async (signal) => {
      // A partner's clock is the better witness: our public address may be this very machine.
      const others = (await deps.partnerUrls()).slice(0, 3)
      const witnesses = isLoopback(config.publicUrl) ? others : [...others, config.publicUrl]
      const answers = await Promise.all(
        witnesses.map(async (url) => {
          const asked = deps.clock()
          const answer = await deps
            .probe(url, AbortSignal.any([signal, AbortSignal.timeout(WITNESS_MS)]))
            .catch(() => undefined)
          const middle = (asked + deps.clock()) / 2
          return answer?.date === undefined
            ? undefined
            : { host: new URL(url).host, offMs: middle - (answer.date + DATE_STEP_MS / 2) }
        }),
      )
      const witness = answers.find((answer) => answer !== undefined)
      if (witness === undefined) {
        return {
          status: 'skipped',
          what: {
            en: 'no other clock could be asked (neither a partner nor the public address answers)',
            de: 'keine andere Uhr ließ sich befragen (weder ein Partner noch die öffentliche Adresse antwortet)',
          },
        }
      }
      return clockFinding(witness, config.maxClockSkewMs)
    },
  }
}

function clockFinding(
  witness: { readonly host: string; readonly offMs: number },
  allowedMs: number,
): Finding {
  const { host } = witness
  // What the rounding of the header can explain is no difference.
  const off = Math.max(0, Math.abs(witness.offMs) - DATE_STEP_MS)
  const seconds = Math.round(off / 1000)
  if (off <= allowedMs / 2) {
    return { status: 'ok', what: { en: `agrees with ${host}`, de: `stimmt mit ${host} überein` } }
  }
  const ahead = witness.offMs > 0
  return {
    status: off > allowedMs ? 'failed' : 'warning',
    what: {
      en: `this clock is ${seconds} s ${ahead ? 'ahead of' : 'behind'} that of ${host}`,
      de: `diese Uhr geht gegenüber der von ${host} ${seconds} s ${ahead ? 'vor' : 'nach'}`,
    },
    impact: {
      en: 'Partners take our identity tokens for expired or not yet valid, and contracts end at the wrong time.',
      de: 'Partner halten unsere Identitätstoken für abgelaufen oder noch nicht gültig, und Verträge enden zur falschen Zeit.',
    },
    fix: {
      en: 'Switch on time synchronisation (timedatectl set-ntp true), or ask whoever runs the other clock.',
      de: 'Schalten Sie die Zeitsynchronisation ein (timedatectl set-ntp true), oder fragen Sie den Betreiber der anderen Uhr.',
    },
  }
}
