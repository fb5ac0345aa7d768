/** Schemas of deliveries: how far a push has come, and whether it fails at present. */
import { described, object, text, time, whole } from './schema.js'

export const pushFailing = described(
  object({ since: time, lastError: text }),
  'Deliveries of this push fail at present; absent once one has succeeded again.',
)

export const failingDeliveries = described(
  object({ count: whole, oldest: time }, ['oldest']),
  'Running pushes, sent or received, whose deliveries fail at present.',
)

export const pushProgress = object(
  {
    to: described(text, 'Where the data goes: the address of the receiver, or our own file or broker.'),
    batches: described(whole, 'Acknowledged deliveries.'),
    records: whole,
    bytes: whole,
    lastAt: described(time, 'Of the last acknowledged delivery.'),
    lastError: described(text, 'Why the last delivery failed; absent once one has succeeded again.'),
  },
  ['lastAt', 'lastError'],
)
