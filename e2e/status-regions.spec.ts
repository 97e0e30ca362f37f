import { freePort } from '../relay/free-port.testing.ts'
import { violationsOf } from './axe.ts'
import { RegionProcesses } from './cluster/region.ts'
import { expect, test } from './people.ts'

const token = 'correct-horse-battery-staple'

test('whoever runs a region sees its stores, which of them died, and which region cannot be heard', async ({
  network,
  newcomer,
}) => {
  const port = await freePort()
  const REGIONS = `east=http://localhost:${port}/,west=http://localhost:${await freePort()}/`
  const region = await RegionProcesses.start('east', {
    port,
    nats: { domain: 'east' },
    settings: { REGIONS, METRICS_TOKEN: token },
  })
  try {
    const [relay] = region.relays
    const [store, other] = region.stores
    network.allow(String(relay?.direct))
    const operator = await newcomer('operator', {
      viewport: { width: 360, height: 740 },
      httpCredentials: { username: 'operator', password: token },
    })
    await operator.page.goto(new URL('status/', relay?.direct).href)
    const page = operator.page.getByRole('region', { name: 'Stores and regions' })
    const east = page.getByRole('article', { name: 'east' })
    const west = page.getByRole('article', { name: 'west' })
    await expect(page).toContainText('Every shard is kept by 2 stores', { timeout: 40_000 })
    await expect(operator.page.getByRole('status')).toHaveText('west cannot be heard')
    await expect(west).toContainText('Nothing heard since this process runs')
    await expect(east.getByRole('listitem').filter({ hasText: 'shards 0-63' })).toHaveCount(2)
    await expect(east.getByRole('listitem').filter({ hasText: 'Relay, this one' })).toContainText('ready')
    await expect(page.getByRole('figure', { name: 'Stores that are ready' })).toContainText(/east 2/, {
      timeout: 40_000,
    })
    const width = await operator.page.evaluate(() => document.documentElement.scrollWidth)
    expect(width).toBeLessThanOrEqual(360)
    for (const colorScheme of ['dark', 'light'] as const) {
      await operator.page.emulateMedia({ colorScheme })
      expect(await violationsOf(operator.page, 'body'), colorScheme).toEqual([])
    }

    await store?.stop('SIGKILL')
    await expect(page).toContainText('one store only is ready', { timeout: 60_000 })
    await expect(east.getByRole('listitem').filter({ hasText: 'silent since' })).toHaveCount(1)
    await other?.stop('SIGTERM')
    await expect(operator.page.getByRole('status')).toHaveText('No store is ready', { timeout: 60_000 })
  } finally {
    await region.stop()
  }
})
