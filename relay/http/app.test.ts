import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newFolder } from '../fixtures.testing.ts'
import { temporaryFolder } from '../testing.ts'
import { createApp } from './app.ts'
import { compressFolder } from './compress.ts'
import { readClientFiles } from './files.ts'

const clientDir = temporaryFolder()
const config = {
  region: 'eu',
  regions: [{ name: 'eu', url: 'https://eu.example/' }],
  role: 'both',
  sessionIdleDays: 30,
} as const
let app: ReturnType<typeof createApp>
let storeWorks = true
const connections = { isDraining: false, isHandingOver: false }

beforeAll(() => {
  mkdirSync(join(clientDir, 'assets'))
  writeFileSync(join(clientDir, 'index.html'), '<!doctype html><title>Facedown</title>')
  writeFileSync(join(clientDir, 'session.html'), '<!doctype html><base href="../" />')
  writeFileSync(join(clientDir, 'service-worker.js'), 'self.oninstall = () => {}')
  writeFileSync(join(clientDir, 'assets', 'main-abc123.js'), 'export const cards = [];'.repeat(100))
  writeFileSync(join(clientDir, 'icon.png'), Buffer.from([0x89, 0x50]))
  const check = async () =>
    storeWorks ? ({ outcome: 'ready' } as const) : ({ outcome: 'refused', reason: 'full' } as const)
  app = createApp({ config, store: { check }, connections, files: readClientFiles(clientDir) })
})

afterAll(() => {
  rmSync(clientDir, { recursive: true })
})

test('every answer has the same strict headers', async () => {
  for (const path of ['/', '/s/abc', '/assets/main-abc123.js', '/healthz', '/config.json', '/nothing']) {
    const { headers } = await app.request(path, { headers: { Host: 'poker.example:8787' } })
    const strict = Object.fromEntries([...headers].filter(([name]) => !varying.includes(name)))
    expect(strict).toMatchInlineSnapshot(`
      {
        "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; manifest-src 'self'; worker-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'; connect-src 'self' ws://poker.example:8787 wss://poker.example:8787 wss://eu.example",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
      }
    `)
  }
})

test('a Host header that is none gets into no other header', async () => {
  const { headers } = await app.request('/', { headers: { Host: "x; script-src 'unsafe-inline'" } })
  expect(headers.get('Content-Security-Policy')).toMatch(/connect-src 'self' wss:\/\/eu\.example$/)
})

test('pages are asked for anew, hashed assets never again', async () => {
  const page = await app.request('/')
  expect(page.headers.get('Cache-Control')).toBe('no-cache')
  expect(page.headers.get('Content-Type')).toBe('text/html; charset=utf-8')
  expect((await app.request('/service-worker.js')).headers.get('Cache-Control')).toBe('no-cache')
  const asset = await app.request('/assets/main-abc123.js')
  expect(asset.headers.get('Cache-Control')).toBe('public, max-age=31536000, immutable')
  expect(asset.headers.get('Content-Type')).toBe('text/javascript; charset=utf-8')
})

test('a page that did not change is not sent again', async () => {
  const tag = (await app.request('/')).headers.get('ETag') ?? ''
  const again = await app.request('/', { headers: { 'If-None-Match': tag } })
  expect(again.status).toBe(304)
  expect(await again.text()).toBe('')
})

test.each([
  ['br, gzip', 'br'],
  ['gzip', 'gzip'],
  ['', null],
])('a browser that accepts "%s" gets %s', async (accepted, encoding) => {
  const answer = await app.request('/assets/main-abc123.js', { headers: { 'Accept-Encoding': accepted } })
  expect(answer.headers.get('Content-Encoding')).toBe(encoding)
  const length = Number(answer.headers.get('Content-Length'))
  expect((await answer.arrayBuffer()).byteLength).toBe(length)
  if (encoding) expect(length).toBeLessThan(200)
})

test('what the build compressed is handed out, unless the file was changed since', async () => {
  const folder = newFolder()
  for (const name of ['kept.js', 'changed.js'])
    writeFileSync(join(folder, name), `export const a = '${name}'`)
  await compressFolder(folder)
  for (const name of ['kept.js', 'changed.js']) writeFileSync(join(folder, `${name}.br`), 'by the build')
  utimesSync(join(folder, 'changed.js'), Date.now() / 1000 + 9, Date.now() / 1000 + 9)
  const files = readClientFiles(folder)
  expect([...files.keys()].sort()).toEqual(['/changed.js', '/kept.js'])
  const brotli = async (name: string) => Buffer.from((await files.get(name)?.bodies)?.br ?? [])
  expect((await brotli('/kept.js')).toString()).toBe('by the build')
  expect(brotliDecompressSync(await brotli('/changed.js')).toString()).toBe("export const a = 'changed.js'")
})

test('every session has the same page, and its id is not looked at', async () => {
  const answer = await app.request('/s/abcdefghijklmnopqrstuvwxyz')
  expect(answer.status).toBe(200)
  expect(await answer.text()).toContain('<base href="../" />')
})

test('an unknown path is a page for people and a word for programs', async () => {
  const page = await app.request('/nothing', { headers: { Accept: 'text/html,*/*' } })
  expect(page.status).toBe(404)
  expect(await page.text()).toContain('<title>Facedown</title>')
  const word = await app.request('/nothing.js')
  expect(word.status).toBe(404)
  expect(await word.text()).toBe('There is nothing here.\n')
})

test.each([
  '/../package.json',
  '/assets/../../package.json',
  '/%2e%2e/package.json',
  '/assets/%2e%2e%2f%2e%2e%2fpackage.json',
])('no path leads out of the folder: %s', async (path) => {
  const request = new Request('http://poker.example/')
  Object.defineProperty(request, 'url', { value: `http://poker.example${path}` })
  expect((await app.fetch(request)).status).toBe(404)
})

test('the region and the version are told', async () => {
  expect(await (await app.request('/config.json')).json()).toEqual({
    version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    region: 'eu',
    regions: [{ name: 'eu', url: 'https://eu.example/' }],
    idleDays: 30,
  })
})

test('the relay is ready while its store commits and it is not about to stop', async () => {
  const fresh = () =>
    createApp({
      config,
      store: {
        check: async () => (storeWorks ? { outcome: 'ready' } : { outcome: 'refused', reason: 'full' }),
      },
      connections,
      files: new Map(),
    }).request('/readyz')
  expect((await fresh()).status).toBe(200)
  storeWorks = false
  const unready = await fresh()
  expect([unready.status, await unready.text()]).toEqual([503, 'The store cannot keep changes.\n'])
  storeWorks = true
  connections.isDraining = true
  const draining = await fresh()
  expect([draining.status, await draining.text()]).toEqual([503, 'The relay is about to stop.\n'])
  connections.isHandingOver = true
  const leaving = await fresh()
  expect([leaving.status, await leaving.text()]).toEqual([404, 'Other relays take over.\n'])
  Object.assign(connections, { isDraining: false, isHandingOver: false })
  expect((await app.request('/healthz')).status).toBe(200)
})

const varying = ['cache-control', 'content-length', 'content-type', 'etag', 'vary']
