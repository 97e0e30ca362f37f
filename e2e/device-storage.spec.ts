import type { CDPSession, Page } from '@playwright/test'
import * as Y from 'yjs'
import { readStories } from '../shared/document.ts'
import { updatesStored } from './inspect.ts'
import { expect, test } from './people.ts'
import type { Person } from './person.ts'

/** The stories that somebody's device would have with every relay gone. */
async function titlesStored(person: Person): Promise<string[]> {
  const doc = new Y.Doc()
  for (const row of await updatesStored(person)) Y.applyUpdate(doc, row)
  return readStories(doc).map((story) => story.title)
}

async function startsWithAStory(alice: Person, url: string): Promise<void> {
  await alice.starts(url)
  await alice.tellsName()
  await alice.votes('5')
  await alice.addsStory('Made before')
  await expect(alice.status).toContainText('Saved at the relay')
}

/**
 * Opens the session again while the page's clock stands still but for three seconds: so long may storage that does not
 * answer keep people waiting, however slow the machine is besides.
 */
async function opensWithinThreeSeconds({ page }: Person, address = page.url()): Promise<void> {
  await page.goto('about:blank')
  await page.clock.install()
  await page.clock.pauseAt(Date.now() + 60_000)
  await page.goto(address)
  const table = page.getByRole('main', { name: 'Table' })
  await expect(table.or(page.getByRole('status').filter({ hasText: 'Opening' }))).toBeVisible()
  await page.clock.runFor(3_000)
  await expect(table).toBeVisible()
  await page.clock.resume()
}

async function readsWhereChangesAre({ page, status }: Person, words: string): Promise<void> {
  await status.click()
  await expect(page.getByText(words)).toBeVisible()
  await page.keyboard.press('Escape')
}

async function isSavedHere(person: Person, ...titles: string[]): Promise<void> {
  // It is tried again after 2, 4, 8 … seconds.
  await expect(person.status).toContainText('Saved at the relay', { timeout: 40_000 })
  await readsWhereChangesAre(person, 'Everything is saved on this device.')
  await expect.poll(() => titlesStored(person)).toEqual(titles)
}

async function isNotSavedHere(person: Person, why: string): Promise<void> {
  await expect(person.status).toContainText('Not saved on this device', { timeout: 20_000 })
  await readsWhereChangesAre(person, why)
}

/** A second tab of theirs, with no session in it. */
async function elsewhere({ context, page }: Person): Promise<Page> {
  const tab = await context.newPage()
  await tab.goto(new URL('/', page.url()).href)
  return tab
}

/** Another tab upgrades the database, and its upgrade takes until it is told to end. */
async function upgradesForLong(tab: Page): Promise<() => Promise<void>> {
  await tab.evaluate(async () => {
    const [{ name } = { name: '' }] = await indexedDB.databases()
    await new Promise<void>((begun) => {
      const request = indexedDB.open(name ?? '', 99)
      request.onupgradeneeded = () => {
        const store = request.transaction?.objectStore('custom')
        const goOn = () => {
          const asked = 'done' in window ? undefined : store?.get('nothing')
          if (asked) asked.onsuccess = goOn
        }
        goOn()
        begun()
      }
    })
  })
  return () => tab.evaluate(() => void Object.assign(window, { done: true }))
}

async function browserOf(page: Page): Promise<{ cdp: CDPSession; origin: string }> {
  return { cdp: await page.context().newCDPSession(page), origin: new URL(page.url()).origin }
}

// At a first visit with a clock that stands still nothing that was cut is tried again.
const calmly = test.extend({ rough: false })

test('damaged rows are thrown away, and the relay brings what they held', async ({ relay, alice }) => {
  await startsWithAStory(alice, relay.url)
  await alice.page.evaluate(async () => {
    const [{ name } = { name: '' }] = await indexedDB.databases()
    const db = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open(name ?? '')
      request.onsuccess = () => resolve(request.result)
    })
    const transaction = db.transaction(['updates', 'custom'], 'readwrite')
    const store = transaction.objectStore('updates')
    store.openCursor().onsuccess = ({ target }) => {
      const cursor = (target as IDBRequest<IDBCursorWithValue | null>).result
      if (cursor?.value instanceof Uint8Array) cursor.update(cursor.value.slice(0, cursor.value.length / 2))
      cursor?.continue()
    }
    for (const rubbish of [new Uint8Array([255, 254, 253]), 'no bytes', null, { length: 5 }])
      store.add(rubbish)
    transaction.objectStore('custom').put('nonsense', 'verified')
    await new Promise((resolve) => transaction.addEventListener('complete', resolve))
    db.close()
  })
  await opensWithinThreeSeconds(alice)
  await expect(alice.card('5')).toHaveAttribute('aria-pressed', 'true')
  await isSavedHere(alice, 'Made before')
})

test('another tab deletes the database: it is made again with all that was in it', async ({
  relay,
  alice,
}) => {
  await startsWithAStory(alice, relay.url)
  const tab = await elsewhere(alice)
  await tab.evaluate(async () => {
    for (const { name } of await indexedDB.databases()) {
      await new Promise((resolve) => {
        indexedDB.deleteDatabase(name ?? '').onsuccess = resolve
      })
    }
  })
  await alice.addsStory('Made after')
  await isSavedHere(alice, 'Made before', 'Made after')
})

test('another tab upgrades the database for a long time: alice goes on in memory until it is done', async ({
  relay,
  alice,
}) => {
  await startsWithAStory(alice, relay.url)
  const done = await upgradesForLong(await elsewhere(alice))
  await isNotSavedHere(alice, 'its storage does not answer')
  await alice.addsStory('Made meanwhile')
  await done()
  await isSavedHere(alice, 'Made before', 'Made meanwhile')
})

test('storage that never answers keeps nobody waiting, and takes everything when it does', async ({
  relay,
  alice,
}) => {
  await startsWithAStory(alice, relay.url)
  const address = alice.page.url()
  const tab = await elsewhere(alice)
  await alice.page.goto('about:blank')
  const done = await upgradesForLong(tab)
  await opensWithinThreeSeconds(alice, address)
  await isNotSavedHere(alice, 'its storage does not answer')
  await expect(alice.card('5')).toHaveAttribute('aria-pressed', 'true')
  await alice.addsStory('Made meanwhile')
  await done()
  await isSavedHere(alice, 'Made before', 'Made meanwhile')
})

test('a database of a newer version is used as it is; one that is arranged otherwise is left alone', async ({
  relay,
  alice,
}) => {
  await startsWithAStory(alice, relay.url)
  const address = alice.page.url()
  await alice.page.goto(relay.url)
  const upgrade = (version: number, remove: boolean) =>
    alice.page.evaluate(
      async ([version, remove]) => {
        const [{ name } = { name: '' }] = await indexedDB.databases()
        await new Promise<void>((resolve) => {
          const request = indexedDB.open(name ?? '', version)
          request.onupgradeneeded = () => {
            request.result.createObjectStore(`of version ${version}`)
            if (remove) request.result.deleteObjectStore('updates')
          }
          request.onsuccess = () => {
            request.result.close()
            resolve()
          }
        })
      },
      [version, remove] as const,
    )
  await upgrade(7, false)
  await opensWithinThreeSeconds(alice, address)
  await isSavedHere(alice, 'Made before')

  await alice.page.goto(relay.url)
  await upgrade(8, true)
  await alice.page.goto(address)
  await isNotSavedHere(alice, 'its storage is damaged')
  await expect(alice.card('5')).toHaveAttribute('aria-pressed', 'true')
  await expect(alice.page.getByRole('textbox', { name: 'Title of the story' })).toHaveValue('Made before')
})

calmly(
  'a full device says so, the others have it anyway, and it is kept once there is room',
  async ({ relay, alice, bob }) => {
    await bob.starts(relay.url)
    await bob.tellsName()
    await bob.addsStory('Made before')
    const link = await bob.invitation()
    // Before her first visit: for half a minute after a write the browser goes by the room there was then.
    await alice.page.goto(relay.url)
    const { cdp, origin } = await browserOf(await elsewhere(alice))
    await cdp.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 })
    await opensWithinThreeSeconds(alice, link)
    await alice.tellsName()
    await alice.votes('8')
    await alice.addsStory('Made on a full device')
    await isNotSavedHere(alice, 'its storage is full')
    await expect(bob.seatOf(alice)).toContainText('has voted')
    await expect(bob.page.getByRole('textbox', { name: 'Title of the story' })).toHaveCount(2)

    await alice.page.reload()
    await expect(alice.card('8')).toHaveAttribute('aria-pressed', 'true')
    await expect(alice.page.getByRole('textbox', { name: 'Title of the story' })).toHaveCount(2)
    await isNotSavedHere(alice, 'its storage is full')
    await cdp.send('Storage.overrideQuotaForOrigin', { origin })
    await isSavedHere(alice, 'Made before', 'Made on a full device')
  },
)

for (const [refuses, refuse] of Object.entries({
  'throws, as in a frame without rights': () => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('The operation is insecure.', 'SecurityError')
    }
  },
  'fails, as in private windows of older browsers': () => {
    const open = IDBFactory.prototype.open
    IDBFactory.prototype.open = function (name) {
      const request = open.call(this, name)
      Object.defineProperty(request, 'error', {
        value: new DOMException('A mutation operation was attempted', 'InvalidStateError'),
      })
      request.addEventListener(
        'success',
        (event) => {
          event.stopImmediatePropagation()
          request.result.close()
          request.dispatchEvent(new Event('error'))
        },
        true,
      )
      return request
    }
  },
  'throws when it is looked at, as in Firefox with cookies blocked': () => {
    for (const storage of ['indexedDB', 'localStorage']) {
      Object.defineProperty(window, storage, {
        get: () => {
          throw new DOMException('The operation is insecure.', 'SecurityError')
        },
      })
    }
  },
  'is not there, and neither is any other': () => {
    Object.defineProperty(window, 'indexedDB', { value: undefined })
    Object.defineProperty(window, 'localStorage', {
      get: () => {
        throw new DOMException('Access is denied for this document.', 'SecurityError')
      },
    })
  },
})) {
  calmly(
    `storage that ${refuses}: alice takes part, is told, and the relay keeps it`,
    async ({ relay, alice, bob }) => {
      const link = await bob.startsAndInvites(relay.url)
      await alice.page.addInitScript(refuse)
      await opensWithinThreeSeconds(alice, link)
      await alice.tellsName()
      await alice.votes('5')
      await alice.addsStory('Made in a private window')
      await isNotSavedHere(alice, 'the browser refuses storage here')
      await expect(bob.seatOf(alice)).toContainText('has voted')
      await alice.page.goto('about:blank')
      await alice.page.goto(link)
      await expect(alice.page.getByRole('textbox', { name: 'Title of the story' })).toHaveValue(
        'Made in a private window',
      )
    },
  )
}

test('the browser takes everything while the session is open: alice is still alice, and it is kept again', async ({
  relay,
  alice,
}) => {
  await startsWithAStory(alice, relay.url)
  const { cdp, origin } = await browserOf(alice.page)
  await cdp.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' })
  await alice.addsStory('Made after')
  await isSavedHere(alice, 'Made before', 'Made after')
  await opensWithinThreeSeconds(alice)
  await expect(alice.card('5')).toHaveAttribute('aria-pressed', 'true')
  await isSavedHere(alice, 'Made before', 'Made after')
})

test('the browser takes the copy between two visits: the relay brings everything, her hidden vote too', async ({
  relay,
  alice,
}) => {
  await startsWithAStory(alice, relay.url)
  const address = alice.page.url()
  const { cdp, origin } = await browserOf(alice.page)
  await alice.page.goto('about:blank')
  await cdp.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb,cache_storage' })
  await opensWithinThreeSeconds(alice, address)
  await expect(alice.card('5')).toHaveAttribute('aria-pressed', 'true')
  await isSavedHere(alice, 'Made before')
})

test('the browser takes everything between two visits: the link opens what the relay has', async ({
  relay,
  alice,
}) => {
  await startsWithAStory(alice, relay.url)
  const [address, link] = [alice.page.url(), await alice.invitation()]
  const { cdp, origin } = await browserOf(alice.page)
  await alice.page.goto('about:blank')
  await cdp.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' })
  await alice.page.goto(address)
  await expect(alice.page.getByRole('heading', { name: 'This link is not complete' })).toBeVisible()
  await opensWithinThreeSeconds(alice, link)
  await expect(alice.seatOf(alice)).toContainText('has voted')
  await isSavedHere(alice, 'Made before')
})

test('two tabs with the relay away: both copies are one, whichever tab closes first', async ({
  relay,
  alice,
}) => {
  await startsWithAStory(alice, relay.url)
  // Without a relay it could not be installed any more.
  await alice.page.waitForFunction(() => navigator.serviceWorker.controller !== null)
  await relay.stop()
  const second = await alice.context.newPage()
  await second.goto(alice.page.url())
  const titles = second.getByRole('textbox', { name: 'Title of the story' })
  await expect(titles).toHaveCount(1)
  await alice.addsStory('Made in the first tab')
  await expect(titles).toHaveCount(2)
  await second.getByRole('textbox', { name: 'Add stories' }).fill('Made in the second tab')
  await second.getByRole('button', { name: 'Add', exact: true }).click()
  await expect(alice.page.getByRole('textbox', { name: 'Title of the story' })).toHaveCount(3)
  // Each tab answers for what the other has done as well: that one may close.
  await expect(alice.page.getByText('2 changes wait')).toBeVisible()
  await expect(second.getByText('2 changes wait')).toBeVisible()
  await second.close()
  await alice.page.reload()
  await expect(alice.page.getByRole('textbox', { name: 'Title of the story' })).toHaveCount(3)
  await relay.resume()
  await isSavedHere(alice, 'Made before', 'Made in the first tab', 'Made in the second tab')
})
