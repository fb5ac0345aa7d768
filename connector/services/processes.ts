/** Negotiations and transfers together, for what looks at both. */
import type { Process } from '../domain/step.js'
import type { Store } from '../store/store.js'

/** Beyond any number of processes that one file can hold. */
const EVERY = { limit: 10_000_000 }

/** Those under way: acknowledged by the partner and not ended, whatever their number and age. */
export const openProcesses = (store: Pick<Store, 'list'>): readonly Process[] => [
  ...['REQUESTED', 'OFFERED', 'ACCEPTED', 'AGREED', 'VERIFIED'].flatMap((state) =>
    store.list('negotiation', { state, ...EVERY }),
  ),
  ...['REQUESTED', 'STARTED', 'SUSPENDED'].flatMap((state) => store.list('transfer', { state, ...EVERY })),
]
