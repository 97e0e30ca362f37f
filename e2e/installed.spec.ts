import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { startCaddy } from '../relay/deploy/caddy.testing.ts'
import { freePort } from '../relay/free-port.testing.ts'
import { Image } from './image.ts'
import { meet } from './meeting.ts'
import { expect, test, trustingOptions } from './people.ts'
import { untilReady } from './relay.ts'

test.use({ launchOptions: trustingOptions })

test('what the image holds runs for nobody in particular, behind Caddy with TLS, under a path', async ({
  network,
  alice,
  bob,
}) => {
  const image = Image.build()
  const PORT = String(await freePort())
  const relay = image.start(undefined, { PORT, TRUST_PROXY: '1' })
  const sitePort = await freePort()
  const stopCaddy = await startCaddy('relay/deploy/Caddyfile.sub-path', sitePort, `127.0.0.1:${PORT}`)
  try {
    await untilReady(`http://127.0.0.1:${PORT}/`)
    expect(await image.checkHealth({ PORT })).toBe(true)
    expect(await image.checkHealth({ PORT: String(await freePort()) })).toBe(false)
    expect(image.user).not.toMatch(/^(root|0)?$/)
    const url = `https://localhost:${sitePort}/`
    network.allow(url)

    await meet(`${url}poker/`, alice, bob)
    await alice.page.goto(`${url}poker`)
    await expect(alice.page).toHaveURL(`${url}poker/`)

    for (const path of ['metrics', 'status', 'readyz']) {
      expect(
        (await alice.page.request.get(`${url}poker/${path}`, { ignoreHTTPSErrors: true })).status(),
      ).toBe(404)
    }
    expect(await image.run(['backup', '/backups'])).toMatchObject({ code: 0 })
    expect(await image.run(['check', '/backups'])).toMatchObject({ code: 0 })
    expect(existsSync(join(image.folder, 'data/facedown.sqlite'))).toBe(true)
    expect(readdirSync(join(image.folder, 'app')).sort()).toEqual(['dist', 'node_modules', 'package.json'])
  } finally {
    await alice.context.close()
    await bob.context.close()
    const ended = once(relay, 'exit')
    relay.kill('SIGTERM')
    await ended
    await stopCaddy()
    image.remove()
  }
})
