/** Forbids every connection and every name lookup beyond loopback, in each test process. */
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(host)

const forbidden = (what: string): Error =>
  Object.assign(new Error(`tests stay on loopback, but one asked for ${what}`), { code: 'ETESTNETWORK' })

type Lookup = (...args: unknown[]) => unknown

/** A lookup of a test may invent names, but only for addresses of this machine. */
const guarded =
  (lookup: Lookup): Lookup =>
  (...args) => {
    const done = args.at(-1)
    if (typeof done !== 'function') return lookup(...args)
    return lookup(...args.slice(0, -1), (cause: unknown, found: unknown, ...rest: unknown[]) => {
      if (cause !== null && cause !== undefined) return done(cause, found, ...rest)
      const addresses = Array.isArray(found)
        ? found.map((entry: { address: string }) => entry.address)
        : [found]
      const outside = addresses.find((address) => typeof address === 'string' && !isLoopback(address))
      if (outside !== undefined) done(forbidden(String(outside)))
      else done(cause, found, ...rest)
    })
  }

const connect = net.Socket.prototype.connect
net.Socket.prototype.connect = function guardedConnect(this: net.Socket, ...args: unknown[]): net.Socket {
  // net.connect() hands over its arguments normalised, as one array: [options, callback].
  const [first, second] = Array.isArray(args[0]) ? args[0] : args
  const options =
    typeof first === 'object' && first !== null
      ? (first as { host?: string; path?: string; lookup?: Lookup })
      : { host: typeof second === 'string' ? second : undefined }
  if ('lookup' in options && typeof options.lookup === 'function') options.lookup = guarded(options.lookup)
  else if (!('path' in options && options.path) && !isLoopback(options.host ?? 'localhost')) {
    const cause = forbidden(String(options.host))
    process.nextTick(() => this.destroy(cause))
    return this
  }
  return Reflect.apply(connect, this, args)
}

/** Callback style: the error goes where the answer would. */
const refuseLookup =
  (lookup: Lookup): Lookup =>
  (...args) => {
    const done = args.at(-1)
    if (isLoopback(String(args[0] ?? 'localhost')) || typeof done !== 'function') return lookup(...args)
    process.nextTick(() => done(forbidden(String(args[0]))))
    return undefined
  }

const refusePromise =
  (lookup: Lookup): Lookup =>
  (...args) =>
    isLoopback(String(args[0])) ? lookup(...args) : Promise.reject(forbidden(String(args[0])))

const NAMES = ['lookup', 'resolve', 'resolve4', 'resolve6', 'resolveTxt', 'resolveSrv'] as const
for (const name of NAMES) {
  Object.assign(dns, { [name]: refuseLookup(dns[name] as Lookup) })
  Object.assign(dns.promises, { [name]: refusePromise(dns.promises[name] as Lookup) })
}
syncBuiltinESMExports()
