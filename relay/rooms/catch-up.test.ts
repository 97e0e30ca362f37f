import { expect, onTestFinished, test } from 'vitest'
import { createSessionKeys, helloStatement, roleSeed, type SessionKeys, sign } from '../../shared/keys.ts'
import { decodeFromRelay, encodeFromClient, type FromRelay, protocolVersion } from '../../shared/wire.ts'
import { LocalBus } from '../bus/local-bus.ts'
import { Connection } from '../connections/connection.ts'
import { limitsOf } from '../connections/limits.ts'
import { newFolder } from '../fixtures.testing.ts'
import { checksumOf, markOf } from '../store/hash.ts'
import { openSqliteStore } from '../store/sqlite-store.ts'
import { archiveOf, entryKinds, type Page } from '../store/store.ts'
import { random, someEnvelope } from '../testing.ts'
import { catchUp } from './catch-up.ts'
import { Rooms } from './rooms.ts'

test('what was signalled while the log was read is heard, and that whoever signalled it has left meanwhile', async () => {
  const reading: (() => void)[] = []
  const rooms = await roomsWithALogThatWaits(() => new Promise((resolve) => reading.push(resolve)))
  const keys = createSessionKeys()
  const alice = join(rooms, keys)
  reading.shift()?.()
  await expect.poll(() => alice.connection.phase).toBe('live')

  const bob = join(rooms, keys, 1) // another question than hers, which has its answer
  await expect.poll(() => reading.length).toBe(1)
  const envelope = someEnvelope()
  alice.connection.receive(encodeFromClient({ type: 'signal', to: 0, envelope }))
  alice.connection.gone()
  reading.shift()?.()
  await expect.poll(() => bob.connection.phase).toBe('live')
  const from = alice.connection.id
  expect(bob.frames).toMatchObject([
    { type: 'signal', from },
    { type: 'left', connection: from },
    { type: 'caughtUp' },
  ])
  bob.connection.gone()
})

test('of a long log a little is sent at a time, and nothing to somebody who has gone', async () => {
  const entries = Array.from({ length: 300 }, (_, at) => {
    const envelope = someEnvelope()
    const position = { sequence: at + 1, mark: markOf(checksumOf(envelope)) }
    return { position, envelope, kind: entryKinds.change }
  })
  const upTo = entries.at(-1)?.position
  const page: Page = { outcome: 'page', resumed: true, snapshot: undefined, entries, upTo, more: false }
  const log = {
    since: async () => ({ outcome: 'pages', resumed: true, of: new Map([['local', page]]) }) as const,
  }
  let sent = 0
  let turns = 0
  const reader = {
    get isListening() {
      return turns < 3
    },
    send: () => void sent++,
    flush: async () => {
      turns++
      expect(sent).toBe(turns * 64)
    },
  }
  await catchUp(log, new Map(), 0, reader)
  expect(sent).toBe(3 * 64)
})

async function roomsWithALogThatWaits(until: () => Promise<void>): Promise<Rooms> {
  const options = { dataDir: newFolder(), region: 'local', sessionMaxBytes: 16 << 20, sessionIdleDays: 90 }
  const store = await openSqliteStore(options, () => {})
  onTestFinished(() => store.close())
  const archive = archiveOf(store)
  const since: typeof archive.since = async (...question) => {
    await until()
    return archive.since(...question)
  }
  return new Rooms(new LocalBus(store), { ...archive, since })
}

/** `frames` has what came after the challenge. */
function join(
  rooms: Rooms,
  keys: SessionKeys,
  generation = 0,
): { connection: Connection; frames: FromRelay[] } {
  const limits = limitsOf({ maxConnections: 10, maxConnectionsPerAddress: 10, newConnectionsPerSecond: 10 })
  const surroundings = { rooms, limits, now: () => 0, random, refused: () => {}, caughtUp: () => {} }
  const frames: FromRelay[] = []
  const outlet = {
    bufferedAmount: 0,
    flush: () => Promise.resolve(),
    hold: () => {},
    close: () => {},
    send: (frame: Uint8Array) => {
      const message = decodeFromRelay(frame)
      if (message) frames.push(message)
    },
  }
  const origin = 'http://poker.example'
  const connection = new Connection(keys.session, origin, outlet, surroundings)
  const challenge = frames.shift()
  if (challenge?.type !== 'challenge') throw new Error('A connection begins with a challenge')
  const { role, publicKeys } = keys
  const signature = sign(helloStatement(challenge.nonce, keys.session, origin), roleSeed(keys))
  const hello = { version: protocolVersion, role, publicKeys, signature, generation, cursor: new Map() }
  connection.receive(encodeFromClient({ type: 'hello', ...hello }))
  return { connection, frames }
}
