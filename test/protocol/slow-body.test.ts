import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { systemClock } from '../../connector/core/types.js'
import { loadKeys } from '../../connector/crypto/keys.js'
import { createTokenIssuer } from '../../connector/identity/token.js'
import { enc, startPair } from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'

it('answers 404 to a partner that is blocked while its message is still on the way', async () => {
  await using space = await startPair()
  const { provider, consumer } = space
  const keys = await loadKeys(join(consumer.config.dataDir, 'keys'))
  if (!keys.ok) throw new Error(keys.error.message)
  const issuer = createTokenIssuer({
    did: consumer.connector().did,
    authKey: keys.value.auth,
    clock: systemClock,
  })
  const before = provider.connector().store.rememberedTokens(systemClock()).length
  const outgoing = request(`${provider.connector().dspAddress}/catalog/request`, {
    method: 'POST',
    ca: readFileSync(space.ca),
    headers: {
      authorization: `Bearer ${issuer.tokenFor(provider.connector().did)}`,
      'content-type': 'application/json',
    },
  })
  const answered = new Promise<number | undefined>((resolve) =>
    outgoing.once('response', (res) => resolve(res.resume().statusCode)),
  )
  outgoing.write('{"@context":["https://w3id.org/dspace/2025/1/context.jsonld"],')
  const { store } = provider.connector()
  // The caller is let in first: its token is then remembered as used, and written down within a second.
  await waitFor(() => store.rememberedTokens(systemClock()).length > before)
  await provider.post(`/api/v1/partners/${enc(consumer.did)}/block`)
  outgoing.end('"@type":"CatalogRequestMessage"}')
  expect(await answered).toBe(404)
})
