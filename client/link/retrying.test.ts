import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { createSessionKeys } from '../../shared/keys.ts'
import { encodeFromRelay, type FromRelay } from '../../shared/wire.ts'
import type { PlainSocket } from './plain-socket.ts'
import { RelayLink } from './relay-link.ts'

let now: number

beforeEach(() => {
  vi.useFakeTimers()
  now = 1_000_000
})

afterEach(() => vi.useRealTimers())

class FakeSocket implements PlainSocket {
  binaryType = ''
  readyState = 1
  isClosed = false
  onopen = null
  onmessage: PlainSocket['onmessage'] = null
  onclose: PlainSocket['onclose'] = null
  onerror = null

  send(): void {}

  close(): void {
    this.isClosed = true
  }

  hears(message: FromRelay): void {
    this.onmessage?.({ data: new Uint8Array(encodeFromRelay(message)).buffer })
  }
}

/** A link whose timers stand still, as those of a device that sleeps, and the connections it made. */
function begun() {
  const made: FakeSocket[] = []
  const link = new RelayLink({
    keys: createSessionKeys(),
    doc: new Y.Doc(),
    origin: 'https://relay.example',
    place: undefined,
    connect: () => {
      const socket = new FakeSocket()
      made.push(socket)
      return socket
    },
    remember: () => {},
    changed: () => {},
    now: () => now,
  })
  const connection = new link.socketClass('wss://relay.example/sync/abc')
  link.retryNow()
  return { link, made, connection }
}

const caughtUp: FromRelay = { type: 'caughtUp', cursor: new Map(), log: 'kept', resumed: false }

test('a connection that was silent for longer than relays are is given up when somebody looks again', () => {
  const { link, made, connection } = begun()
  made[0]?.hears(caughtUp)
  expect(link.state.state).toBe('connected')
  now += 24_000
  link.retryNow()
  expect(connection.readyState).toBe(connection.OPEN)
  now += 2_000
  link.retryNow()
  expect(made.map(({ isClosed }) => isClosed)).toEqual([true])
  expect(link.state.state).toBe('offline')
  expect(link.backoff.next()).toBe(0)
  connection.close()
})

test('a connection that says something after days of sleep is kept', () => {
  const { link, made, connection } = begun()
  made[0]?.hears(caughtUp)
  now += 2 * 86_400_000
  made[0]?.hears({ type: 'keepalive', cursor: new Map(), elsewhere: new Map() })
  link.retryNow()
  expect(made.map(({ isClosed }) => isClosed)).toEqual([false])
  connection.close()
})

test('an attempt that nobody answers is given up when somebody asks for another, but not at once', () => {
  const { link, made, connection } = begun()
  now += 1_900
  link.retryNow()
  expect(made.map(({ isClosed }) => isClosed)).toEqual([false])
  now += 200
  link.retryNow()
  expect(made.map(({ isClosed }) => isClosed)).toEqual([true])
  expect(connection.readyState).toBe(connection.CLOSED)
  expect(link.backoff.next()).toBe(0)
})

test('a connection that the provider takes for dead counts as lost at once, and whoever waits for a deletion hears it', async () => {
  const { link, made, connection } = begun()
  made[0]?.hears(caughtUp)
  const deleting = link.deleteFromRelay()
  connection.onclose = null // as the provider does before
  connection.close()
  expect(link.state.state).toBe('offline')
  expect(await deleting).toBe('offline')
})
