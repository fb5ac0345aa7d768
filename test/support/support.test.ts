import { lookup } from 'node:dns/promises'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { request } from 'undici'
import { expect, it, vi } from 'vitest'
import type { TestModule } from 'vitest/node'
import CiReporter from './ci-reporter.js'
import { waitFor } from './wait-for.js'

const FORBIDDEN = { code: 'ETESTNETWORK' }

it('lets no test reach beyond this machine', async () => {
  await expect(lookup('example.com')).rejects.toMatchObject(FORBIDDEN)
  await expect(request('http://192.0.2.1/')).rejects.toMatchObject(FORBIDDEN)
  await expect(fetch('http://192.0.2.1/')).rejects.toMatchObject({ cause: FORBIDDEN })
  const code = await new Promise((resolve) => {
    connect({
      host: 'a.example',
      port: 80,
      lookup: (_, options, done) =>
        done(null, options.all ? [{ address: '192.0.2.1', family: 4 }] : '192.0.2.1', 4),
    }).on('error', (cause) => resolve('code' in cause && cause.code))
  })
  expect(code).toBe('ETESTNETWORK')
})

it('lets tests use this machine, also under invented names', async () => {
  const server = createServer((_, response) => response.end('here'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('here')
  await new Promise<void>((resolve, reject) => {
    const socket = connect({
      host: 'a.example',
      port,
      lookup: (_, options, done) =>
        done(null, options.all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4),
    })
    socket.on('error', reject).on('connect', () => resolve(void socket.destroy()))
  })
  server.closeAllConnections()
  server.close()
})

it('closes a run with one line that counts files that cannot be loaded as failed', () => {
  const lines: unknown[] = []
  const spy = vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(line))
  const module = (states: readonly string[], errors: number) => ({
    children: { allTests: () => states.map((state) => ({ result: () => ({ state }) })) },
    errors: () => Array.from({ length: errors }),
  })
  const modules = [module(['passed', 'passed', 'skipped', 'failed', 'pending'], 0), module([], 1)]
  new CiReporter().onTestRunEnd(modules as unknown as readonly TestModule[], [new Error('outside of tests')])
  spy.mockRestore()
  expect(lines).toEqual(['2 passed, 4 failed, 1 skipped'])
})

it('waits for a condition and fails with its last reason', async () => {
  let looks = 0
  expect(await waitFor(() => (++looks < 3 ? undefined : looks))).toBe(3)
  const reason = new Error('not there')
  const look = (): never => {
    throw reason
  }
  await expect(waitFor(look, { timeoutMs: 30, what: 'the end' })).rejects.toMatchObject({
    message: 'waited in vain for the end',
    cause: reason,
  })
})
