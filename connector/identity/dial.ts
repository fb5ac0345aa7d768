/**
 * The socket behind every outgoing request. The address is checked where it is dialled, after name resolution, so that a
 * name that changes its answer between check and use gains nothing. TLS always verifies.
 */
import { lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { createSecureContext, rootCertificates } from 'node:tls'
import { buildConnector } from '../core/undici.js'
import { addressInHost, addressKind } from './address.js'

/** Thrown into the request instead of dialling. */
export class AddressRefusedError extends Error {
  readonly code = 'ADDRESS_REFUSED'
  constructor(
    readonly host: string,
    readonly address: string,
  ) {
    super(`${host} leads to ${address}, a ${addressKind(address)} address`)
  }
}

export type DialOptions = {
  /**
   * What may be called although it is not public. Asked with the name in the URL and, when that is not enough, with each
   * address it leads to (without brackets), so that names as well as networks can be allowed.
   */
  readonly allowPrivate: boolean | ((host: string) => boolean)
  /** Further authorities in PEM, beside those every Node trusts. */
  readonly ca?: readonly string[]
  readonly connectTimeoutMs: number
  /** Name resolution; tests give their own. */
  readonly lookup?: LookupFunction
}

export type Dial = {
  /** For an undici Agent. */
  readonly connector: ReturnType<typeof buildConnector>
  /** For a client with sockets of its own, such as `ws`: pass both to its TLS options after `checkHost`. */
  readonly lookup: LookupFunction
  secureContext(): ReturnType<typeof createSecureContext>
  /** Refuses an address written into the URL, for which no lookup is ever made. */
  checkHost(hostname: string): AddressRefusedError | undefined
}

export function createDial({
  allowPrivate,
  ca = [],
  connectTimeoutMs,
  lookup = systemLookup,
}: DialOptions): Dial {
  const isAllowed = (host: string) => (typeof allowPrivate === 'function' ? allowPrivate(host) : allowPrivate)
  // Made once and late: reading all root certificates takes milliseconds, which neither start nor connections should pay.
  const secureContext = once(() =>
    createSecureContext({
      minVersion: 'TLSv1.2',
      ...(ca.length === 0 ? {} : { ca: [...rootCertificates, ...ca] }),
    }),
  )

  const mayDial = (address: string) => addressKind(address) === 'public' || isAllowed(address)

  const checkHost = (hostname: string): AddressRefusedError | undefined => {
    const address = addressInHost(hostname)
    return address === undefined || mayDial(address) ? undefined : new AddressRefusedError(hostname, address)
  }

  /** Answers only with addresses that may be dialled; none left is a refusal. */
  const guardedLookup: LookupFunction = (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (cause, found) => {
      if (cause !== null) return callback(cause, [])
      const addresses = typeof found === 'string' ? [{ address: found, family: isIP(found) }] : found
      const open = isAllowed(hostname) ? addresses : addresses.filter(({ address }) => mayDial(address))
      const [first] = open
      if (first === undefined)
        return callback(new AddressRefusedError(hostname, addresses[0]?.address ?? '::'), [])
      if (options.all === true) return callback(null, [...open])
      callback(null, first.address, first.family)
    })
  }

  const connect = once(() =>
    buildConnector({
      timeout: connectTimeoutMs,
      lookup: guardedLookup,
      secureContext: secureContext(),
      rejectUnauthorized: true,
      allowH2: false,
    }),
  )
  return {
    connector: (options, callback) => {
      const refused = checkHost(options.hostname)
      if (refused !== undefined) return queueMicrotask(() => callback(refused, null))
      connect()(options, callback)
    },
    lookup: guardedLookup,
    secureContext,
    checkHost,
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
