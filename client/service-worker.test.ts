import { afterEach, beforeEach, expect, test, vi } from 'vitest'

/** Addresses of files, by the name of their cache; of the whole host. */
let kept: Map<string, Set<string>>

beforeEach(() => {
  kept = new Map()
  vi.stubGlobal('caches', {
    keys: async () => [...kept.keys()],
    delete: async (name: string) => kept.delete(name),
    open: async (name: string) => {
      const files = kept.get(name) ?? new Set()
      kept.set(name, files)
      return {
        add: async ({ url }: Request) => void files.add(url),
        delete: async (url: URL) => files.delete(url.href),
        keys: async () => [...files].map((url) => ({ url })),
      }
    },
  })
})

afterEach(() => {
  vi.unstubAllGlobals()
})

/** A version of the app becomes the one in use in its folder, while these pages are open. */
async function takesOver(scope: string, version: string, pages: readonly string[] = []): Promise<void> {
  const begun: Promise<unknown>[] = []
  const listeners: Record<string, (event: { waitUntil: (work: Promise<unknown>) => void }) => void> = {}
  vi.stubGlobal('self', {
    addEventListener: (name: string, listener: (typeof listeners)[string]) => {
      listeners[name] = listener
    },
    registration: { scope },
    clients: { matchAll: async () => pages.map((url) => ({ url })), claim: async () => {} },
  })
  vi.stubGlobal(
    'Request',
    class extends Request {
      constructor(file: string) {
        super(new URL(file, scope))
      }
    },
  )
  vi.stubGlobal('__FILES__', ['index.html', `assets/${version}.js`])
  vi.stubGlobal('__VERSION__', version)
  vi.resetModules()
  await import('./service-worker.ts')
  for (const name of ['install', 'activate']) {
    listeners[name]?.({ waitUntil: (work) => begun.push(work) })
    await Promise.all(begun)
  }
}

/** As a version kept its files that did not say whose they are. */
function keptBefore(version: string, ...scopes: readonly string[]): void {
  const files = scopes.flatMap((scope) => [`${scope}index.html`, `${scope}assets/${version}.js`])
  kept.set(`facedown-${version}`, new Set(files))
}

const files = () => [...kept.values()].flatMap((urls) => [...urls]).sort()
const [a, b, root] = ['https://host.example/a/', 'https://host.example/b/', 'https://host.example/']

test('a new version removes the files of the one before, and none of another folder’s installation', async () => {
  await takesOver(a, 'one')
  await takesOver(b, 'one')
  await takesOver(root, 'one')
  await takesOver(a, 'two')
  expect(files()).toEqual(
    [
      `${a}assets/two.js`,
      `${a}index.html`,
      `${b}assets/one.js`,
      `${b}index.html`,
      `${root}assets/one.js`,
      `${root}index.html`,
    ].sort(),
  )
})

test('while a second page of its own is open older files stay, whatever is open of other installations', async () => {
  await takesOver(a, 'one')
  await takesOver(a, 'two', [a, `${a}s/session`])
  expect(files()).toContain(`${a}assets/one.js`)
  await takesOver(a, 'three', [a, b, root])
  expect(files()).toEqual([`${a}assets/three.js`, `${a}index.html`])
})

test('files kept before caches had a place in their names go with the version that kept them', async () => {
  keptBefore('old', a)
  keptBefore('other', b)
  await takesOver(a, 'new')
  expect(files()).toEqual([`${a}assets/new.js`, `${a}index.html`, `${b}assets/other.js`, `${b}index.html`])
})

test('of a cache that two installations filled the last of them removes the files', async () => {
  keptBefore('old', a, b)
  await takesOver(a, 'new')
  expect(files()).toContain(`${b}assets/old.js`)
  await takesOver(b, 'new')
  expect(files()).toEqual([`${a}assets/new.js`, `${a}index.html`, `${b}assets/new.js`, `${b}index.html`])
})
