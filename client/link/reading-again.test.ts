import { expect, onTestFinished, test, vi } from 'vitest'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import type { Cursor } from '../../shared/cursor.ts'
import { encrypt } from '../../shared/envelope.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { splitIntoParts } from '../../shared/parts.ts'
import { decodeFromClient, encodeFromRelay, type FromRelay } from '../../shared/wire.ts'
import { letters } from './letters.testing.ts'
import type { LogPlace } from './log-reader.ts'
import type { PlainSocket } from './plain-socket.ts'
import { RelayLink } from './relay-link.ts'

const keys = createSessionKeys()

function upTo(sequence: number): Cursor {
  return new Map(sequence > 0 ? [['eu', { sequence, mark: new Uint8Array(8) }]] : [])
}

/** A relay that answers each hello with what its log has after the cursor. */
class LogSocket implements PlainSocket {
  binaryType = ''
  readyState = 1
  onopen = null
  onmessage: PlainSocket['onmessage'] = null
  onclose: PlainSocket['onclose'] = null
  onerror = null
  readonly #log: readonly Uint8Array[]
  /** A snapshot of nothing, with which a first visit begins. */
  readonly #snapshot = encrypt(keys, 'snapshot', Uint8Array.of(0, 0))
  #answer = () => {}

  constructor(log: readonly Uint8Array[]) {
    this.#log = log
    queueMicrotask(() => this.#says({ type: 'challenge', nonce: new Uint8Array(32) }))
  }

  send(bytes: Uint8Array): void {
    const message = decodeFromClient(bytes)
    if (message?.type !== 'hello') return
    // Whoever looks behind a snapshot waits until they are told.
    this.#answer = () => this.tells(message.cursor)
    if (message.generation === 0) this.#answer()
  }

  answers(): void {
    this.#answer()
  }

  tells(cursor: Cursor): void {
    const after = cursor.get('eu')?.sequence ?? 0
    const envelope = this.#snapshot
    if (after === 0) this.#says({ type: 'snapshot', id: new Uint8Array(16), covers: upTo(0), envelope })
    this.#log.forEach((update, at) => {
      const [part = new Uint8Array()] = splitIntoParts(update)
      const envelope = encrypt(keys, 'change', part)
      if (at >= after) this.#says({ type: 'entry', cursor: upTo(at + 1), envelope })
    })
    this.#says({ type: 'caughtUp', cursor: upTo(this.#log.length), log: 'kept', resumed: after > 0 })
  }

  /** Somebody else's change, while this one is connected. */
  appends(update: Uint8Array, at: number): void {
    const [part = new Uint8Array()] = splitIntoParts(update)
    this.#says({ type: 'entry', cursor: upTo(at), envelope: encrypt(keys, 'change', part) })
  }

  /** Everything up to there is saved. */
  keepsAlive(at: number): void {
    this.#says({ type: 'keepalive', cursor: upTo(at), elsewhere: new Map() })
  }

  close(): void {
    this.readyState = 3
  }

  breaks(): void {
    this.onclose?.({ code: 1006, reason: '' })
  }

  #says(message: FromRelay): void {
    this.onmessage?.({ data: new Uint8Array(encodeFromRelay(message)).buffer })
  }
}

/** A visit with what the one before left on the disk. */
function visit(log: readonly Uint8Array[], { rows, place }: Disk) {
  const doc = new Y.Doc()
  for (const row of rows) Y.applyUpdate(doc, row)
  doc.on('update', (row: Uint8Array) => rows.push(row))
  const disk: Disk = { rows, place }
  const sockets: LogSocket[] = []
  const link = new RelayLink({
    keys,
    doc,
    origin: 'https://relay.example',
    place,
    connect: () => {
      const socket = new LogSocket(log)
      sockets.push(socket)
      return socket
    },
    remember: (reached) => {
      disk.place = reached
    },
    changed: () => {},
  })
  const provider = new WebsocketProvider('wss://relay.example/sync', keys.session, doc, {
    disableBc: true,
    WebSocketPolyfill: link.socketClass as unknown as typeof WebSocket,
  })
  const leave = () => {
    provider.destroy()
    doc.destroy()
  }
  onTestFinished(leave)
  return {
    doc,
    disk,
    link,
    sockets,
    leave,
    isThere: () => vi.waitFor(() => expect(provider.synced).toBe(true)),
  }
}

interface Disk {
  readonly rows: Uint8Array[]
  place: LogPlace | undefined
}

const empty = (): Disk => ({ rows: [], place: undefined })

test('what was let go is read again, though what it waited for comes while the log is read', async () => {
  const [first = new Uint8Array(), ...rest] = letters(300)
  const log = [...rest]
  const { doc, sockets, isThere } = visit(log, empty())
  await isThere()
  expect(doc.getText('title').length).toBe(0)
  log.push(first)
  sockets[0]?.breaks()
  await vi.waitFor(() => expect(doc.getText('title').length).toBe(300), { timeout: 10_000 })
})

test('no place is remembered before what was let go is read again', async () => {
  const [first = new Uint8Array(), second = new Uint8Array()] = letters(2)
  const log = [second, ...letters(1002)]
  const { doc, disk, sockets, isThere } = visit(log, empty())
  await isThere()
  expect(disk.place?.cursor).toEqual(upTo(1003))
  log.push(first)
  disk.place = undefined
  sockets[0]?.breaks()
  await vi.waitFor(() => expect(disk.place).toBeDefined(), { timeout: 10_000, interval: 1 })
  expect(doc.getText('title').length).toBe(1004)
})

test('what waits in the document for something that is not in the log yet is read again on the next visit', async () => {
  const [first = new Uint8Array(), second = new Uint8Array()] = letters(2)
  const log = [second]
  const monday = visit(log, empty())
  await monday.isThere()
  expect(monday.doc.getText('title').toString()).toBe('')
  monday.leave()
  log.push(first)
  const tuesday = visit(log, monday.disk)
  await tuesday.isThere()
  expect(tuesday.doc.getText('title').toString()).toBe('01')
  await vi.waitFor(() => expect(tuesday.disk.place?.cursor).toEqual(upTo(2)))
})

test('what an ended connection still read behind its snapshot takes nothing from what waits on the next one', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0) // whoever looks behind does so after three seconds
  onTestFinished(() => void vi.restoreAllMocks())
  const [first = new Uint8Array(), second = new Uint8Array()] = letters(2)
  const log: Uint8Array[] = []
  const { doc, sockets, isThere } = visit(log, empty())
  await isThere()
  await vi.waitFor(() => expect(sockets).toHaveLength(2), { timeout: 5_000 })
  const [monday, behind] = sockets
  monday?.breaks()
  await vi.waitFor(() => expect(sockets).toHaveLength(3))
  await isThere()
  sockets[2]?.appends(second, 1)
  log.push(first)
  behind?.answers()
  await new Promise((resolve) => setTimeout(resolve))
  expect(doc.getText('title').toString()).toBe('')
  sockets[2]?.appends(first, 2)
  expect(doc.getText('title').toString()).toBe('01')
})

test('what a store has lost that said it was saved counts as waiting until it is there again', async () => {
  const log = letters(3)
  const { doc, link, sockets, isThere } = visit(log, empty())
  await isThere()
  expect(link.waiting).toBe(0)
  const [second = new Uint8Array(), third = new Uint8Array()] = log.splice(1)
  link.readAgain()
  await vi.waitFor(() => expect(sockets).toHaveLength(2), { timeout: 5_000 })
  await isThere()
  expect(doc.getText('title').length).toBe(3)
  expect(link.waiting).toBeGreaterThan(0)
  sockets[1]?.appends(second, 2)
  expect(link.waiting).toBeGreaterThan(0)
  sockets[1]?.appends(third, 3)
  expect(link.waiting).toBeGreaterThan(0) // it is on its way, and the store may refuse it
  sockets[1]?.keepsAlive(3)
  expect(link.waiting).toBe(0)
})
