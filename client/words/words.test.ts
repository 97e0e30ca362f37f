// @vitest-environment happy-dom
import { beforeEach, expect, test, vi } from 'vitest'

/** Two languages, one of which is written from right to left and whose panels arrive when the test says so. */
let arrive: () => void

beforeEach(() => {
  vi.resetModules()
  const arrived = new Promise<void>((resolve) => (arrive = resolve))
  vi.doMock('../locales/catalogs.ts', async (original) => {
    const { englishTable, available, loadCatalog } = await original<typeof import('../locales/catalogs.ts')>()
    const arabic = {
      'home.title': ['وجهها إلى الأسفل'],
      'home.removed': ['إزالة ', ['name']],
      'table.voted': [['count', 'number'], ' / ', ['of', 'number']],
    }
    return {
      englishTable,
      available: [...available, { code: 'ar', name: 'العربية', direction: 'rtl' }],
      async loadCatalog(code: 'en' | 'ar', part: 'table' | 'panels') {
        if (code === 'ar') return part === 'table' ? arabic : { 'invite.copy': ['نسخ'] }
        if (part === 'panels') await arrived
        return loadCatalog(code, part)
      },
    }
  })
})

async function words() {
  return { ...(await import('./formats.ts')), ...(await import('./words.svelte.ts')) }
}

test('a sentence counts as its language does', async () => {
  const { t } = await words()
  expect([0, 1, 5].map((count) => t('backlog.addButton', { count }))).toEqual(['Add', 'Add', 'Add 5 stories'])
  expect(t('reveal.confirm', { names: 'alice', count: 1 })).toBe('alice has not voted yet.')
  expect(t('table.voted', { count: 1234, of: 2000 })).toBe('1,234 of 2,000 have voted')
})

test('what people wrote is said as they wrote it', async () => {
  const { t } = await words()
  const name = String.raw`\u0041 {title} # <b>'`
  expect(t('home.removed', { name })).toBe(`${name} is no longer on this device.`)
})

test('a name written the other way does not reorder the sentence around it', async () => {
  const { t, list, percent, useLanguage } = await words()
  expect(list(['alice', 'ليلى'])).toBe('alice and \u2068ليلى\u2069')
  expect(t('reveal.confirm', { names: list(['ليلى']), count: 1 })).toBe('\u2068ليلى\u2069 has not voted yet.')
  expect(t('home.removed', { name: 'ليلى' })).toBe('\u2068ليلى\u2069 is no longer on this device.')
  await useLanguage('ar')
  expect(t('home.removed', { name: 'ليلى' })).toBe('إزالة ليلى')
  expect(t('home.removed', { name: 'alice' })).toBe('إزالة \u2068alice\u2069')
  expect(t('home.removed', { name: '1½' })).toBe('إزالة \u20681½\u2069')
  expect(t('home.removed', { name: '8' })).toBe('إزالة 8')
  expect(t('home.removed', { name: percent(0.25) })).toBe(`إزالة \u2068${percent(0.25)}\u2069`)
})

test('what turns letters around in a name turns none around it', async () => {
  const { t, list, useLanguage } = await words()
  const names = [
    '\u202eecila',
    '\u2069\u202ebob',
    '\u2067carol',
    '\u2068\u2069\u202edave\u2069',
    '\u2068erin\u2069',
  ]
  expect(list(names)).toBe('ecila, bob, carol, \u2068\u2069dave, and \u2068erin\u2069')
  for (const name of names) expect(t('home.removed', { name })).not.toMatch(/[\u202a-\u202e\u2066\u2067]/)
  expect(t('home.removed', { name: '\u2068ليلى' })).toBe('\u2068ليلى\u2069 is no longer on this device.')
  expect(t('home.removed', { name: '\u2068ليلى\u2069 ليلى' })).toMatch(/^\u2068.*\u2069 is no longer/)
  expect(t('home.removed', { name: 'bob\u200f' })).toBe('\u2068bob\u200f\u2069 is no longer on this device.')
  await useLanguage('ar')
  expect(t('home.removed', { name: '\u202d12\u202c' })).toBe('إزالة 12')
})

test('with another language everything on the page is said anew', async () => {
  const { number, useLanguage } = await words()
  const { flushSync, mount, unmount } = await import('svelte')
  const { default: Count } = await import('../ui/count.svelte')
  const count = mount(Count, { target: document.body, props: { voted: 1, seats: 2000 } })
  expect(document.body.textContent).toBe('1 of 2,000 have voted')
  await useLanguage('ar')
  flushSync()
  expect(document.body.textContent).toBe('1 / 2,000')
  expect(number(1.25)).toBe('1.3')
  expect(document.documentElement.lang).toBe('ar')
  expect(document.documentElement.dir).toBe('rtl')
  await unmount(count)
})

test('numbers, lists and times are as in the region of whoever reads', async () => {
  const { dayTime, list, time, useLanguage } = await words()
  const morning = new Date(2026, 10, 21, 8, 5).getTime()
  const languages = vi.spyOn(navigator, 'languages', 'get')
  languages.mockReturnValue(['en-GB', 'en'])
  await useLanguage('en')
  expect([time(morning), list(['a', 'b', 'c'])]).toEqual(['08:05', 'a, b and c'])
  expect(dayTime(morning)).toMatch(/^21 Nov 2026\b.*08:05$/)
  languages.mockReturnValue(['de-AT', 'en-US'])
  await useLanguage('en')
  expect(time(morning)).toMatch(/^8:05\sAM$/)
  languages.mockRestore()
})

test('names stand where readers look for them', async () => {
  const { byName } = await words()
  expect(byName(['Zoë', 'bob 10', 'Özlem', 'Bob 2', 'alice'])).toEqual([
    'alice',
    'Bob 2',
    'bob 10',
    'Özlem',
    'Zoë',
  ])
})

test('the language chosen last is the one in use', async () => {
  const { language, useLanguage } = await words()
  await Promise.all([useLanguage('ar'), useLanguage('en')])
  expect(language().code).toBe('en')
})

test('asking for a sentence of the panels fetches them', async () => {
  const { panelWords, useLanguage } = await words()
  const { flushSync, mount, unmount } = await import('svelte')
  const { default: CopyField } = await import('../panels/copy-field.svelte')
  const field = mount(CopyField, {
    target: document.body,
    props: { label: 'Link', text: 'https://poker.example' },
  })
  const button = document.querySelector('button')
  expect(button?.textContent?.trim()).toBe('')
  arrive()
  await panelWords()
  flushSync()
  expect(button?.textContent?.trim()).toBe('Copy')
  await useLanguage('ar')
  flushSync()
  expect(button?.textContent?.trim()).toBe('نسخ')
  await unmount(field)
})
