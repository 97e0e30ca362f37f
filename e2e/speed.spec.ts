import { invitationLink } from '../shared/invitation.ts'
import { createSessionKeys, keysFor } from '../shared/keys.ts'
import { expect, test } from './people.ts'
import type { Person } from './person.ts'
import { Team } from './pictures/team.ts'
import { playRounds } from './played-rounds.ts'
import { Device, until } from './simulation/device.ts'

async function verifiedRecords(person: Person): Promise<number> {
  return person.page.evaluate(async () => {
    const result = <Value>(request: IDBRequest<Value>) =>
      new Promise<Value>((resolve) => {
        request.onsuccess = () => resolve(request.result)
      })
    const [{ name } = { name: '' }] = await indexedDB.databases()
    const db = await result(indexedDB.open(name ?? ''))
    const custom = db.transaction('custom').objectStore('custom')
    const kept: Uint8Array[] = await result(custom.getAll(IDBKeyRange.lowerBound('verified')))
    db.close()
    return kept.reduce((sum, { length }) => sum + length / 16, 0)
  })
}

// The goal is 300 ms on a machine with nothing else to do; twice that on a busy one is a regression.
test('a session of 100 rounds with 8 voters opens within 300 ms, or 600 ms on a busy machine', async ({
  relay,
  bob,
}) => {
  test.setTimeout(120_000)
  const keys = createSessionKeys()
  const device = new Device(relay.url, keysFor('member', keys))
  playRounds(device.doc, keys, 100, 8)
  device.connect()
  await until(
    () => device.caughtUp,
    () => 'The session was not uploaded',
  )
  device.stop()

  await bob.opens(invitationLink(relay.url, keys, 'member'))
  await expect(bob.page.getByRole('textbox', { name: 'Title of the story' })).toHaveCount(100)
  await expect(bob.status).toContainText('Saved at the relay')
  // A device that has been here before: what it verified is kept.
  await expect.poll(() => verifiedRecords(bob), { timeout: 20_000 }).toBeGreaterThan(300)
  // From the moment the app's script runs until the cards of the hand are there.
  await bob.page.addInitScript(() => {
    new MutationObserver((_, observer) => {
      if (!document.querySelector('[role=toolbar] button')) return
      observer.disconnect()
      performance.mark('usable')
    }).observe(document, { childList: true, subtree: true })
  })
  const times: number[] = []
  for (let run = 0; run < 5; run++) {
    await bob.page.reload()
    await expect(bob.page.getByRole('textbox', { name: 'Title of the story' })).toHaveCount(100)
    times.push(
      await bob.page.evaluate(() => {
        const script = performance.getEntriesByType('resource').find(({ name }) => name.endsWith('.js'))
        return (
          (performance.getEntriesByName('usable')[0]?.startTime ?? 0) -
          ((script as PerformanceResourceTiming).responseEnd ?? 0)
        )
      }),
    )
  }
  console.log(`100 rounds × 8 voters opened in ${times.sort((a, b) => a - b).map(Math.round)} ms`)
  // The fastest run: what else the machine does can only add to it.
  expect(times[0]).toBeGreaterThan(0)
  expect(times[0]).toBeLessThanOrEqual(600)
})

test('the first load needs at most 100 KB of compressed JavaScript before the first vote', async ({
  relay,
  alice,
}) => {
  const sizes = new Map<string, number>()
  alice.page.on('response', async (response) => {
    if (response.url().endsWith('.js') && !response.fromServiceWorker()) {
      sizes.set(response.url(), Number(await response.headerValue('content-length')))
    }
  })
  await alice.starts(relay.url)
  await alice.page.getByLabel('Your name').fill('alice')
  await expect(alice.card('5')).toBeEnabled()
  // What shows a result is fetched because of the vote, so it is no part of the way to it.
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0)
  console.log(`${total} bytes of JavaScript before the first vote`)
  await alice.votes('5')
  expect(sizes.size).toBeGreaterThan(0)
  expect(total).toBeGreaterThan(20_000)
  expect(total).toBeLessThanOrEqual(100 * 1024)
})

test('ten thousand stories are imported while the page stays alive', async ({ relay, alice }) => {
  await alice.starts(relay.url)
  await alice.tellsName()
  const rows = Array.from({ length: 10_000 }, (_, at) => `APP-${at},"Story, number ${at}",${at % 13}`)
  await alice.opensMenu('Import …')
  await alice.page
    .getByRole('dialog')
    .locator('input[type=file]')
    .setInputFiles({
      name: 'large.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(`Issue key,Summary,Story Points\n${rows.join('\n')}\n`),
    })
  const dialog = alice.page.getByRole('dialog')
  await expect(dialog.getByRole('button', { name: 'Import 10,000 stories' })).toBeVisible()
  await watchFrames(alice)
  const begun = Date.now()
  await dialog.getByRole('button', { name: 'Import 10,000 stories' }).click()
  await expect(dialog.getByText('10,000 stories are in the backlog now.')).toBeVisible({ timeout: 30_000 })
  const took = Date.now() - begun
  const longest = await longestFrame(alice)
  console.log(`10,000 stories imported in ${took} ms, longest frame ${longest} ms`)
  // The goal is 2 s on a machine with nothing else to do.
  expect(took).toBeLessThan(4_000)
  expect(longest).toBeLessThan(500)
  await dialog.getByRole('button', { name: 'Done' }).click()
  await alice.page.getByRole('searchbox', { name: 'Search' }).fill('number 9999')
  await expect(alice.page.getByRole('textbox', { name: 'Title of the story' })).toHaveCount(1)
})

/** Counts the milliseconds of the longest frame from now on, as `longestFrame` then tells. */
async function watchFrames(person: Person): Promise<void> {
  await person.page.evaluate(() => {
    const page = window as unknown as { longest: number; last: number }
    page.longest = 0
    page.last = performance.now()
    const frame = (now: number) => {
      page.longest = Math.max(page.longest, now - page.last)
      page.last = now
      requestAnimationFrame(frame)
    }
    requestAnimationFrame((now) => {
      page.last = now
      requestAnimationFrame(frame)
    })
  })
}

function longestFrame(person: Person): Promise<number> {
  return person.page.evaluate(() => Math.round((window as unknown as { longest: number }).longest))
}

// The goals are 300 ms and 50 ms on a machine with nothing else to do; here the relay and those who open their cards work beside
// the browser.
test('at a table of 50 all cards are shown within 600 ms after the reveal, and no frame takes 100 ms', async ({
  relay,
  bob,
}) => {
  test.setTimeout(180_000)
  const names = Array.from({ length: 49 }, (_, at) => `Person ${at + 1}`)
  const team = await Team.gather(relay.url, ...names)
  const labels = ['1', '2', '3', '5', '8', '13']
  const runs: { shown: number; longest: number }[] = []
  for (let run = 0; run < 5; run++) {
    const round = team.start(undefined)
    team.vote(round, names.map((_, at) => labels[at % labels.length]).join(' '))
    if (run === 0) await bob.joins(team.link(relay.url), '5')
    else await bob.votes('5')
    await bob.sees(/50 of 50 have voted|All 50 have voted/)
    await bob.page.evaluate(() => {
      performance.clearMarks()
      const shown = new MutationObserver(() => {
        const counts = [...document.querySelectorAll('.pile:not(.apart) .count [aria-hidden]')]
        const votes = counts.reduce((sum, { textContent }) => sum + Number(textContent?.match(/\d+/)), 0)
        if (votes < 50) return
        shown.disconnect()
        requestAnimationFrame(() => performance.mark('shown'))
      })
      shown.observe(document, { childList: true, subtree: true, attributes: true, characterData: true })
      addEventListener('click', () => performance.mark('asked'), { once: true, capture: true })
    })
    await watchFrames(bob)
    await bob.page.getByRole('button', { name: 'Reveal', exact: true }).click()
    await bob.page.waitForFunction(() => performance.getEntriesByName('shown').length > 0)
    const took = await bob.page.evaluate(() => {
      const at = (name: string) => performance.getEntriesByName(name)[0]?.startTime ?? 0
      return at('shown') - at('asked')
    })
    runs.push({ shown: Math.round(took), longest: await longestFrame(bob) })
  }
  team.leave()
  console.log(
    `a table of 50 revealed: ${runs.map((run) => `${run.shown} ms, longest frame ${run.longest} ms`).join('; ')}`,
  )
  expect(Math.min(...runs.map(({ shown }) => shown))).toBeLessThanOrEqual(600)
  expect(Math.min(...runs.map(({ longest }) => longest))).toBeLessThan(100)
})
