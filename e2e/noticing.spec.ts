import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { secretsOf } from './inspect.ts'
import { expect, faultsOf, test } from './people.ts'
import type { Person } from './person.ts'
import { RelayProcess } from './relay.ts'

const wrongs: Record<string, { does: (alice: Person) => Promise<unknown>; noticed: RegExp }> = {
  'an uncaught error': {
    does: ({ page }) =>
      page.evaluate(() => void setTimeout(() => Promise.reject(new Error('nobody catches me')))),
    noticed: /nobody catches me/,
  },
  'a console error': {
    does: ({ page }) => page.evaluate(() => console.error('something is wrong')),
    noticed: /something is wrong/,
  },
  'a violation of the content policy that code catches itself': {
    does: ({ page }) => page.evaluate(() => fetch('https://elsewhere.example/').catch(() => {})),
    noticed: /policy connect-src was violated by https:\/\/elsewhere\.example/,
  },
  'code from a text': {
    does: ({ page }) => page.evaluate(() => document.body.setAttribute('onclick', 'alert(1)')),
    noticed: /policy script-src-attr was violated by inline/,
  },
  'a file that is not there': {
    does: ({ page }) => page.evaluate(() => fetch('assets/nothing.js')),
    noticed: /status of 404/,
  },
  'a request to somebody else, from a page without a policy': {
    does: async ({ page }) => {
      await page.goto('about:blank')
      await page.evaluate(() => fetch('http://localhost:9/').catch(() => {}))
    },
    noticed: /request went to http:\/\/localhost:9/,
  },
  'a WebSocket to somebody else': {
    does: async ({ page }) => {
      await page.goto('about:blank')
      await page.evaluate(
        () => new Promise((ended) => new WebSocket('ws://localhost:9/').addEventListener('close', ended)),
      )
    },
    noticed: /request went to http:\/\/localhost:9/,
  },
  'an error in a second window': {
    does: async ({ context, page }) => {
      const other = await context.newPage()
      await other.goto(page.url())
      await other.evaluate(() => console.error('in another window'))
    },
    noticed: /in another window/,
  },
}

for (const [wrong, { does, noticed }] of Object.entries(wrongs)) {
  test(`${wrong} in a browser is noticed`, async ({ network, relay, newcomer }) => {
    const eve = await newcomer('eve')
    await eve.page.goto(relay.url)
    expect(faultsOf(eve, network)).toEqual([])
    await does(eve)
    await expect.poll(() => faultsOf(eve, network).join()).toMatch(noticed)
    eve.forgives()
  })
}

test.fail('whatever goes wrong in a browser fails the test', async ({ relay, alice }) => {
  await alice.page.goto(relay.url)
  await alice.page.evaluate(() => console.error('something is wrong'))
})

test('a secret at the relay is noticed, whichever way it is written', async ({ network, relay, alice }) => {
  await alice.starts(relay.url)
  const link = await alice.invitation('watch')
  const secrets = await secretsOf(alice)
  expect(network.whereabouts(secrets)).toEqual([])
  const fragment = link.slice(link.indexOf('#') + 2)
  const bytes = Buffer.from(fragment, 'base64url').subarray(0, 32)
  for (const written of [fragment, bytes, bytes.toString('hex')]) {
    const file = join(relay.dataDir, 'leak')
    writeFileSync(file, Buffer.concat([Buffer.from('before'), Buffer.from(written), Buffer.from('after')]))
    expect(network.whereabouts(secrets)).toEqual(['leak'])
    rmSync(file)
  }
  const printed = relay.output
  relay.output += `a visit to ${link}`
  expect(network.whereabouts(secrets)).toEqual(['the output'])
  relay.output = printed
})

test('a relay that ends by itself is noticed', async ({ relay }) => {
  const other = await RelayProcess.start()
  process.kill(other.pid as number, 'SIGKILL')
  await expect.poll(() => other.pid).toBeUndefined()
  await expect(other.remove()).rejects.toThrow(`listens on http://localhost:${other.port}`)
  const late = await RelayProcess.reserve('dist', { PORT: String(relay.port) })
  await expect(late.resume()).rejects.toThrow(`PORT ${relay.port} is in use by another program`)
  await expect(late.remove()).rejects.toThrow('ended by itself')
})
