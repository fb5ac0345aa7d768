/**
 * How much one reading may keep in memory. A source beyond it is a source gone wrong; the reading ends with a sentence.
 *
 * Per reading: of each series eight blocks of sampling (about 0.7 KB); of each series and combined signal one tally in each
 * of two windows (about 0.12 KB). With the bounds below that is at most 8 MB of samples and 50 MB of tallies, whatever the
 * length of the source, the sampling interval and the windows are. Pseudonyms are remembered 10,000 at a time for each
 * transfer (about 2 MB); rounding and noise keep nothing that grows.
 */
import { SourceError } from '../ports.js'

/** Series that one reading tells apart. */
export const MOST_SERIES = 10_000
/** Series times combined signals in one window. */
export const MOST_TALLIES = 200_000

export const seriesWith = (signals: number): number =>
  Math.min(MOST_SERIES, Math.max(1, Math.floor(MOST_TALLIES / Math.max(1, signals))))

export const tooManySeries = (most: number): SourceError =>
  new SourceError({
    code: 'SourceUnavailable',
    message: `The source has more than ${most} series; that is more than can be sampled or combined at once.`,
    messageDe: `Die Quelle hat mehr als ${most} Datenreihen; so viele lassen sich nicht auf einmal abtasten oder verdichten.`,
  })
