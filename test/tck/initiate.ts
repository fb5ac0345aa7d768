/**
 * Where the kit says that the connector under test shall begin a process as consumer. The operator of the connector does
 * it: with the management API where that is possible, and with the same use case behind it where it is not.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ok, problem, type Result } from '../../connector/core/result.js'
import { type JsonObject, type Pid, systemClock } from '../../connector/core/types.js'
import { createValidator } from '../../connector/dsp/validate.js'
import { createWire } from '../../connector/dsp/wire.js'
import { requestContract } from '../../connector/services/negotiation-consumer.js'
import { KIT_ID } from './cases.js'
import type { UnderTest } from './connector.js'
import { TERMS } from './seed.js'

export type Initiate = AsyncDisposable & { readonly url: string }

const MAX_BODY = 64 * 1024

export async function startInitiate(underTest: UnderTest): Promise<Initiate> {
  const wishes: Readonly<Record<string, (wish: JsonObject) => Promise<Result<unknown>>>> = {
    '/negotiations': (wish) => negotiate(underTest, wish),
    '/transfers': ({ agreementId, format }) =>
      underTest.api.post('/api/v1/transfers', { contract: agreementId, format }),
  }
  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const wish = wishes[req.url ?? '']
    const begun =
      wish === undefined
        ? problem('NotFound', 'There is nothing to begin here.')
        : await wish(await read(req))
    // Anything but a success must fail the case at once, and the kit tries a 4xx again.
    res.writeHead(begun.ok ? 200 : 500, { 'content-type': 'application/json' })
    res.end(JSON.stringify(begun.ok ? {} : begun.error))
    if (!begun.ok) process.stdout.write(`could not begin ${req.url}: ${begun.error.message}\n`)
  }
  const server = createServer((req, res) => {
    answer(req, res).catch((cause: unknown) => {
      res.destroy(cause instanceof Error ? cause : new Error(String(cause)))
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function read(req: IncomingMessage): Promise<JsonObject> {
  let text = ''
  for await (const chunk of req) {
    text += String(chunk)
    if (text.length > MAX_BODY) throw new Error('the wish is too long')
  }
  return JSON.parse(text) as JsonObject
}

/** The kit has no catalog, from which the management API takes an offer: here the offer is what the kit will mean. */
async function negotiate(
  { connector }: UnderTest,
  { offerId, datasetId }: JsonObject,
): Promise<Result<unknown>> {
  const partner = connector.store.partner(KIT_ID)
  if (partner === undefined || typeof offerId !== 'string' || typeof datasetId !== 'string') {
    return problem('InvalidInput', 'The wish names no offer and dataset.')
  }
  const services = {
    store: connector.store,
    clock: systemClock,
    newPid: () => `urn:uuid:${randomUUID()}` as Pid,
    ownDid: connector.did,
    callbackAddress: connector.dspAddress,
    wire: createWire(createValidator()),
  }
  const begun = await requestContract(services, {
    partner,
    datasetId,
    offer: { ...TERMS, '@id': offerId, '@type': 'Offer', target: datasetId },
  })
  return begun.ok ? ok(begun.value.pid) : begun
}
