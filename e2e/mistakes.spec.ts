import { expect, test } from './people.ts'
import type { Person } from './person.ts'

test('a damaged link is recognised before any relay is asked', async ({ relay, alice, bob }) => {
  await alice.starts(relay.url)
  const link = await alice.invitation()
  const at = link.indexOf('#') + 20
  const damaged = link.slice(0, at) + (link[at] === 'A' ? 'B' : 'A') + link.slice(at + 1)
  for (const wrong of [damaged, link.slice(0, -3), link.replace(/s\/.{26}/, 's/abc')]) {
    await bob.page.goto('about:blank')
    await bob.page.goto(wrong)
    await expect(bob.page.getByRole('heading', { name: 'This link is damaged' })).toBeVisible()
  }
  await bob.page.goto(link.slice(0, link.indexOf('#')))
  await expect(bob.page.getByRole('heading', { name: 'This link is not complete' })).toBeVisible()
})

test('an unknown path says so and leads home', async ({ relay, alice }) => {
  alice.expects(/status of 404/)
  const response = await alice.page.goto(`${relay.url}no/such/page`)
  expect(response?.status()).toBe(404)
  await expect(alice.page.getByRole('heading', { name: 'There is nothing here' })).toBeVisible()
  await alice.page.getByRole('link', { name: 'Go to the home page' }).click()
  await expect(alice.page.getByRole('button', { name: 'Start a session' })).toBeVisible()
})

test('a name of 500 characters is cut kindly and breaks nothing', async ({ relay, alice }) => {
  await alice.starts(relay.url)
  await alice.page.getByLabel('Your name').fill('n'.repeat(500))
  await alice.sees(/We kept the first 80 characters/)
  await alice.votes('5')
  await expect(alice.page.getByRole('list', { name: 'People at the table' })).toContainText('n'.repeat(80))
  expect(await alice.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
})

test('a title with markup is text', async ({ relay, alice, bob }) => {
  const title = '<img src=x onerror="document.title=1"><b>bold</b> {{7*7}}'
  await alice.starts(relay.url)
  await alice.tellsName()
  await alice.addsStory(title)
  await alice.laysOut(title)
  await bob.joins(await alice.invitation(), '5')
  await expect(bob.page.getByRole('textbox', { name: 'Title of the story' })).toHaveValue(title)
  expect(await bob.page.locator('img, b').count()).toBe(0)
})

test('the invitation leaves the address bar, and the device remembers it', async ({ relay, alice, bob }) => {
  await alice.starts(relay.url)
  await bob.joins(await alice.invitation(), '5')
  expect(bob.page.url()).not.toContain('#')
  await bob.page.reload()
  await expect(bob.card('5')).toHaveAttribute('aria-pressed', 'true')
})

test('a browser that cannot read the app says so', async ({ relay, newcomer }) => {
  const alice = await newcomer('alice', { serviceWorkers: 'block' })
  alice.expects(/Unexpected token/)
  await alice.page.route('**/assets/core-*.js', (route) =>
    route.fulfill({ contentType: 'text/javascript', body: 'syntax of a later year' }),
  )
  await alice.page.goto(relay.url)
  await alice.sees('This browser is too old for Facedown.')
})

// These break connections of their own choice, and no others.
const calmly = test.extend({ rough: false })

for (const file of [
  'boot.js',
  'assets/index-*.js',
  'assets/core-*.js',
  'assets/core-*.css',
  'assets/home-*.*',
]) {
  calmly(
    `a connection that breaks while ${file} is fetched leaves no empty and no plain page`,
    async ({ relay, newcomer }) => {
      const alice = await newcomer('alice', { serviceWorkers: 'block' })
      const broken = await breakTwice(alice, file)
      await alice.starts(relay.url)
      expect(broken.size).toBeGreaterThan(0)
      await expect.poll(() => styles(alice)).toContain('core')
      expect(await styles(alice)).toContain('home')
    },
  )
}

calmly('a panel whose connections break comes with its styles and its words', async ({ relay, newcomer }) => {
  const alice = await newcomer('alice', { serviceWorkers: 'block' })
  await alice.starts(relay.url)
  const broken = await breakTwice(alice, 'assets/*')
  const failed: string[] = []
  alice.page.on('requestfailed', (request) => failed.push(request.resourceType()))
  await alice.opensMenu('Help')
  await expect(alice.page.getByRole('dialog', { name: 'Keys' })).toBeVisible()
  expect(await styles(alice)).toEqual(expect.arrayContaining(['help', 'dialog']))
  expect(broken.size).toBeGreaterThan(3)
  // Other browsers than the one of these tests remember an import that failed until the page is left.
  expect(new Set(failed)).toEqual(new Set(['fetch', 'stylesheet']))
})

calmly(
  'whoever waits for a part that does not come is told, and gets it once there is a way',
  async ({ relay, newcomer }) => {
    const alice = await newcomer('alice', { serviceWorkers: 'block' })
    alice.expects(/net::ERR_CONNECTION_RESET/)
    await alice.page.route('**/assets/home-*.js', (route) => route.abort('connectionreset'))
    await alice.page.goto(relay.url)
    await alice.sees(/This part of the app is not on this device yet/)
    await alice.page.unroute('**/assets/home-*.js')
    await expect(alice.page.getByRole('button', { name: 'Start a session' })).toBeVisible()
  },
)

calmly(
  'a pasted list stays in sight until it can be read, and is added once',
  async ({ relay, newcomer }) => {
    const alice = await newcomer('alice', { serviceWorkers: 'block' })
    let goOn = () => {}
    const held = new Promise<void>((resolve) => {
      goOn = resolve
    })
    await alice.page.route('**/assets/pasted-list-*.js', async (route) => {
      await held
      await route.continue()
    })
    await alice.starts(relay.url)
    const field = alice.page.getByRole('textbox', { name: 'Add stories' })
    await field.fill('- Search\n- Filter')
    await field.press('Enter')
    await field.press('Enter')
    await expect(field).toHaveValue('- Search\n- Filter')
    goOn()
    await expect(field).toHaveValue('')
    const titles = alice.page.getByRole('textbox', { name: 'Title of the story' })
    await expect(titles).toHaveCount(2)
    await expect(titles.first()).toHaveValue('Search')
  },
)

/** Of these files of the app the first two requests for each find no way; returns those that were asked for. */
async function breakTwice(person: Person, files: string): Promise<ReadonlyMap<string, number>> {
  const asked = new Map<string, number>()
  person.expects(/net::ERR_CONNECTION_RESET/)
  await person.page.route(`**/${files}`, (route) => {
    const times = asked.get(route.request().url()) ?? 0
    asked.set(route.request().url(), times + 1)
    return times < 2 ? route.abort('connectionreset') : route.continue()
  })
  return asked
}

/** Which styles the page has, by the names of their files. */
function styles(person: Person): Promise<(string | undefined)[]> {
  return person.page.evaluate(() =>
    Array.from(document.styleSheets, ({ href }) => href?.match(/([^/]+)-[\w-]{8}\.css$/)?.[1]),
  )
}
