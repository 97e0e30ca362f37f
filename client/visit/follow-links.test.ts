// @vitest-environment happy-dom
import { expect, onTestFinished, test, vi } from 'vitest'
import { followLinks } from './follow-links.ts'

const base = new URL('/poker/', location.href).href
const session = 's/aaaaaaaaaaaaaaaaaaaaaaaaaa'

test.each([
  ['a session', { href: session }, {}, true],
  ['home', { href: '' }, {}, true],
  ['a picture within the link', { href: session, html: '<b>here</b>' }, {}, true],
  ['another page of the relay', { href: 'status/' }, {}, false],
  ['another app of this host', { href: '/elsewhere' }, {}, false],
  ['another host', { href: 'https://example.org/poker/' }, {}, false],
  ['a new tab', { href: session, target: '_blank' }, {}, false],
  ['a new tab, by key', { href: session }, { ctrlKey: true }, false],
  ['a new tab, by the middle button', { href: session }, { button: 1 }, false],
])('a link to %s', async (_, { href, target = '', html = 'here' }: Link, how, isFollowed) => {
  const { follow, listened } = listening()
  const link = document.createElement('a')
  Object.assign(link, { href: new URL(href, base).href, target, innerHTML: html })
  document.body.append(link)
  const event = new MouseEvent('click', { bubbles: true, cancelable: true, ...how })
  ;(link.firstElementChild ?? link).dispatchEvent(event)
  await Promise.resolve()
  expect(follow.mock.calls).toEqual(isFollowed ? [[link.href]] : [])
  expect(listened.map(({ defaultPrevented }) => defaultPrevented)).toEqual([isFollowed])
  expect(location.href === link.href).toBe(isFollowed)
})

test('a link from where something would be lost is left to the browser, which asks', async () => {
  const { follow, listened } = listening(undefined, () => false)
  const link = Object.assign(document.createElement('a'), { href: base })
  document.body.append(link)
  link.click()
  await Promise.resolve()
  expect(follow).not.toHaveBeenCalled()
  expect(listened).toEqual([{ defaultPrevented: false }])
})

test('a link home, when the relay has that part no more, is left to the browser', async () => {
  const { follow } = listening(() => Promise.reject(new Error('404')))
  const leave = vi.spyOn(location, 'assign').mockImplementation(() => {})
  onTestFinished(() => leave.mockRestore())
  const link = Object.assign(document.createElement('a'), { href: base })
  document.body.append(link)
  link.click()
  await vi.waitFor(() => expect(leave.mock.calls).toEqual([[base]]))
  expect(follow).not.toHaveBeenCalled()
})

interface Link {
  readonly href: string
  readonly target?: string
  readonly html?: string
}

/** Whatever is not followed would leave this page. */
function listening(loadHome = async () => {}, mayGo = () => true) {
  const before = location.href
  const listened: { defaultPrevented: boolean }[] = []
  const follow = vi.fn(async () => {})
  const add = vi.spyOn(document, 'addEventListener')
  followLinks(base, follow, loadHome, mayGo)
  const [type, listener] = add.mock.lastCall ?? []
  add.mockRestore()
  const stay = (event: Event) => {
    listened.push({ defaultPrevented: event.defaultPrevented })
    event.preventDefault()
  }
  addEventListener('click', stay)
  onTestFinished(() => {
    if (type && listener) document.removeEventListener(type, listener)
    removeEventListener('click', stay)
    history.replaceState(null, '', before)
    document.body.replaceChildren()
  })
  return { follow, listened }
}
