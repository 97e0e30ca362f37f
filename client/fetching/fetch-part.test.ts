// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { fetchPart } from './fetch-part.ts'

const importer = 'https://facedown.example/assets/core.js'
const asked: string[] = []
/** How often each file is cut before it comes. */
let cuts: Record<string, number> = {}

beforeEach(() => {
  vi.useFakeTimers()
  asked.length = 0
  cuts = {}
  vi.stubGlobal('fetch', async (url: string) => {
    asked.push(url)
    const left = cuts[url] ?? 0
    cuts[url] = left - 1
    if (left > 0) throw new TypeError('Failed to fetch')
    return new Response('export {}')
  })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test('a script that was cut is fetched again before it is imported, since a failed import may be remembered', async () => {
  const file = 'https://facedown.example/assets/cut.js'
  cuts[file] = 2
  const load = vi.fn(async () => 'the part')
  const part = fetchPart(load, ['cut.js', 'whole.js'], importer)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(load).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await part).toBe('the part')
  expect(load).toHaveBeenCalledTimes(1)
  expect(asked.filter((url) => url === file)).toHaveLength(3)
  expect(asked.filter((url) => url.endsWith('/whole.js'))).toHaveLength(1)
})

test('an import that fails all the same is tried again', async () => {
  const load = vi.fn(async () => 'the part').mockRejectedValueOnce(new TypeError('cut'))
  const part = fetchPart(load)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await part).toBe('the part')
})

test('without a network one is told within five seconds, and a later try begins anew', async () => {
  const file = 'https://facedown.example/assets/far.js'
  cuts[file] = 4
  const load = async () => 'the part'
  const told = expect(fetchPart(load, ['far.js'], importer)).rejects.toThrow('Failed to fetch')
  await vi.advanceTimersByTimeAsync(5_000)
  await told
  expect(await fetchPart(load, ['far.js'], importer)).toBe('the part')
})
