import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDevelopmentCa, issueServerCertificate } from '../../certs-dev/generate.js'
import { clockCheck } from '../../connector/cli/checks/clock.js'
import { dataDirectoryCheck, keysCheck } from '../../connector/cli/checks/local.js'
import { createProbe } from '../../connector/cli/checks/probe.js'
import { didDocumentUrl, reachChecks } from '../../connector/cli/checks/reach.js'
import { tlsCheck } from '../../connector/cli/checks/tls.js'
import { baseCommands } from '../../connector/cli/commands.js'
import { type Check, outcomesAsJson, renderOutcomes, runChecks } from '../../connector/cli/doctor.js'
import type { Config } from '../../connector/config/load.js'
import { problem } from '../../connector/core/result.js'
import { type EpochMs, type ParticipantId, systemClock } from '../../connector/core/types.js'
import { cli, fakeDeps } from './support.js'

let dir: string
const servers: Server[] = []
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'handschlag-doctor-'))
})
afterEach(async () => {
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server && typeof server.closeAllConnections === 'function')
      server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  rmSync(dir, { recursive: true, force: true })
})

async function listening<S extends Server>(server: S): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** A port that nothing listens on at this moment. */
async function freePort(): Promise<number> {
  const server = createTcpServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

const text = (s: string) => ({ en: s, de: s })

describe('the run', () => {
  const good: Check = { name: 'good', run: async () => ({ status: 'ok', what: text('fine') }) }
  const bad: Check = {
    name: 'bad',
    run: async () => ({
      status: 'failed',
      what: text('broken'),
      impact: text('It hurts.'),
      fix: text('Mend it.'),
    }),
  }

  it('skips what depends on a failed check and turns a throw into a finding', async () => {
    const outcomes = await runChecks([
      good,
      bad,
      { name: 'after-bad', needs: ['good', 'bad'], run: () => Promise.reject(new Error('must not run')) },
      { name: 'after-skipped', needs: ['after-bad'], run: () => Promise.reject(new Error('must not run')) },
      { name: 'throws', run: () => Promise.reject(new Error('no time source')) },
    ])
    expect(outcomes.map((o) => [o.status, o.what.en])).toEqual([
      ['ok', 'fine'],
      ['failed', 'broken'],
      ['skipped', 'needs bad'],
      ['skipped', 'needs after-bad'],
      ['failed', 'no time source'],
    ])
  })

  it('does not wait for a check that stalls, and tells it to stop', async () => {
    let told = false
    const stalls: Check = {
      name: 'stalls',
      run: (signal) =>
        new Promise(() => {
          signal.addEventListener('abort', () => {
            told = true
          })
        }),
    }
    const outcomes = await runChecks([stalls, good], { timeoutMs: 20 })
    expect([outcomes.map((o) => o.what.en), told]).toEqual([['no answer within 0.02 s', 'fine'], true])
  })

  it('is rendered with impact and fix, and closes with a count', async () => {
    const outcomes = await runChecks([good, bad])
    expect(renderOutcomes(outcomes, 'en')).toBe(
      '✔ good  fine\n✖ bad   broken\n    It hurts.\n    Fix: Mend it.\n\n1 failed, 0 to look at.',
    )
    expect(renderOutcomes(await runChecks([good]), 'de')).toBe('✔ good  fine\n\nAlles in Ordnung.')
  })

  it('has a JSON form that programs can rely on', async () => {
    expect(outcomesAsJson(await runChecks([good, bad]), 'en')).toEqual({
      ok: false,
      checks: [
        { name: 'good', status: 'ok', what: 'fine' },
        { name: 'bad', status: 'failed', what: 'broken', impact: 'It hurts.', fix: 'Mend it.' },
      ],
    })
  })
})

const only = async (check: Check) => {
  const [outcome] = await runChecks([check])
  if (outcome === undefined) throw new Error('no outcome')
  return [outcome.status, outcome.what.en, 'fix' in outcome ? outcome.fix.en : undefined] as const
}

describe('data-directory', () => {
  it('accepts a private, writable folder', async () => {
    chmodSync(dir, 0o700)
    const [status, what] = await only(dataDirectoryCheck(dir))
    expect(what).toMatch(/ GiB free$/)
    expect(status).toBe('ok')
  })

  it('warns of a folder that is open to others', async () => {
    chmodSync(dir, 0o755)
    const [status, what, fix] = await only(dataDirectoryCheck(dir))
    expect([status, what, fix]).toEqual([
      'warning',
      `${dir} is open to other users of this machine (mode 755)`,
      `chmod 700 ${dir}`,
    ])
  })

  it('fails when it is missing or a file', async () => {
    writeFileSync(join(dir, 'f'), '')
    expect((await only(dataDirectoryCheck(join(dir, 'none')))).slice(0, 2)).toEqual([
      'failed',
      `${join(dir, 'none')} does not exist`,
    ])
    expect((await only(dataDirectoryCheck(join(dir, 'f'))))[0]).toBe('failed')
  })

  it('fails on a folder that cannot be written to', async () => {
    // /proc refuses new files to everybody, also to root, for whom permission bits mean nothing.
    expect((await only(dataDirectoryCheck('/proc')))[0]).toBe('failed')
  })
})

it('keys fails with the sentence of whoever read them', async () => {
  const load = async () => problem('InvalidInput', 'There are no keys in /data/keys.')
  expect((await only(keysCheck(load))).slice(0, 2)).toEqual(['failed', 'There are no keys in /data/keys.'])
})

describe('tls', () => {
  // The authority of certs-dev begins now, so the certificates of these tests do too.
  const NOW = Math.floor(Date.now() / 1000) * 1000
  const DAY = 86_400_000
  const day = (fromNow: number): string => new Date(NOW + fromNow * DAY).toISOString().slice(0, 10)

  async function check(
    request: {
      readonly name?: string
      readonly fromDays?: number
      readonly days?: number
      readonly foreignIssuer?: true
    },
    options: { readonly dev?: boolean; readonly isDevelopment?: boolean } = {},
  ) {
    const ca = await createDevelopmentCa()
    const { cert } = await issueServerCertificate(ca, {
      dnsNames: [request.name ?? 'c.example'],
      from: new Date(NOW + (request.fromDays ?? -1) * DAY),
      days: request.days ?? 90,
    })
    const blocks = cert.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []
    const [leaf = ''] = blocks
    const other = (await createDevelopmentCa()).cert
    writeFileSync(join(dir, 'cert.pem'), request.foreignIssuer ? `${leaf}\n${other}` : leaf)
    return only(
      tlsCheck(
        { tls: 'on', tlsCert: join(dir, 'cert.pem'), publicUrl: 'https://c.example' },
        {
          clock: () => NOW as EpochMs,
          dev: options.dev ?? false,
          isDevelopmentCertificate: async () => options.isDevelopment ?? false,
        },
      ),
    )
  }

  it('accepts a certificate that fits', async () => {
    expect((await check({})).slice(0, 2)).toEqual(['ok', `c.example, valid until ${day(89)}`])
  })

  it('warns in the last 30 days and not before', async () => {
    expect((await check({ days: 31 })).slice(0, 2)).toEqual([
      'warning',
      `the certificate ends on ${day(30)}, in 30 days`,
    ])
    expect((await check({ days: 32 }))[0]).toBe('ok')
  })

  it('fails when it has ended or not begun', async () => {
    expect((await check({ fromDays: -91 })).slice(0, 2)).toEqual([
      'failed',
      `the certificate ended on ${day(-1)}`,
    ])
    expect((await check({ fromDays: 1 })).slice(0, 2)).toEqual([
      'failed',
      `the certificate is not valid before ${day(1)}`,
    ])
  })

  it('fails when it is made out to another name', async () => {
    expect((await check({ name: 'x.example' })).slice(0, 2)).toEqual([
      'failed',
      'the certificate is not made out to c.example (but to: DNS:x.example)',
    ])
  })

  it('fails when the certificates form no chain', async () => {
    expect((await check({ foreignIssuer: true })).slice(0, 2)).toEqual([
      'failed',
      'the certificates in tlsCert do not form a chain',
    ])
  })

  it('fails for a development certificate unless --dev is given', async () => {
    expect((await check({}, { isDevelopment: true }))[0]).toBe('failed')
    expect((await check({}, { isDevelopment: true, dev: true }))[0]).toBe('ok')
  })
})

describe('clock', () => {
  const NOW = Date.parse('2026-11-22T12:00:00.500Z')

  const check = (offMs: number | undefined, publicUrl = 'https://c.example') =>
    only(
      clockCheck(
        { publicUrl, maxClockSkewMs: 60_000 },
        {
          clock: () => (NOW + (offMs ?? 0)) as EpochMs,
          partnerUrls: async () => [],
          probe: async () => ({ status: 200, body: '', ...(offMs === undefined ? {} : { date: NOW - 500 }) }),
        },
      ),
    )

  it.each([
    [0, 'ok', 'agrees with c.example'],
    [1000, 'ok', 'agrees with c.example'],
    [41_000, 'warning', 'this clock is 40 s ahead of that of c.example'],
    [600_000, 'failed', 'this clock is 599 s ahead of that of c.example'],
    [-600_000, 'failed', 'this clock is 599 s behind that of c.example'],
  ])('off by %i ms is %s', async (offMs, status, what) => {
    expect((await check(offMs)).slice(0, 2)).toEqual([status, what])
  })

  it('is skipped when nobody else can be asked, and does not ask itself', async () => {
    expect((await check(undefined))[0]).toBe('skipped')
    expect((await check(600_000, 'https://localhost:8484'))[0]).toBe('skipped')
  })
})

describe('ports and public-address', () => {
  const config = (more: Partial<Config>): Config => ({
    name: 'A',
    publicUrl: 'https://localhost',
    participantId: 'did:web:localhost' as ParticipantId,
    host: '127.0.0.1',
    port: 1,
    managementHost: '127.0.0.1',
    managementPort: 2,
    dataDir: dir,
    tls: 'on',
    allowPrivateAddresses: true,
    historyRetentionMs: 0,
    receiveDir: dir,
    receiveLimit: 1000,
    logLevel: 'info',
    maxClockSkewMs: 60_000,
    maxConnections: 100,
    maxConnectionsPerPartner: 100,
    maxRequestsPerSecond: 100,
    language: 'en',
    ...more,
  })

  const found = async (c: Config) => {
    const checks = reachChecks(c, { clock: systemClock, probe: createProbe(c), partnerUrls: async () => [] })
    const outcomes = await runChecks([
      { name: 'config', run: async () => ({ status: 'ok', what: text('') }) },
      ...checks,
    ])
    return Object.fromEntries(outcomes.map((o) => [o.name, [o.status, o.what.en]]))
  }

  /** Our connector as far as doctor looks at it: HTTPS with a DID document, and liveness. */
  async function connector(idOf: (participantId: string) => string) {
    const ca = await createDevelopmentCa()
    const issued = await issueServerCertificate(ca, { dnsNames: ['localhost'] })
    writeFileSync(join(dir, 'ca.pem'), ca.cert)
    // The port is part of the DID, so the document can only be written once the server listens.
    let participantId = ''
    const port = await listening(
      createServer({ cert: issued.cert, key: issued.key }, (request, response) => {
        const known = request.url === '/.well-known/did.json'
        response.writeHead(known ? 200 : 404).end(JSON.stringify({ id: idOf(participantId) }))
      }),
    )
    participantId = `did:web:localhost%3A${port}`
    const managementPort = await listening(
      createHttpServer((_, response) => response.end(JSON.stringify({ status: 'live', participantId }))),
    )
    return config({
      port,
      managementPort,
      publicUrl: `https://localhost:${port}`,
      participantId: participantId as ParticipantId,
      trustedCa: join(dir, 'ca.pem'),
    })
  }

  it('find free ports, and then wait with the address until the connector runs', async () => {
    const c = config({ port: await freePort(), managementPort: await freePort() })
    const outcomes = await found({ ...c, publicUrl: `https://localhost:${c.port}` })
    expect(outcomes.ports).toEqual(['ok', `${c.port} and ${c.managementPort} are free`])
    expect(outcomes['public-address']).toEqual([
      'skipped',
      'the connector is not running; start it (handschlag serve) and run doctor again',
    ])
  })

  it('recognise our own connector, on the port and at the public address', async () => {
    const ours = await connector((id) => id)
    const { port, managementPort, publicUrl } = ours
    expect(await found(ours)).toMatchObject({
      ports: ['ok', `${port} and ${managementPort}, the connector is running`],
      'public-address': ['ok', `${publicUrl}/.well-known/did.json answers our DID`],
    })
  })

  it('name what keeps partners away from the public address', async () => {
    const { trustedCa, ...ours } = await connector((id) => id)
    expect((await found(ours))['public-address']).toEqual([
      'failed',
      `${ours.publicUrl}/.well-known/did.json cannot be reached: the certificate shown there cannot be verified`,
    ])
    const trusting = trustedCa === undefined ? ours : { ...ours, trustedCa }
    const nowhere = `https://localhost:${await freePort()}`
    expect((await found({ ...trusting, publicUrl: nowhere }))['public-address']).toEqual([
      'failed',
      `${nowhere}/.well-known/did.json cannot be reached: the connection is refused`,
    ])
    const byAddress = `https://127.0.0.1:${ours.port}`
    expect((await found({ ...trusting, publicUrl: byAddress }))['public-address']).toEqual([
      'failed',
      `${byAddress}/.well-known/did.json cannot be reached: the certificate shown there is made out to another name`,
    ])
    const other = await connector(() => 'did:web:other.example')
    const seen = await found({ ...trusting, publicUrl: other.publicUrl, trustedCa: other.trustedCa ?? '' })
    expect(seen['public-address']).toEqual([
      'failed',
      `${other.publicUrl}/.well-known/did.json answers, but not with ${ours.participantId}`,
    ])
  })

  it('take another connector on our port for another program', async () => {
    const other = await connector(() => 'did:web:other.example')
    expect((await found(other)).ports).toEqual(['failed', `port ${other.port} is taken by another program`])
  })

  it('report a port that another program holds', async () => {
    const port = await listening(createTcpServer((socket) => socket.resume().end('SSH-2.0-x\r\n')))
    expect((await found(config({ port, managementPort: await freePort() }))).ports).toEqual([
      'failed',
      `port ${port} is taken by another program`,
    ])
  })
})

it('knows where the document of a did:web lies', () => {
  expect(didDocumentUrl('did:web:c.example')).toBe('https://c.example/.well-known/did.json')
  expect(didDocumentUrl('did:web:localhost%3A8484')).toBe('https://localhost:8484/.well-known/did.json')
  expect(didDocumentUrl('did:web:c.example:plant:a')).toBe('https://c.example/plant/a/did.json')
})

describe('the command', () => {
  async function ready(): Promise<void> {
    mkdirSync(join(dir, 'data'), { mode: 0o700 })
    const [port, managementPort] = [await freePort(), await freePort()]
    writeFileSync(
      join(dir, 'handschlag.yaml'),
      `name: A\npublicUrl: https://localhost:${port}\ntls: off\ndataDir: data\nhost: 127.0.0.1\nport: ${port}\nmanagementPort: ${managementPort}\n`,
    )
  }

  it('is all good right after init, and runs the checks of other rooms too', async () => {
    await ready()
    const extra: Check = {
      name: 'database',
      needs: ['data-directory'],
      run: async () => ({ status: 'ok', what: text('schema 4') }),
    }
    const commands = baseCommands({ ...fakeDeps, extraChecks: async () => [extra] })
    const { code, out } = await cli(['doctor'], { cwd: dir, commands })
    expect(out.split('\n').map((line) => line.slice(0, 18).trim())).toEqual([
      '✔ config',
      '✔ data-directory',
      '✔ keys',
      '✔ tls',
      '✔ ports',
      '- clock',
      '- public-address',
      '✔ database',
      '',
      'All good.',
      '',
    ])
    expect(code).toBe(0)
  })

  it('stops at a configuration that cannot be used, with exit code 1', async () => {
    writeFileSync(join(dir, 'handschlag.yaml'), 'prot: 1\ntls: off\n')
    const { code, out } = await cli(['doctor', '--json'], { cwd: dir })
    expect([code, JSON.parse(out).checks.map((c: { name: string }) => c.name)]).toEqual([1, ['config']])
  })
})
