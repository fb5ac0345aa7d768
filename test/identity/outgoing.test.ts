import { randomBytes } from 'node:crypto'
import { type AddressInfo, createServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createDevelopmentCa,
  type DevelopmentCa,
  issueServerCertificate,
  type ServerCertificate,
} from '../../certs-dev/generate.js'
import { AddressRefusedError, createDial } from '../../connector/identity/dial.js'
import {
  createOutgoing,
  type Outgoing,
  type OutgoingOptions,
  type OutgoingRequest,
} from '../../connector/identity/outgoing.js'
import { fakeDns, serve, type TestServer } from './https-server.js'

const text = '{"text":"a text that was packed"}'
const packed: Readonly<Record<string, Buffer>> = {
  text: gzipSync(text),
  x: gzipSync(text),
  bomb: gzipSync(Buffer.alloc(20 * 1024 * 1024)),
  half: gzipSync(randomBytes(5_000)).subarray(0, 4_000),
  wrong: Buffer.from('this is no gzip'),
}
let ca: DevelopmentCa
let good: ServerCertificate
let server: TestServer
const lookup = fakeDns({
  'partner.test': ['127.0.0.1'],
  'other.test': ['127.0.0.1'],
  'metadata.test': ['169.254.169.254'],
  'mapped.test': ['::ffff:127.0.0.1'],
  'silent.test': Object.assign(new Error('getaddrinfo EAI_AGAIN'), { code: 'EAI_AGAIN' }),
})
const open: Outgoing[] = []

beforeAll(async () => {
  ca = await createDevelopmentCa()
  good = await issueServerCertificate(ca, { dnsNames: ['partner.test', 'localhost'], ips: ['127.0.0.1'] })
  server = await serve((req, res) => {
    if (req.url === '/redirect') return void res.writeHead(302, { location: '/ok' }).end()
    if (req.url === '/large') return void res.end(Buffer.alloc(70_000))
    if (req.url === '/endless') {
      const more = () => res.write(Buffer.alloc(16_384)) && setImmediate(more)
      res.on('drain', more)
      return void more()
    }
    if (req.url?.startsWith('/packed') === true) {
      res.setHeader('content-encoding', req.url.endsWith('x') ? ' X-GZIP ' : 'gzip')
      return void res.end(packed[req.url.slice('/packed/'.length)])
    }
    if (req.url === '/nothing-packed') {
      // Empty members: packed bytes without end that unpack to nothing.
      const member = Buffer.concat(Array.from({ length: 800 }, () => gzipSync('')))
      res.setHeader('content-encoding', 'gzip')
      const more = () => res.write(member) && setImmediate(more)
      res.on('drain', more)
      return void more()
    }
    if (req.url === '/never') return
    if (req.url === '/stuck') return void res.write('{')
    if (req.url === '/cut')
      return void res.writeHead(200, { 'content-length': '10' }).write('12345', () => req.socket.destroy())
    res.setHeader('x-method', req.method ?? '')
    req.pipe(res)
  }, good)
})
afterAll(async () => {
  await Promise.all(open.map((outgoing) => outgoing[Symbol.asyncDispose]()))
  await server[Symbol.asyncDispose]()
})

const outgoingWith = (options: Partial<OutgoingOptions> = {}): Outgoing => {
  const outgoing = createOutgoing({ allowPrivate: true, ca: [ca.cert], lookup, timeoutMs: 3_000, ...options })
  open.push(outgoing)
  return outgoing
}
const url = (path: string, host = 'partner.test', port = server.port) => `https://${host}:${port}${path}`
const refusal = async (
  address: string,
  options: Partial<OutgoingOptions> = {},
  more: Partial<OutgoingRequest> = {},
) => {
  const result = await outgoingWith(options).fetch({ ...more, url: address })
  return result.ok ? `${result.value.status}` : `${result.error.code}: ${result.error.message}`
}

describe('a request', () => {
  it('reaches a partner with a trusted certificate and brings back status, headers and body', async () => {
    const result = await outgoingWith().fetch({ url: url('/ok'), method: 'POST', body: '{"a":1}' })
    expect(result).toMatchObject({ ok: true, value: { status: 200, headers: { 'x-method': 'POST' } } })
    expect(result.ok && result.value.body.toString()).toBe('{"a":1}')
  })

  it('uses an open connection again', async () => {
    const outgoing = outgoingWith()
    const before = server.connections()
    for (let i = 0; i < 10; i++) await outgoing.fetch({ url: url('/ok') })
    expect(server.connections() - before).toBeLessThanOrEqual(2)
  })

  it('does not follow a redirect', async () => {
    expect(await outgoingWith().fetch({ url: url('/redirect') })).toMatchObject({
      value: { status: 302, headers: { location: '/ok' } },
    })
  })

  it('ends when the answer is too large, also when it never ends', async () => {
    const limit = { maxBytes: 65_536 }
    const sentence = `PartnerAnswerInvalid: The answer of partner.test:${server.port} is larger than 65536 bytes and was not read to the end.`
    expect(await refusal(url('/large'), limit)).toBe(sentence)
    expect(await refusal(url('/endless'), limit)).toBe(sentence)
    expect(await refusal(url('/large'), limit, { maxBytes: 70_000 })).toBe('200')
  })

  it('unpacks an answer that comes as gzip, whoever spells it how', async () => {
    for (const path of ['/packed/text', '/packed/x']) {
      const result = await outgoingWith().fetch({ url: url(path) })
      expect(result.ok && result.value.body.toString()).toBe(text)
    }
  })

  it('limits what a packed answer grows to, and what comes in for nothing', async () => {
    const host = `partner.test:${server.port}`
    const sentence = `PartnerAnswerInvalid: The answer of ${host} is larger than 65536 bytes and was not read to the end.`
    expect(packed.bomb?.byteLength).toBeLessThan(65_536)
    for (const path of ['/packed/bomb', '/nothing-packed']) {
      expect([path, await refusal(url(path), { maxBytes: 65_536 })]).toEqual([path, sentence])
    }
    for (const [path, size] of [
      ['/packed/bomb', 65_536],
      ['/nothing-packed', 0],
    ] as const) {
      const beginning = await outgoingWith().fetch({ url: url(path), maxBytes: 65_536, truncate: true })
      expect(beginning.ok && beginning.value.body).toHaveLength(size)
    }
  })

  it('says that an answer cannot be unpacked, unless nobody depends on its body', async () => {
    const sentence = `PartnerAnswerInvalid: The answer of partner.test:${server.port} says that it is packed as gzip, but it cannot be unpacked.`
    for (const path of ['/packed/half', '/packed/wrong']) {
      expect(await refusal(url(path))).toBe(sentence)
      expect(await refusal(url(path), {}, { truncate: true })).toBe('200')
    }
  })

  it('ends when the whole time is used up, before or within the answer', async () => {
    const sentence = `PartnerUnreachable: partner.test:${server.port} did not answer within 0.15 s.`
    expect(await refusal(url('/never'), { timeoutMs: 150 })).toContain(sentence)
    expect(await refusal(url('/stuck'), {}, { timeoutMs: 150 })).toContain(sentence)
  })

  it('ends when its caller gives up', async () => {
    const stop = new AbortController()
    const running = outgoingWith().fetch({ url: url('/never'), signal: stop.signal })
    stop.abort()
    expect(await running).toMatchObject({ ok: false, error: { code: 'Stopping' } })
    expect(await outgoingWith().fetch({ url: url('/ok'), signal: stop.signal })).toMatchObject({
      error: { code: 'Stopping' },
    })
  })

  it('throws when it is our own mistake', async () => {
    await expect(outgoingWith().fetch({ url: url('/ok'), headers: { 'bad header': 'x' } })).rejects.toThrow()
  })
})

describe('the reason is said in words when', () => {
  it('nothing listens', async () => {
    const closed = await serve(() => {})
    await closed[Symbol.asyncDispose]()
    expect(await refusal(url('/', 'partner.test', closed.port))).toBe(
      `PartnerUnreachable: partner.test:${closed.port} refused the connection: nothing listens on that port. Check the address, and that the partner is running.`,
    )
  })

  it('the name is unknown or the name server silent', async () => {
    expect(await refusal('https://nobody.test/')).toBe(
      'PartnerUnreachable: nobody.test is not known: its name has no address (DNS). Check the spelling and the name server.',
    )
    expect(await refusal('https://silent.test/')).toMatch(
      /^PartnerUnreachable: silent\.test could not be looked up/,
    )
  })

  it('the connection breaks within the answer', async () => {
    expect(await refusal(url('/cut'))).toMatch(/closed the connection before it answered/)
  })

  it('the port does not speak TLS, or not HTTP', async () => {
    await using plain = await serve((_, res) => res.end())
    expect(await refusal(url('/', 'partner.test', plain.port))).toMatch(
      /^PartnerUnreachable: partner\.test:\d+ does not speak TLS on that port\./,
    )
    const mail = createServer((socket) => socket.end('220 mail ready\r\n'))
    await new Promise<void>((resolve) => mail.listen(0, '127.0.0.1', resolve))
    const address = `http://127.0.0.1:${(mail.address() as AddressInfo).port}/`
    expect(await refusal(address, { allowHttp: true })).toMatch(/^PartnerAnswerInvalid: .* is not HTTP\.$/)
    mail.close()
  })
})

describe('a certificate is refused when', () => {
  const withCertificate = async (certificate: ServerCertificate, options: Partial<OutgoingOptions> = {}) => {
    await using other = await serve((_, res) => res.end(), certificate)
    return (await refusal(url('/', 'partner.test', other.port), options)).replace(`:${other.port}`, '')
  }

  it('it is for another name', async () => {
    const certificate = await issueServerCertificate(ca, { dnsNames: ['elsewhere.test'] })
    expect(await withCertificate(certificate)).toBe(
      'PartnerCertificate: The TLS certificate of partner.test is for another name (elsewhere.test). Check the address; if it is right, the partner must get a certificate for this name.',
    )
  })

  it('it has expired', async () => {
    const from = new Date(Date.now() - 3 * 86_400_000)
    const certificate = await issueServerCertificate(ca, { dnsNames: ['partner.test'], from, days: 2 })
    expect(await withCertificate(certificate)).toBe(
      'PartnerCertificate: The TLS certificate of partner.test has expired. The partner must renew it; also check the clock of this machine.',
    )
  })

  it('it is not valid yet', async () => {
    const from = new Date(Date.now() + 86_400_000)
    const certificate = await issueServerCertificate(ca, { dnsNames: ['partner.test'], from })
    expect(await withCertificate(certificate)).toMatch(
      /^PartnerCertificate: .* is not valid yet\. Check the clock/,
    )
  })

  it('it is self-signed', async () => {
    const certificate = await issueServerCertificate(undefined, { dnsNames: ['partner.test'] })
    expect(await withCertificate(certificate)).toBe(
      'PartnerCertificate: The TLS certificate of partner.test is self-signed. Ask the partner for a certificate from a public authority, or add this one to the file that the setting trustedCa names.',
    )
    expect(await withCertificate(certificate, { ca: [certificate.cert] })).toBe('200')
  })

  it('its authority is not trusted', async () => {
    const certificate = await issueServerCertificate(await createDevelopmentCa(), {
      dnsNames: ['partner.test'],
    })
    expect(await withCertificate(certificate)).toMatch(
      /^PartnerCertificate: The TLS certificate of partner\.test comes from an authority that is not trusted here/,
    )
    expect(await withCertificate(good, { ca: [] })).toMatch(/^PartnerCertificate: .* not trusted here/)
  })
})

describe('a private address is refused, and nothing is sent to it, when', () => {
  const guarded = { allowPrivate: false }
  const refusedUnseen = async (address: string, options: Partial<OutgoingOptions> = guarded) => {
    const before = server.connections()
    const said = await refusal(address, options)
    expect(server.connections(), address).toBe(before)
    return said
  }

  it('a name leads to it', async () => {
    expect(await refusedUnseen(url('/ok'))).toBe(
      `AddressRefused: partner.test:${server.port} leads to a loopback address, which is not called. If this partner is inside your own network, allow private addresses for it.`,
    )
    expect(await refusedUnseen('https://metadata.test/latest/meta-data')).toMatch(
      /leads to a link-local address/,
    )
    expect(await refusedUnseen(url('/ok', 'mapped.test'))).toMatch(/^AddressRefused/)
  })

  it('it is written into the URL, in any spelling', async () => {
    for (const host of [
      '127.0.0.1',
      '127.1',
      '0x7f.1',
      '2130706433',
      '0.0.0.0',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '[::]',
    ]) {
      expect(await refusedUnseen(url('/ok', host)), host).toMatch(/^AddressRefused: /)
    }
    expect(await refusedUnseen('https://10.0.0.1/')).toMatch(/^AddressRefused: .*a private address/)
  })

  it('the system name service leads to it', async () => {
    const outgoing = createOutgoing({ allowPrivate: false })
    open.push(outgoing)
    expect(await outgoing.fetch({ url: `https://localhost:${server.port}/` })).toMatchObject({
      error: { code: 'AddressRefused' },
    })
  })

  it('a data pull goes there through the dispatcher', async () => {
    const before = server.connections()
    for (const host of ['partner.test', '127.0.0.1', '[::1]']) {
      await expect(
        request(url('/ok', host), { dispatcher: outgoingWith(guarded).dispatcher }),
      ).rejects.toBeInstanceOf(AddressRefusedError)
    }
    expect(server.connections()).toBe(before)
    const answer = await request(url('/ok'), { dispatcher: outgoingWith().dispatcher })
    expect([answer.statusCode, await answer.body.text()]).toEqual([200, ''])
  })

  it('it is allowed for another name or network only', async () => {
    const byName = { allowPrivate: (host: string) => host === 'partner.test' }
    expect(await refusal(url('/ok'), byName)).toBe('200')
    expect(await refusedUnseen(url('/ok', 'other.test'), byName)).toMatch(/^AddressRefused/)
    expect(await refusedUnseen(url('/ok', '127.0.0.1'), byName)).toMatch(/^AddressRefused/)
    const byNetwork = { allowPrivate: (host: string) => host.startsWith('127.') }
    expect(await refusal(url('/ok'), byNetwork)).toBe('200')
    expect(await refusal(url('/ok', '127.0.0.1'), byNetwork)).toBe('200')
    expect(await refusedUnseen('https://metadata.test/', byNetwork)).toMatch(/^AddressRefused/)
  })

  it('and never tells the partner which address its name leads to', async () => {
    const result = await outgoingWith(guarded).fetch({ url: 'https://metadata.test/' })
    expect(result.ok ? '' : result.error.message).not.toContain('169.254')
    expect(result.ok ? '' : result.error.detail).toEqual({ address: '169.254.169.254' })
  })
})

it('dials only the public ones among the addresses of a name', async () => {
  const names = fakeDns({ 'mixed.test': ['10.0.0.1', '192.31.196.7', '::1', '2606:4700::1111'] })
  const dial = createDial({ allowPrivate: false, connectTimeoutMs: 100, lookup: names })
  const found = (all: boolean) =>
    new Promise((resolve) => dial.lookup('mixed.test', { all }, (_, address) => resolve(address)))
  expect(await found(true)).toEqual([
    { address: '192.31.196.7', family: 4 },
    { address: '2606:4700::1111', family: 6 },
  ])
  expect(await found(false)).toBe('192.31.196.7')
})

describe('a URL is refused before anything is sent when', () => {
  it('it is not encrypted, unless that is allowed for the host', async () => {
    await using plain = await serve((_, res) => res.end('ok'))
    const address = `http://127.0.0.1:${plain.port}/`
    expect(await refusal(address)).toBe(
      `AddressRefused: http://127.0.0.1:${plain.port} is not encrypted, so nothing is sent there. Use an https address.`,
    )
    expect(await refusal(address, { allowHttp: (host) => host === 'localhost' })).toMatch(/^AddressRefused/)
    expect(plain.connections()).toBe(0)
    expect(await refusal(address, { allowHttp: true })).toBe('200')
    expect(await refusal(address, { allowHttp: true, allowPrivate: false })).toMatch(
      /^AddressRefused: .*loopback/,
    )
  })

  it('it carries a password or is no URL, without echoing the password', async () => {
    const said = await refusal(`https://user:hunter2@partner.test:${server.port}/`)
    expect(said).toMatch(/^InvalidInput: .*user name or password/)
    expect(said).not.toContain('hunter2')
    for (const address of [
      'file:///etc/passwd',
      'ftp://partner.test/',
      'partner.test',
      '',
      '//partner.test/',
    ]) {
      expect(await refusal(address), address).toMatch(/^InvalidInput: /)
    }
  })
})
