import { describe, expect, it } from 'vitest'
import type { ParticipantId } from '../../connector/core/types.js'
import { didDocument, didDocumentUrl, didWebOf, parseDidWeb } from '../../connector/identity/did-web.js'

const did = (text: string) => text as ParticipantId

describe('did:web', () => {
  // "did:web Method Specification", examples of "Read (Resolve)".
  it.each([
    ['did:web:w3c-ccg.github.io', 'https://w3c-ccg.github.io/.well-known/did.json'],
    ['did:web:w3c-ccg.github.io:user:alice', 'https://w3c-ccg.github.io/user/alice/did.json'],
    ['did:web:example.com%3A3000:user:alice', 'https://example.com:3000/user/alice/did.json'],
    ['did:web:localhost%3A8484', 'https://localhost:8484/.well-known/did.json'],
  ])('%s has its document at %s', (id, url) => {
    expect(parseDidWeb(id)).toEqual({ ok: true, value: id })
    expect(didDocumentUrl(did(id))).toBe(url)
  })

  it.each([
    ['', 'must begin with'],
    ['did:key:z6Mk', 'must begin with'],
    ['DID:WEB:example.com', 'must begin with'],
    ['did:web:', 'host name is not valid'],
    ['did:web:127.0.0.1', 'not an IP address'],
    ['did:web:127.0.0.1%3A8484', 'not an IP address'],
    ['did:web:127.1', 'not an IP address'],
    ['did:web:Example.com', 'lower case'],
    ['did:web:example.com%3a8484', 'a port is written with %3A'],
    ['did:web:example.com:8484/x', 'path is not valid'],
    ['did:web:example.com%2Fevil.test', 'a port is written with %3A'],
    ['did:web:example.com%3A0', 'port is not valid'],
    ['did:web:example.com%3A65536', 'port is not valid'],
    ['did:web:example.com%3A1%3A2', 'a port is written with %3A'],
    ['did:web:example.com/x', 'host name is not valid'],
    ['did:web:user@example.com', 'host name is not valid'],
    ['did:web:exa mple.com', 'host name is not valid'],
    ['did:web:example.com?x', 'host name is not valid'],
    ['did:web:example.com#key', 'host name is not valid'],
    ['did:web:example..com', 'host name is not valid'],
    ['did:web:example.com.', 'host name is not valid'],
    ['did:web:-example.com', 'host name is not valid'],
    ['did:web:example.com:..:x', 'path is not valid'],
    ['did:web:example.com:', 'path is not valid'],
    ['did:web:example.com:%2e%2e', 'path is not valid'],
    [`did:web:example.com:${'x'.repeat(600)}`, 'longer than 512'],
  ])('%s is refused with what is wrong', (id, why) => {
    const result = parseDidWeb(id)
    expect(result).toMatchObject({ ok: false, error: { code: 'InvalidInput' } })
    expect(result.ok ? '' : result.error.message).toContain(why)
  })

  it('is made from a public address', () => {
    expect(didWebOf('https://connector.example.com')).toEqual({
      ok: true,
      value: 'did:web:connector.example.com',
    })
    expect(didWebOf('https://localhost:8484/')).toEqual({ ok: true, value: 'did:web:localhost%3A8484' })
    expect(didWebOf('https://example.com/plant-2/')).toEqual({
      ok: true,
      value: 'did:web:example.com:plant-2',
    })
    for (const address of ['http://example.com', 'https://127.0.0.1:8484', 'example.com', '']) {
      expect(didWebOf(address).ok, address).toBe(false)
    }
  })
})

it('publishes the keys with their purposes and the services that DSP asks for', () => {
  const jwk = (x: string) => ({ kty: 'EC', crv: 'P-256', x, y: 'y' }) as const
  const document = didDocument({
    did: did('did:web:connector.example.com'),
    keys: {
      auth: { kid: '2026-11-b-auth', publicJwk: jwk('1') },
      seal: { kid: '2026-11-b-seal', publicJwk: jwk('2') },
      retiredSeals: [{ kid: '2026-11-a-seal', publicJwk: jwk('3') }],
    },
    dspBase: 'https://connector.example.com/dsp/',
  })
  const own = 'did:web:connector.example.com'
  const method = (kid: string, x: string) => ({
    id: `${own}#${kid}`,
    type: 'JsonWebKey',
    controller: own,
    publicKeyJwk: { kty: 'EC', crv: 'P-256', x, y: 'y', alg: 'ES256', use: 'sig' },
  })
  const context = ['https://w3id.org/dspace/2025/1/context.jsonld', 'https://www.w3.org/ns/did/v1']
  expect(document).toEqual({
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/jwk/v1'],
    id: own,
    verificationMethod: [
      method('2026-11-b-auth', '1'),
      method('2026-11-b-seal', '2'),
      method('2026-11-a-seal', '3'),
    ],
    authentication: [`${own}#2026-11-b-auth`],
    assertionMethod: [`${own}#2026-11-b-seal`, `${own}#2026-11-a-seal`],
    service: [
      {
        '@context': context,
        id: `${own}#catalog`,
        type: 'CatalogService',
        serviceEndpoint: 'https://connector.example.com/dsp/catalog',
      },
      {
        '@context': context,
        id: `${own}#dsp`,
        type: 'DataService',
        serviceEndpoint: 'https://connector.example.com/.well-known/dspace-version',
      },
    ],
  })
})
