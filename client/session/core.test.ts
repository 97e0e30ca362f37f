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

test('what is shown stays as it was while a session is left: its connection is not lost', async () => {
  const { core, sockets } = await visit()
  await vi.waitFor(() => expect(sockets).toHaveLength(1))
  const caughtUp = encodeFromRelay({ type: 'caughtUp', cursor: new Map(), log: 'kept', resumed: false })
  sockets[0]?.onmessage?.({ data: new Uint8Array(caughtUp).buffer })
  const shown = () => core.derived('state', () => core.link?.state.state)
  expect(shown()).toBe('connected')
  await core.close()
  expect(shown()).toBe('connected')
})
