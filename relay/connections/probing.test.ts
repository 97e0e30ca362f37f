import { createPrivateKey, sign } from 'node:crypto'
import { rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import { base32, parseSessionId, type SessionId } from '../../shared/id.ts'
import { createSessionKeys, helloStatement, roleSeed } from '../../shared/keys.ts'
import { decodeFromRelay, encodeFromClient, type FromRelay, protocolVersion } from '../../shared/wire.ts'
import { LocalBus } from '../bus/local-bus.ts'
import { Rooms } from '../rooms/rooms.ts'
import { checksumOf } from '../store/hash.ts'
import { openSqliteStore } from '../store/sqlite-store.ts'
import { archiveOf, entryKinds, type Store } from '../store/store.ts'
import { random, someEnvelope, temporaryFolder } from '../testing.ts'
import { closeCodes } from './close-words.ts'
import { Connection, type Outlet, type Surroundings } from './connection.ts'
import { limitsOf } from './limits.ts'

const probes = Number(process.env.PROBES ?? 6000)
/** So many sessions are made at a time, and then probed. */
const portion = 6000

test(`of ${probes} probed sessions nobody learns which exist, by the answer or by how long it takes`, {
  timeout: 60_000 + probes,
}, async () => {
  const dataDir = temporaryFolder()
  const options = { dataDir, region: 'local', sessionMaxBytes: 16 << 20, sessionIdleDays: 90 }
  const store = await openSqliteStore(options, () => {})
  const surroundings = around(new Rooms(new LocalBus(store), archiveOf(store)))
  const times = { existing: [] as number[], unknown: [] as number[] }
  for (let probed = 0; probed < probes; probed += portion) {
    const sessions = await someSessions(Math.min(portion, probes - probed), store)
    for (const { session, exists } of sessions) if (exists) surroundings.rooms.of(session) // somebody is there
    for (const { session, exists } of sessions) {
      const { answer, took } = probeFor(asAsked(session), surroundings)
      expect(answer).toBe(forbidden)
      times[exists ? 'existing' : 'unknown'].push(took)
    }
  }
  await store.close()
  rmSync(dataDir, { recursive: true })
  const share = shareOfLonger(times.existing, times.unknown)
  console.info(
    `an existing session takes longer than an unknown one in ${(share * 100).toFixed(2)} % of pairs`,
  )
  expect(Math.abs(share - 0.5)).toBeLessThan(0.5 / Math.sqrt(probes / 60))
})

/** Made alike and each probed once, so that only what the relay knows of a session can tell them apart. */
async function someSessions(count: number, store: Store) {
  const sessions = Array.from({ length: count }, () => ({
    session: someSession(),
    exists: Math.random() < 0.5,
  }))
  const appended = sessions.map(({ session, exists }) => {
    if (!exists) return undefined
    const envelope = someEnvelope()
    const checksum = checksumOf(envelope)
    return store.append(session, { sequence: 1, previous: 0, checksum, kind: entryKinds.change, envelope })
  })
  for (const became of await Promise.all(appended)) if (became) expect(became.outcome).toBe('saved')
  return sessions
}

const { code, words } = closeCodes.forbidden
const forbidden = JSON.stringify([{ type: 'refuse', code, words }, [code, words]])

const own = createSessionKeys()
const ownKey = createPrivateKey({
  key: {
    kty: 'OKP',
    crv: 'Ed25519',
    d: Buffer.from(roleSeed(own)).toString('base64url'),
    x: Buffer.from(own.publicKeys.subarray(0, 32)).toString('base64url'),
  },
  format: 'jwk',
})

/** With keys and a signature that are in order, but of another session. */
function probeFor(session: SessionId, surroundings: Surroundings): { answer: string; took: number } {
  const frames: FromRelay[] = []
  let closed: readonly [number, string] | undefined
  const outlet: Outlet = {
    bufferedAmount: 0,
    flush: () => Promise.resolve(),
    hold: () => {},
    send: (frame) => {
      const message = decodeFromRelay(frame)
      if (message) frames.push(message)
    },
    close: (code, words) => {
      closed = [code, words]
    },
  }
  const connection = new Connection(session, 'http://poker.example', outlet, surroundings)
  const challenge = frames.shift()
  if (challenge?.type !== 'challenge') throw new Error('A connection begins with a challenge')
  const hello = encodeFromClient({
    type: 'hello',
    version: protocolVersion,
    role: own.role,
    publicKeys: own.publicKeys,
    signature: sign(null, helloStatement(challenge.nonce, session, 'http://poker.example'), ownKey),
    generation: 0,
    cursor: new Map(),
  })
  const before = performance.now()
  connection.receive(hello)
  return { answer: JSON.stringify([...frames, closed]), took: performance.now() - before }
}

/** Of all pairs, one of each, how many have the longer first: one half when nothing can be told (Mann and Whitney). */
function shareOfLonger(some: readonly number[], others: readonly number[]): number {
  const all = [
    ...some.map((time) => ({ time, some: true })),
    ...others.map((time) => ({ time, some: false })),
  ]
  all.sort((one, other) => one.time - other.time)
  let ranks = 0
  all.forEach(({ some }, rank) => {
    if (some) ranks += rank + 1
  })
  return (ranks - (some.length * (some.length + 1)) / 2) / (some.length * others.length)
}

function around(rooms: Rooms): Surroundings {
  const limits = limitsOf({ maxConnections: 10, maxConnectionsPerAddress: 10, newConnectionsPerSecond: 10 })
  return { rooms, limits, now: () => performance.now(), random, refused: () => {}, caughtUp: () => {} }
}

/** As the address of a request has it: another string than the one the relay knows. */
function asAsked(known: SessionId): SessionId {
  const session = parseSessionId(Buffer.from(known).toString())
  if (!session) throw new Error('It is one')
  return session
}

function someSession(): SessionId {
  const session = parseSessionId(base32(random(16)))
  if (!session) throw new Error('It is one')
  return session
}
