import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { read, remove, write } from '../device/device-storage.ts'
import { noteRegions } from './regions.ts'
import { otherWay, SlowWay } from './slow-way.ts'
import { Ways } from './ways.ts'

const east = 'https://east.example/'
const west = 'https://west.example/poker/'
const far = 'https://far.example/'

/** Milliseconds until each region answers; a region that is not here does not. */
let answers: Record<string, number>
let listed: unknown
let opened: string[]

class FakeSocket extends EventTarget {
  onmessage: (() => void) | undefined
  onclose: (() => void) | undefined

  constructor(url: string) {
    super()
    // As on an encrypted page.
    if (url.startsWith('ws:')) throw new DOMException('An insecure WebSocket', 'SecurityError')
    opened.push(url)
    const [, delay] =
      Object.entries(answers).find(([region]) => url.startsWith(region.replace(/^http/, 'ws'))) ?? []
    const name = delay === undefined ? 'close' : 'message'
    setTimeout(() => {
      this[`on${name}`]?.()
      this.dispatchEvent(new Event(name))
    }, delay ?? 5)
  }

  close(): void {}
}

beforeEach(() => {
  vi.useFakeTimers()
  opened = []
  answers = { [east]: 80, [west]: 20 }
  listed = [
    { name: 'east', url: east },
    { name: 'west', url: west },
    { name: 'far', url: far },
  ]
  vi.stubGlobal('WebSocket', FakeSocket)
  vi.stubGlobal('fetch', async () => Response.json({ regions: listed }))
  vi.stubGlobal('document', { baseURI: east })
  vi.stubGlobal('navigator', { onLine: true })
  for (const name of [
    'region /',
    'regions /',
    'region /poker/',
    'regions /poker/',
    'websockets-blocked-until /',
  ])
    remove(name)
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test('the region that answers much sooner than the page’s own is used next time', async () => {
  await noted()
  expect(await connected()).toBe('wss://west.example/poker/sync/abc')
})

test('the page’s own region is used when another is hardly nearer', async () => {
  answers = { [east]: 40, [west]: 20 }
  await noted()
  expect(await connected()).toBe('wss://east.example/sync/abc')
})

test('a single region needs no choice, and what was chosen before is forgotten', async () => {
  await noted()
  listed = [{ name: 'east', url: east }]
  await noted()
  expect(await connected()).toBe('wss://east.example/sync/abc')
})

test('when the region dies the next nearest is tried, then the others, then requests to the own one', async () => {
  answers = { [east]: 20, [west]: 60 }
  await noted()
  answers = {}
  const ways = new Ways({
    openSocket: (url) => new WebSocket(url),
    loadSlowWay: async (mayMove) => otherWay(mayMove),
  })
  opened = []
  const used: string[] = []
  for (let attempt = 0; attempt < 7; attempt++) {
    const socket = ways.connect('wss://east.example/sync/abc', 'facedown.v1')
    used.push(socket instanceof SlowWay ? 'requests' : (opened.at(-1) ?? ''))
    await vi.advanceTimersByTimeAsync(100)
  }
  expect(used).toEqual([
    'wss://east.example/sync/abc',
    'wss://east.example/sync/abc',
    'wss://west.example/poker/sync/abc',
    'wss://west.example/poker/sync/abc',
    'wss://far.example/sync/abc',
    'wss://far.example/sync/abc',
    'requests',
  ])
})

test.each(['{not json', '{}', '[7]'])(
  'what somebody else wrote into the storage is no list of regions: %s',
  async (text) => {
    write('regions /', text)
    expect(otherWay(true)).toBe(SlowWay)
  },
)

test('a region that an encrypted page may not connect to is left out, and the console says why', async () => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue()
  listed = [
    { name: 'east', url: east },
    { name: 'plain', url: 'http://plain.example/' },
    { name: 'west', url: west },
  ]
  await noted()
  expect(warn.mock.calls.flat()).toEqual([
    expect.stringMatching(/^The region plain is left out: .*http:\/\/plain\.example\/.*insecure/),
  ])
  expect(await connected()).toBe('wss://west.example/poker/sync/abc')
  expect(read('regions /')).not.toContain('plain')
})

test.each([
  ['no address', 'nonsense'],
  ['an address of something else', 'ftp://files.example/'],
  ['nothing', undefined],
])('a region with %s is left out, and the others are used', async (_, url) => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue()
  listed = [{ name: 'east', url: east }, { name: 'odd', url }, null, { name: 'west', url: west }]
  await noted()
  expect(warn.mock.calls).toHaveLength(2)
  expect(warn.mock.calls[0]?.[0]).toContain('The region odd is left out')
  expect(await connected()).toBe('wss://west.example/poker/sync/abc')
})

test('an address without its last slash is that of the folder', async () => {
  listed = [
    { name: 'east', url: east },
    { name: 'west', url: 'https://west.example/poker' },
  ]
  await noted()
  expect(await connected()).toBe('wss://west.example/poker/sync/abc')
})

test('a list that is none leaves the page with its own region', async () => {
  listed = 'east'
  await noted()
  expect(await connected()).toBe('wss://east.example/sync/abc')
})

test('a region that was remembered and must not be connected to any more is forgotten', async () => {
  write('region /', 'http://plain.example/')
  expect(await connected()).toBe('wss://east.example/sync/abc')
  expect(read('region /')).toBeUndefined()
})

test('installations in two folders of a host remember a region each, and forget what they had in common', async () => {
  write('region', far)
  await noted()
  expect(read('region')).toBeUndefined()
  expect(await connected()).toBe('wss://west.example/poker/sync/abc')
  vi.stubGlobal('document', { baseURI: `${east}poker/` })
  expect(await connected()).toBe('wss://east.example/sync/abc')
})

async function noted(): Promise<void> {
  const noting = noteRegions(east)
  await vi.advanceTimersByTimeAsync(6_000)
  await noting
}

async function connected(): Promise<string | undefined> {
  opened = []
  new Ways().connect('wss://east.example/sync/abc', 'facedown.v1')
  return opened[0]
}
