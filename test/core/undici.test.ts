import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as whole from 'undici'
import { expect, it } from 'vitest'
import { Agent, buildConnector, errors, getGlobalDispatcher, request } from '../../connector/core/undici.js'

it('loads the same parts that the package exports', () => {
  expect([Agent, buildConnector, errors, getGlobalDispatcher]).toEqual([
    whole.Agent,
    whole.buildConnector,
    whole.errors,
    whole.getGlobalDispatcher,
  ])
  expect(Agent).toBe(whole.Agent)
  expect(buildConnector).toBe(whole.buildConnector)
})

it('asks through the dispatcher it is given, with path, query, method and body', async () => {
  const agent = new Agent()
  const server = createServer(async (incoming, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    res.end(`${incoming.method} ${incoming.url} ${Buffer.concat(chunks)}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/a/b?c=d`)
  const asked = async (more: object): Promise<string> => {
    const answer = await request(url, { dispatcher: agent, ...more })
    return answer.body.text()
  }
  expect(await asked({})).toBe('GET /a/b?c=d ')
  expect(await asked({ method: 'POST', body: 'text' })).toBe('POST /a/b?c=d text')
  await agent.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
