import { expect, test } from 'vitest'
import { tellWho } from '../commands/who.ts'
import { freePort } from '../process.testing.ts'
import { addressWords } from './address-words.ts'
import { joinRegion } from './region.ts'

test.each([
  ['10.0.0.1:4222,nats.example', '10.0.0.1:4222,nats.example'],
  ['nats://relay:s3cret@nats.example:4222', '…@nats.example:4222'],
  ['s3cret@nats.example', '…@nats.example'],
  ['relay:s3@c,ret@one.example,relay:s3cret@two.example', '…@two.example'],
  ['relay:s3cret@one.example,two.example', '…@one.example,two.example'],
])('%s is said as %s', (servers, words) => {
  expect(addressWords(servers)).toBe(words)
})

test('a password in NATS_URL is in no complaint that NATS does not answer', async () => {
  const servers = `nats://relay:s3cret@127.0.0.1:${await freePort()}`
  for (const ask of [() => joinRegion(servers, 'east'), () => tellWho(servers, false)]) {
    const complaint = await ask().then(String, String)
    expect(complaint).toContain('NATS does not answer at NATS_URL …@127.0.0.1')
    expect(complaint).not.toContain('s3cret')
  }
})
