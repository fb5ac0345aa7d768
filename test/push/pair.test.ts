import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { contractOn, startPair } from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'
import { linesOf, offerReadings, pathOf, pushUnder, upTo, values } from './support.js'

it('delivers the history and then what comes to a file of the consumer', async () => {
  await using space = await startPair()
  const { provider, consumer } = space
  await offerReadings(space, provider, 2500)
  const contract = await contractOn(consumer, provider, 'readings')
  const transfer = await pushUnder(consumer, contract, { sink: { to: 'file:readings.ndjson' } })
  const file = join(consumer.config.receiveDir, 'readings.ndjson')
  await waitFor(
    async () => ((await consumer.get(pathOf(transfer))).push as { records: number }).records === 2500,
  )
  expect(values(linesOf(readFileSync(file, 'utf8')))).toEqual(upTo(2500))
})
