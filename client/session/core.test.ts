import 'fake-indexeddb/auto'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { addStories, readStories } from '../../shared/document.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { encodeFromRelay } from '../../shared/wire.ts'
import type { PlainSocket } from '../link/relay-link.ts'
import { SessionCore } from './core.ts'

const keys = createSessionKeys()

afterEach(() => {
  vi.restoreAllMocks()
})

/** A visit without a network; `sockets` are the attempts to reach a relay. */
async function visit() {
  const sockets: PlainSocket[] = []
  const core = new SessionCore({
    keys,
    seed: new Uint8Array(32).fill(1),
    rememberedName: 'alice',
    base: 'https://relay.example/',
    connect: () => {
      const socket: PlainSocket = {
        binaryType: '',
        readyState: 1,
        onopen: null,
        onmessage: null,
        onclose: null,
        onerror: null,
        send: () => {},
        close: () => {},
      }
      sockets.push(socket)
      return socket
    },
    rememberEstimates: () => {},
    remember: () => {},
    alone: true,
  })
  onTestFinished(() => core.close())
  await core.start()
  return { core, sockets }
}

test('what storage that was silent brings at last is not said to be at the relay', async () => {
  const { core: offline } = await visit()
  addStories(offline.doc, [{ title: 'made offline' }])
  await vi.waitFor(() => expect(offline.replica.state).toBe('saved'))
  await offline.close()

  const openDatabase = indexedDB.open.bind(indexedDB)
  let answers = false
  vi.spyOn(indexedDB, 'open').mockImplementation((name) =>
    answers ? openDatabase(name) : (new EventTarget() as unknown as IDBOpenDBRequest),
  )
  const { core } = await visit()
  expect(core.replica.state).toEqual({ trouble: 'silent' })
  answers = true
  await vi.waitFor(() => expect(readStories(core.doc)).toHaveLength(1), { timeout: 8_000 })
  expect(core.link?.waiting).toBe(1)
})
