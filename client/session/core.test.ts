import 'fake-indexeddb/auto'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import type * as Y from 'yjs'
import { addRecord, addStories, readStories, recordsOf, writeName } from '../../shared/document.ts'
import { encrypt } from '../../shared/envelope.ts'
import { participantId, recordId } from '../../shared/id.ts'
import { createSessionKeys, publicKeyOf } from '../../shared/keys.ts'
import { encodeRecord, recordIdOf } from '../../shared/record.ts'
import { encodeFromRelay, type FromRelay } from '../../shared/wire.ts'
import { muteSocket } from '../link/mute-socket.testing.ts'
import type { PlainSocket } from '../link/plain-socket.ts'
import { encodePresence } from '../link/presence.ts'
import { SessionCore } from './core.ts'
import { digestOf } from './same.ts'

const keys = createSessionKeys()

afterEach(() => {
  vi.restoreAllMocks()
})

/** A visit without a network, of a browser without other tabs; `sockets` are the attempts to reach a relay. */
async function visit(alone = true, of = keys) {
  const sockets: PlainSocket[] = []
  const remember = vi.fn()
  const core = new SessionCore({
    keys: of,
    seed: new Uint8Array(32).fill(1),
    rememberedName: 'alice',
    base: 'https://relay.example/',
    connect: () => {
      const socket = muteSocket()
      sockets.push(socket)
      return socket
    },
    rememberEstimates: () => {},
    remember,
    alone,
  })
  onTestFinished(() => core.close())
  await core.start()
  return { core, sockets, remember }
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

test.each([
  ['erased', (records: Y.Map<unknown>, id: string) => records.delete(id)],
  ['wrote over', (records: Y.Map<unknown>, id: string) => records.set(id, Uint8Array.of(1))],
])('a record that somebody %s is put back by a device that has seen it', async (_, harm) => {
  const { core } = await visit()
  vi.spyOn(Math, 'random').mockReturnValue(0) // the first device to do so
  const bob = new Uint8Array(32).fill(2)
  const author = participantId(publicKeyOf(bob))
  const statement = encodeRecord(
    keys.session,
    { kind: 'withdraw', author, record: recordId(new Uint8Array(16)) },
    bob,
  )
  addRecord(core.doc, statement)
  const records = recordsOf(core.doc)
  harm(records, recordIdOf(statement))
  await vi.waitFor(() => expect(records.get(recordIdOf(statement))).toEqual(statement), { timeout: 4_000 })
})

test('the shorter of two things that go on beside each other does not end the quiet of the other', async () => {
  const { core } = await visit()
  let end = () => {}
  const long = core.quietly(
    () =>
      new Promise<void>((resolve) => {
        end = resolve
      }),
  )
  await core.quietly(async () => {})
  expect(core.isQuiet).toBe(true)
  end()
  await long
  expect(core.isQuiet).toBe(false)
})

test('what ends after a session was left remembers nothing of it: it may be off the device by then', async () => {
  const { core, remember } = await visit()
  let end = () => {}
  const checking = core.quietly(
    () =>
      new Promise<void>((resolve) => {
        end = resolve
      }),
  )
  writeName(core.doc, 'Team')
  await core.close()
  remember.mockClear()
  end()
  await checking
  await Promise.resolve()
  expect(remember).not.toHaveBeenCalled()
})

test('who is here stays known to all tabs when one of them loses its connection, however long it was open before', async () => {
  const bob = participantId(publicKeyOf(new Uint8Array(32).fill(2)))
  const [long, short] = [await visit(false), await visit(false)]
  const hear = ({ sockets }: typeof long, ...messages: FromRelay[]) => {
    for (const message of messages) sockets[0]?.onmessage?.({ data: encodeFromRelay(message).slice().buffer })
  }
  const envelope = encrypt(keys, 'signal', encodePresence({ participant: bob }))
  const keepalive = { type: 'keepalive', cursor: new Map(), elsewhere: new Map() } as const
  for (const tab of [long, short]) {
    await vi.waitFor(() => expect(tab.sockets).toHaveLength(1))
    hear(tab, { type: 'caughtUp', cursor: new Map(), log: 'kept', resumed: true })
    hear(tab, { type: 'signal', from: 7, envelope })
  }
  hear(long, ...Array.from({ length: 50 }, () => keepalive))
  long.sockets[0]?.onclose?.({ code: 1006, reason: '' })
  expect(long.core.here).not.toContain(bob)
  await vi.waitFor(() => expect(long.core.here).toContain(bob)) // the other one has answered
  expect(short.core.here).toContain(bob)
})

test('that all have the same is said once all who are here have said what they have', async () => {
  const fresh = createSessionKeys()
  const { core, sockets } = await visit(true, fresh)
  await vi.waitFor(() => expect(sockets).toHaveLength(1))
  const hear = (message: FromRelay) =>
    sockets[0]?.onmessage?.({ data: encodeFromRelay(message).slice().buffer })
  const tells = (from: number) => {
    const presence = encodePresence({ participant: undefined, digest: digestOf(core.doc) })
    hear({ type: 'signal', from, envelope: encrypt(fresh, 'signal', presence) })
  }
  hear({ type: 'caughtUp', cursor: new Map(), log: 'kept', resumed: true })
  tells(7)
  await vi.waitFor(() => expect(core.same).toBe(true), 10_000)
  hear({ type: 'joined', connection: 8 })
  expect(core.same).toBeUndefined()
  tells(8)
  expect(core.same).toBe(true)
})

test('that all have the same is said again after a visit by oneself, though the others were here all the time', async () => {
  const fresh = createSessionKeys()
  const { core, sockets } = await visit(true, fresh)
  const connect = async (attempt: number) => {
    await vi.waitFor(() => expect(sockets).toHaveLength(attempt))
    const hear = (message: FromRelay) =>
      sockets.at(-1)?.onmessage?.({ data: encodeFromRelay(message).slice().buffer })
    hear({ type: 'caughtUp', cursor: new Map(), log: 'kept', resumed: true })
    const presence = encodePresence({ participant: undefined, digest: digestOf(core.doc) })
    hear({ type: 'signal', from: 7, envelope: encrypt(fresh, 'signal', presence) })
    return hear
  }
  await connect(1)
  await vi.waitFor(() => expect(core.same).toBe(true), 10_000)
  sockets[0]?.onclose?.({ code: 1006, reason: '' })
  expect(core.same).toBeUndefined()
  writeName(core.doc, 'named while offline')
  core.link?.retryNow()
  const hear = await connect(2)
  hear({ type: 'saved', ref: 1, cursor: new Map(), compact: undefined })
  await vi.waitFor(() => expect(core.same).toBe(true), 10_000)
})
