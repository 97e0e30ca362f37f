import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { addressOf } from './upgrade.ts'

test.each([
  ['198.51.100.1', '198.51.100.1'],
  ['198.51.100.1:50123', '198.51.100.1'],
  ['::ffff:198.51.100.1', '198.51.100.1'],
  ['[::ffff:198.51.100.1]:443', '198.51.100.1'],
  ['2001:db8:0:7:8:9:a:b', '2001:db8:0:7'],
  ['2001:db8:0:7::1', '2001:db8:0:7'],
  ['[2001:db8:0:7::1]:50123', '2001:db8:0:7'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['2001:db8::a:b:c:d', '2001:db8:0:0'],
  ['2001:db8:0:0:1:2:3:4', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['unknown', 'unknown'],
  [`${'a:'.repeat(20)}:`, 'a:a:a:a'],
])('somebody at %s is counted for %s', (address, network) => {
  const direct = { headers: {}, socket: { remoteAddress: address } } as unknown as IncomingMessage
  expect(addressOf(direct, false)).toBe(network)
  const forwarded = { headers: { 'x-forwarded-for': `203.0.113.7, ${address}` }, socket: {} }
  expect(addressOf(forwarded as unknown as IncomingMessage, true)).toBe(network)
})
