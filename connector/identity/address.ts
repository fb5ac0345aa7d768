/**
 * Which network addresses a request may go to. A partner chooses the URLs that we call (callbacks, DID documents, data
 * endpoints), so everything that is not a public unicast address is refused unless the operator allows it.
 */
import { BlockList, isIP } from 'node:net'

export type AddressKind = 'public' | 'loopback' | 'private' | 'link-local' | 'carrier-grade NAT' | 'reserved'

type Range = readonly [kind: Exclude<AddressKind, 'public'>, network: string, prefix: number]

/** IANA IPv4 Special-Purpose Address Registry, and everything from 224.0.0.0 on (multicast, future use, broadcast). */
const IPV4_RANGES: readonly Range[] = [
  ['loopback', '127.0.0.0', 8],
  // "This host": Linux connects 0.0.0.0 to itself.
  ['loopback', '0.0.0.0', 8],
  ['private', '10.0.0.0', 8],
  ['private', '172.16.0.0', 12],
  ['private', '192.168.0.0', 16],
  // Cloud machines find their credentials at 169.254.169.254.
  ['link-local', '169.254.0.0', 16],
  ['carrier-grade NAT', '100.64.0.0', 10],
  ['reserved', '192.0.0.0', 24],
  ['reserved', '192.0.2.0', 24],
  ['reserved', '192.88.99.0', 24],
  ['reserved', '198.18.0.0', 15],
  ['reserved', '198.51.100.0', 24],
  ['reserved', '203.0.113.0', 24],
  ['reserved', '224.0.0.0', 3],
]

/**
 * IPv6 the other way round: only 2000::/3 is public, less what is special inside. Translated and tunnelled IPv4
 * (::ffff:0:0/96, 64:ff9b::/96, 2002::/16, 2001::/32) is refused whole: it could lead to any IPv4 address.
 */
const IPV6_RANGES: readonly Range[] = [
  ['loopback', '::1', 128],
  ['loopback', '::', 128],
  ['private', 'fc00::', 7],
  ['link-local', 'fe80::', 10],
  ['reserved', '2001::', 23],
  ['reserved', '2001:db8::', 32],
  ['reserved', '2002::', 16],
  ['reserved', '3fff::', 20],
]
const IPV6_PUBLIC: Range = ['reserved', '2000::', 3]

const listOf = (ranges: readonly Range[], family: 'ipv4' | 'ipv6') =>
  ranges.map(([kind, network, prefix]) => {
    const list = new BlockList()
    list.addSubnet(network, prefix, family)
    return { kind, list }
  })

const IPV4 = listOf(IPV4_RANGES, 'ipv4')
const IPV6 = listOf(IPV6_RANGES, 'ipv6')
const [GLOBAL_UNICAST] = listOf([IPV6_PUBLIC], 'ipv6')

/** What kind of address an IP literal is. Throws on anything that is not an IPv4 or IPv6 address. */
export function addressKind(address: string): AddressKind {
  // A zone (fe80::1%eth0) says on which interface, not where.
  const ip = address.split('%')[0] ?? ''
  const version = isIP(ip)
  if (version === 0) throw new TypeError(`not an IP address: ${address}`)
  const family = version === 4 ? 'ipv4' : 'ipv6'
  const special = (version === 4 ? IPV4 : IPV6).find(({ list }) => list.check(ip, family))
  if (special !== undefined) return special.kind
  return version === 4 || GLOBAL_UNICAST?.list.check(ip, family) === true ? 'public' : 'reserved'
}

/** The address in a URL's host, without brackets; undefined when the host is a name. */
export function addressInHost(hostname: string): string | undefined {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  return isIP(bare) === 0 ? undefined : bare
}
