import Sqlite from 'better-sqlite3'
import { expect, test } from 'vitest'
import { decodeReleased } from '../../shared/escrow.ts'
import type { SessionId } from '../../shared/id.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { SetupError } from '../settings/setup-error.ts'
import { hex, someDeposit } from '../testing.ts'
import { prepare } from './database.ts'
import { DirectStore } from './direct-store.testing.ts'
import type { Notice } from './store-protocol.ts'

const runs = Number(process.env.RUNS ?? 100)
const rounds = 20
const asker = new Uint8Array(176).fill(1)
/** The keys of each round, by the names of their seals. */
type Keys = ReadonlyMap<number, ReadonlyMap<string, string>>

test('after damage anywhere no key is released altered or under another name, and most of what is missing is reported', async () => {
  const { whole, deposited } = await someDeposits()
  const done = { unreadable: 0, complete: 0, reported: 0, silent: 0 }
  for (let run = 0; run < runs; run++) {
    const seed = Number(process.env.SEED ?? run + 1)
    const notices: Notice[] = []
    const store = open(damaged(whole, seed), (notice) => notices.push(notice))
    if (!store) {
      done.unreadable++
      continue
    }
    let missing = 0
    for (const [session, all] of deposited) {
      for (const [round, keys] of all) {
        const release = await store.release(session, new Uint8Array(16).fill(round), asker)
        const released = release.outcome === 'released' ? decodeReleased(release.body)?.keys : []
        for (const { seal, key } of released ?? [])
          expect(hex(key), `SEED=${seed}: a wrong key`).toBe(keys.get(hex(seal)))
        missing += keys.size - (released?.length ?? 0)
      }
    }
    await store.close()
    if (missing === 0) done.complete++
    else if (notices.length > 0) done.reported++
    else done.silent++
  }
  console.info(done)
  if (process.env.SEED) return
  expect(done.complete).toBeGreaterThan(0)
  // A key under the name of another round is not looked for.
  expect(done.reported).toBeGreaterThan(done.silent * 3)
})

async function someDeposits() {
  const database = new Sqlite(':memory:')
  const store = around(database)
  const deposited = new Map<SessionId, Keys>()
  for (let number = 0; number < 3; number++) {
    const { session } = createSessionKeys()
    const all = new Map<number, ReadonlyMap<string, string>>()
    for (let round = 1; round <= rounds; round++) {
      const deposits = Array.from({ length: 10 }, () => someDeposit(round))
      for (const deposit of deposits) await store.deposit(session, deposit)
      all.set(round, new Map(deposits.map(({ seal, key }) => [hex(seal), hex(key)])))
    }
    deposited.set(session, all)
  }
  const whole = database.serialize()
  await store.close()
  return { whole, deposited }
}

/** A bit becomes another. */
function damaged(whole: Buffer, seed: number): Buffer {
  const bytes = Buffer.from(whole)
  const at = Number((BigInt(seed) * 2_654_435_761n) % BigInt(bytes.length))
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (seed % 8))
  return bytes
}

/** Undefined for bytes that are no database any more. */
function open(bytes: Buffer, notice: (notice: Notice) => void): DirectStore | undefined {
  try {
    return around(new Sqlite(bytes), notice)
  } catch (error) {
    if (error instanceof Sqlite.SqliteError || error instanceof SetupError) return undefined
    throw error
  }
}

function around(database: Sqlite.Database, notice?: (notice: Notice) => void): DirectStore {
  const options = { dataDir: '', region: 'local', sessionMaxBytes: 16 << 20, sessionIdleDays: 90 }
  const close = () => void database.close()
  return new DirectStore(options, notice, { database, origin: prepare(database, 'local'), close })
}
