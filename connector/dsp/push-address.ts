/**
 * The dataAddress of a push: ours in the words of the specification and of EDC at the same time, and whatever partners
 * write in theirs. Pure; whether the address may be called is decided where it is called.
 */
import { ok, problem, type Result } from '../core/result.js'
import { type EpochMs, iso } from '../core/types.js'
import type { PushDestination, PushRange } from '../services/ports.js'
import { readDataAddress } from './build.js'
import { AUTH_TYPE_BEARER, type DataAddress, ENDPOINT_TYPE_HTTP_DATA, PROPERTY } from './messages.js'

const MAX_LENGTH = 4000

export function pushDataAddress(
  at: { readonly endpoint: string; readonly token: string } & PushRange,
): DataAddress {
  const property = (name: string, value: string) => ({ '@type': 'EndpointProperty', name, value }) as const
  const when = (name: string, time: EpochMs | undefined) =>
    time === undefined ? [] : [property(name, iso(time))]
  return {
    '@type': 'DataAddress',
    endpointType: ENDPOINT_TYPE_HTTP_DATA,
    endpoint: at.endpoint,
    endpointProperties: [
      property(PROPERTY.authorization, at.token),
      property(PROPERTY.authType, AUTH_TYPE_BEARER),
      property(PROPERTY.edcEndpoint, at.endpoint),
      property(PROPERTY.edcAuthorization, at.token),
      property(PROPERTY.edcAuthType, AUTH_TYPE_BEARER),
      property(PROPERTY.edcBaseUrl, at.endpoint),
      property(PROPERTY.edcAuthKey, 'Authorization'),
      property(PROPERTY.edcAuthCode, `Bearer ${at.token}`),
      ...when(PROPERTY.pushFrom, at.from),
      ...when(PROPERTY.pushTo, at.to),
    ],
  }
}

export function readPushAddress(address: DataAddress): Result<PushDestination> {
  const read = readDataAddress(address)
  if (!read.ok) return read
  const { endpoint, token, authType } = read.value
  if (endpoint.length > MAX_LENGTH) {
    return problem('InvalidMessage', {
      en: 'The endpoint of the dataAddress is too long.',
      de: 'Der endpoint der dataAddress ist zu lang.',
    })
  }
  const credential = credentialOf(address, token, authType)
  if (!credential.ok) return credential
  const from = instantOf(address, PROPERTY.pushFrom)
  if (!from.ok) return from
  const to = instantOf(address, PROPERTY.pushTo)
  if (!to.ok) return to
  return ok({
    endpoint,
    ...(credential.value === undefined ? {} : { credential: credential.value }),
    ...(from.value === undefined ? {} : { from: from.value }),
    ...(to.value === undefined ? {} : { to: to.value }),
  })
}

const named = (address: DataAddress, name: string): string | undefined =>
  address.endpointProperties?.find((property) => property.name === name)?.value

/** Headers that are a receiver's own; every other one could change what a request means. */
const OWN_HEADER = /^(?:authorization|x-[a-z0-9-]{1,60})$/i
/** RFC 9110, "Field Values", without what could end the header. */
const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]{0,4000}[\x21-\x7e])?$/

function credentialOf(
  address: DataAddress,
  token: string | undefined,
  authType: string | undefined,
): Result<PushDestination['credential']> {
  const given = token === undefined ? fromEdc(address) : { header: 'authorization', value: token }
  if (given === undefined) return ok(undefined)
  if (!OWN_HEADER.test(given.header) || !HEADER_VALUE.test(given.value)) {
    return problem('InvalidMessage', {
      en: 'The authorization in the dataAddress cannot be sent as a header.',
      de: 'Die authorization in der dataAddress lässt sich nicht als Kopf senden.',
    })
  }
  const bare = token !== undefined && authType?.toLowerCase() === AUTH_TYPE_BEARER && !/^bearer /i.test(token)
  return ok({ header: given.header.toLowerCase(), value: bare ? `Bearer ${token}` : given.value })
}

function fromEdc(address: DataAddress): PushDestination['credential'] {
  const header = named(address, PROPERTY.edcAuthKey)
  const value = named(address, PROPERTY.edcAuthCode)
  return header === undefined || value === undefined ? undefined : { header, value }
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/

function instantOf(address: DataAddress, name: string): Result<EpochMs | undefined> {
  const text = named(address, name)
  if (text === undefined) return ok(undefined)
  const at = INSTANT.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at)
    ? problem('InvalidMessage', {
        en: `The property ${name} of the dataAddress has to be an instant with an offset, such as 2026-12-31T23:59:59Z.`,
        de: `Die Eigenschaft ${name} der dataAddress muss ein Zeitpunkt mit Zeitversatz sein, etwa 2026-12-31T23:59:59Z.`,
      })
    : ok(at as EpochMs)
}
