import { expect, onTestFinished, test } from 'vitest'
import { tellWho } from '../commands/who.ts'
import { freePort } from '../free-port.testing.ts'
import { addressWords, loginTo } from './addresses.ts'
import { startNats } from './nats.testing.ts'
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

test.each([
  ['10.0.0.1:4222, nats.example', { servers: ['10.0.0.1:4222', 'nats.example'] }],
  ['nats://relay:s3cret@one:4222/', { servers: ['nats://one:4222'], user: 'relay', pass: 's3cret' }],
  ['a:b@[::1]:4222,a:b@two', { servers: ['[::1]:4222', 'two'], user: 'a', pass: 'b' }],
  ['tok3n@one,two', { servers: ['one', 'two'], token: 'tok3n' }],
  ['relay:p%2C%40%3A:%@one', { servers: ['one'], user: 'relay', pass: 'p%2C%40%3A:%' }],
  ['relay:p%2C%40%25@one', { servers: ['one'], user: 'relay', pass: 'p,@%' }],
])('%s logs in', (servers, options) => {
  expect(loginTo(servers)).toEqual(options)
})

test('two users in NATS_URL are refused without saying their passwords', () => {
  const twice = () => loginTo('relay:s3cret@one,store:s3cret@two')
  expect(twice).toThrow('NATS_URL has two users')
  expect(twice).not.toThrow('s3cret')
})

test.each([
  ['relay:s3c%40ret@', 'user: relay, password: "s3c@ret"'],
  ['t0ken@', 'token: t0ken'],
])(
  'whoever is named in NATS_URL as %s is let in by a NATS that lets in nobody else',
  async (login, authorization) => {
    const nats = await startNats({ domain: 'east', authorization })
    onTestFinished(() => nats.stop())
    const region = await joinRegion(`nats://${login}${nats.url}`, 'east')
    await region.leave()
    expect(await tellWho(`${login}${nats.url}`, false)).toContain('No relay and no store answers at …@')
    for (const servers of [nats.url, `relay:wr0ng@${nats.url}`]) {
      await expect(joinRegion(servers, 'east')).rejects.toThrow(/NATS does not answer .*Authorization/i)
    }
  },
)

test('where NATS_URL says tls, nobody logs in at a NATS without it', async () => {
  const nats = await startNats({ domain: 'east' })
  onTestFinished(() => nats.stop())
  const said = await joinRegion(`tls://${nats.url}`, 'east').then(() => 'joined', String)
  expect(said).toMatch(/NATS does not answer at NATS_URL tls:.* not support 'tls'/)
})

test('a password in NATS_URL is in no complaint that NATS does not answer', async () => {
  const servers = `nats://relay:s3cret@127.0.0.1:${await freePort()}`
  for (const ask of [() => joinRegion(servers, 'east'), () => tellWho(servers, false)]) {
    const complaint = await ask().then(String, String)
    expect(complaint).toContain('NATS does not answer at NATS_URL …@127.0.0.1')
    expect(complaint).not.toContain('s3cret')
  }
})
