import { expect, it } from 'vitest'
import { addressInHost, addressKind } from '../../connector/identity/address.js'

// biome-ignore format: a table reads best aligned
const TABLE = [
  ['8.8.8.8', 'public'], ['1.1.1.1', 'public'], ['172.15.255.255', 'public'], ['172.32.0.0', 'public'],
  ['100.63.255.255', 'public'], ['100.128.0.0', 'public'], ['192.167.255.255', 'public'], ['192.169.0.0', 'public'],
  ['126.255.255.255', 'public'], ['128.0.0.0', 'public'], ['11.0.0.0', 'public'], ['223.255.255.255', 'public'],
  ['169.253.255.255', 'public'], ['198.17.255.255', 'public'], ['198.20.0.0', 'public'],
  ['127.0.0.1', 'loopback'], ['127.255.255.254', 'loopback'], ['0.0.0.0', 'loopback'], ['0.1.2.3', 'loopback'],
  ['10.0.0.0', 'private'], ['10.255.255.255', 'private'], ['172.16.0.1', 'private'], ['172.31.255.255', 'private'],
  ['192.168.0.1', 'private'], ['192.168.255.255', 'private'],
  ['169.254.169.254', 'link-local'], ['169.254.0.0', 'link-local'],
  ['100.64.0.1', 'carrier-grade NAT'], ['100.127.255.255', 'carrier-grade NAT'],
  ['192.0.0.170', 'reserved'], ['192.0.2.1', 'reserved'], ['198.18.0.1', 'reserved'], ['198.19.255.255', 'reserved'],
  ['198.51.100.7', 'reserved'], ['203.0.113.7', 'reserved'], ['192.88.99.1', 'reserved'],
  ['224.0.0.1', 'reserved'], ['239.255.255.250', 'reserved'], ['240.0.0.1', 'reserved'], ['255.255.255.255', 'reserved'],
  ['2a00:1450:4001:82b::200e', 'public'], ['2606:4700::1111', 'public'], ['2001:4860:4860::8888', 'public'],
  ['::1', 'loopback'], ['::', 'loopback'], ['0:0:0:0:0:0:0:1', 'loopback'],
  ['fc00::1', 'private'], ['fd12:3456:789a::1', 'private'],
  ['fe80::1', 'link-local'], ['fe80::1%eth0', 'link-local'], ['febf::1', 'link-local'],
  ['fec0::1', 'reserved'], ['ff02::1', 'reserved'], ['2001:db8::1', 'reserved'], ['3fff::1', 'reserved'],
  ['2001::1', 'reserved'], ['2001:10::1', 'reserved'], ['2002:7f00:1::', 'reserved'], ['100::1', 'reserved'],
  ['64:ff9b::7f00:1', 'reserved'], ['64:ff9b:1::a00:1', 'reserved'],
] as const

it.each(TABLE)('%s is %s', (address, kind) => {
  expect(addressKind(address)).toBe(kind)
})

it.each([
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:10.0.0.1',
  '::ffff:8.8.8.8',
  '::127.0.0.1',
])('%s, an IPv4 address in IPv6 clothes, is not public', (address) => {
  expect(addressKind(address)).not.toBe('public')
})

it('finds the address in a host, however the URL spells it', () => {
  const inUrl = (url: string) => addressInHost(new URL(url).hostname)
  for (const url of [
    'https://127.1/',
    'https://0x7f000001/',
    'https://2130706433/',
    'https://0177.0.0.1/',
    'https://127.0.0.1./',
  ]) {
    expect(inUrl(url), url).toBe('127.0.0.1')
  }
  expect(inUrl('https://[::1]:8484/')).toBe('::1')
  expect(inUrl('https://[::ffff:127.0.0.1]/')).toBe('::ffff:7f00:1')
  expect(inUrl('https://localhost/')).toBeUndefined()
  expect(inUrl('https://127.0.0.1.example.com/')).toBeUndefined()
})

it('takes nothing but an IP address', () => {
  expect(() => addressKind('localhost')).toThrow(TypeError)
})
