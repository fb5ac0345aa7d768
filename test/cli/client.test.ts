import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createManagementClient, findToken, managementUrl } from '../../connector/cli/client.js'
import { type Command, say } from '../../connector/cli/command.js'
import { openClient } from '../../connector/cli/context.js'
import { cli } from './support.js'

let server: Server | undefined
afterEach(async () => {
  server?.closeAllConnections()
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)))
  server = undefined
})

async function connector(answer: RequestListener): Promise<string> {
  server = createServer(answer)
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}

const client = (url: string, lang: 'en' | 'de' = 'en') =>
  createManagementClient({ url, token: 'hunter2', lang })

async function message(
  answer: Promise<{ ok: boolean; error?: { code: string; message: string } }>,
): Promise<unknown> {
  const { error } = await answer
  return [error?.code, error?.message]
}

describe('a request', () => {
  it('carries method, path, token and JSON', async () => {
    const url = await connector(async (request, response) => {
      const { method, url: path, headers } = request
      response.end(
        JSON.stringify([method, path, headers.authorization, headers['content-type'], await bodyOf(request)]),
      )
    })
    const c = client(url)
    const json = 'application/json'
    expect(
      [
        await c.get('/api/v1/partners?x=1'),
        await c.post('/a', { b: 1 }),
        await c.put('/a', { b: 2 }),
        await c.delete('/a'),
      ].map((answer) => answer.ok && answer.value),
    ).toEqual([
      ['GET', '/api/v1/partners?x=1', 'Bearer hunter2', null, ''],
      ['POST', '/a', 'Bearer hunter2', json, '{"b":1}'],
      ['PUT', '/a', 'Bearer hunter2', json, '{"b":2}'],
      ['DELETE', '/a', 'Bearer hunter2', null, ''],
    ])
  })

  it('may be answered with nothing', async () => {
    const url = await connector((_, response) => response.writeHead(204).end())
    expect(await client(url).delete('/a')).toEqual({ ok: true, value: null })
  })

  it('streams an answer of any length', async () => {
    const url = await connector((_, response) => {
      response.write('{"n":1}\n')
      setImmediate(() => response.end('{"n":2}\n'))
    })
    const answer = await client(url).stream('/data', { headers: { accept: 'application/x-ndjson' } })
    if (!answer.ok) throw new Error(answer.error.message)
    let text = ''
    for await (const chunk of answer.value.body) text += chunk
    expect(text).toBe('{"n":1}\n{"n":2}\n')
  })

  it('stops when it is called off', async () => {
    const url = await connector(() => {})
    const stop = new AbortController()
    const answer = client(url).get('/a', { signal: stop.signal })
    stop.abort(new Error('called off'))
    await expect(answer).rejects.toThrow('called off')
  })
})

describe('a failure', () => {
  it('passes on what the connector says', async () => {
    const url = await connector((_, response) =>
      response
        .writeHead(409)
        .end('{"code":"Conflict","message":"There is a partner with this DID already."}'),
    )
    expect(await message(client(url).get('/a'))).toEqual([
      'Conflict',
      'There is a partner with this DID already.',
    ])
    expect(await message(client(url).stream('/a'))).toEqual([
      'Conflict',
      'There is a partner with this DID already.',
    ])
  })

  it('says how to start a connector that does not run', async () => {
    const url = await connector(() => {})
    server?.close()
    expect(await message(client(url).get('/a'))).toEqual([
      'NotRunning',
      `No connector answers at ${url}. Start it: handschlag serve`,
    ])
    expect(await message(client(url, 'de').get('/a'))).toEqual([
      'NotRunning',
      `Unter ${url} antwortet kein Connector. Starten Sie ihn: handschlag serve`,
    ])
  })

  it('tells of a refused token without showing it', async () => {
    const url = await connector((_, response) => response.writeHead(401).end('{"message":"hunter2"}'))
    const [code, sentence] = (await message(client(url).get('/a'))) as [string, string]
    expect([code, sentence.includes('refused the access token'), sentence.includes('hunter2')]).toEqual([
      'Unauthenticated',
      true,
      false,
    ])
  })

  it('tells of a connector that accepts and never answers', async () => {
    const url = await connector(() => {})
    expect(await message(client(url).get('/a', { timeoutMs: 100 }))).toEqual([
      'NotRunning',
      `The connector at ${url} has not answered for 0.1 s. See its log, then: handschlag doctor`,
    ])
  })

  it.each([
    [200, '<html>'],
    [500, '<html>'],
  ])('tells of an answer that is none of ours: %i %s', async (status, text) => {
    const url = await connector((_, response) => response.writeHead(status).end(text))
    expect(((await message(client(url).get('/a'))) as string[])[0]).toBe('PartnerAnswerInvalid')
  })
})

describe('the token', () => {
  let dir: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'handschlag-token-'))
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  it('comes from the environment, otherwise from the data directory', () => {
    writeFileSync(join(dir, 'cli.token'), 'of-the-file\n')
    expect(findToken({}, dir, 'en')).toEqual({ ok: true, value: 'of-the-file' })
    expect(findToken({ HANDSCHLAG_TOKEN: 'of-the-environment' }, dir, 'en')).toEqual({
      ok: true,
      value: 'of-the-environment',
    })
  })

  it('is explained when it is missing', () => {
    const found = findToken({}, dir, 'en')
    expect(found.ok || found.error.message).toContain(
      `There is no access token at ${join(dir, 'cli.token')}.`,
    )
  })

  it.skipIf(process.getuid?.() === 0)('is explained when it may not be read', () => {
    writeFileSync(join(dir, 'cli.token'), 'x')
    chmodSync(join(dir, 'cli.token'), 0o000)
    const found = findToken({}, dir, 'en')
    expect(found.ok || found.error.message).toContain('may not be read by this user')
  })

  it('lets a command reach the connector of its configuration', async () => {
    const url = await connector((request, response) =>
      response.end(JSON.stringify(request.headers.authorization)),
    )
    writeFileSync(join(dir, 'cli.token'), 'abc')
    const ask: Command = {
      name: 'ask',
      summary: { en: '', de: '' },
      usage: '',
      options: {},
      run: async (call) => {
        const opened = await openClient(call)
        if (!opened.ok) return opened.exitCode
        say(call, JSON.stringify(await opened.client.get('/')))
        return 0
      },
    }
    const yaml = `name: A\npublicUrl: https://c.example\ntlsCert: x\ntlsKey: y\ndataDir: .\nmanagementPort: ${new URL(url).port}\n`
    writeFileSync(join(dir, 'handschlag.yaml'), yaml)
    expect(await cli(['ask'], { cwd: dir, commands: [ask] })).toEqual({
      code: 0,
      out: '{"ok":true,"value":"Bearer abc"}\n',
      err: '',
    })
    rmSync(join(dir, 'cli.token'))
    expect((await cli(['ask'], { cwd: dir, commands: [ask] })).code).toBe(1)
    rmSync(join(dir, 'handschlag.yaml'))
    expect((await cli(['ask'], { cwd: dir, commands: [ask] })).code).toBe(78)
  })
})

it.each([
  ['127.0.0.1', 'http://127.0.0.1:8485'],
  ['0.0.0.0', 'http://127.0.0.1:8485'],
  ['::', 'http://[::1]:8485'],
  ['10.1.2.3', 'http://10.1.2.3:8485'],
])('a connector that listens on %s is asked at %s', (managementHost, url) => {
  expect(managementUrl({ managementHost, managementPort: 8485 })).toBe(url)
})
