import { rmSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { createSessionKeys } from '../../shared/keys.ts'
import { Chance } from '../../shared/testing.ts'
import { someEnvelope, temporaryFolder } from '../testing.ts'
import { openDatabase } from './database.ts'
import { checksumOf, markOf } from './hash.ts'
import { LogTables } from './log-tables.ts'
import { ReadTables } from './read-tables.ts'
import { SessionTable } from './session-table.ts'
import { SnapshotTables } from './snapshot-tables.ts'
import { type EntryKind, entryKinds } from './store.ts'

const { session } = createSessionKeys()

test('what is remembered of a session after any snapshots is what its rows say', () => {
  const tables = opened()
  const chance = new Chance(7)
  let replaces: Uint8Array | undefined
  let covered = 0
  for (let step = 0; step < 400; step++) {
    const kind = chance.below(5) === 0 ? entryKinds.released : entryKinds.change
    tables.append(256 + chance.below(500), kind)
    if (chance.below(8) > 0) continue
    covered += 1 + chance.below(tables.marks.length - 1 - covered)
    replaces = tables.put(covered, replaces)
    const remembered = { ...tables.sessions.find(session), clearedTo: 0 }
    tables.sessions.forgetAll()
    expect(tables.sessions.find(session), `step ${step}`).toEqual(remembered)
    if (chance.below(2) === 0) tables.put(covered, replaces) // covers no more than the one before
    expect(tables.sessions.find(session)).toEqual(remembered)
  }
})

test('a snapshot takes no longer where the log behind it is long', () => {
  const [short, long] = [millisecondsFor(300), millisecondsFor(30_000)]
  expect(long).toBeLessThan(short * 5 + 2)
})

test('keys that were released long ago come page by page, and then what came since the snapshot', () => {
  const { reads, ...tables } = opened()
  for (let sequence = 1; sequence <= 30; sequence++) tables.append(60_000, entryKinds.released)
  tables.put(30, undefined)
  tables.append(256)
  const key = tables.sessions.find(session)?.key ?? 0
  const found: number[] = []
  let page = reads.since(key, undefined, 0)
  expect(page.snapshot?.covers.sequence).toBe(30)
  for (;;) {
    expect(page.rows.length).toBeLessThan(6)
    found.push(...page.rows.map(({ sequence }) => sequence))
    if (!page.more) break
    page = reads.since(key, page.upTo, 0)
    expect(page.resumed).toBe(true)
  }
  expect(found).toEqual(Array.from({ length: 31 }, (_, at) => at + 1))
})

/** The middle of what a snapshot took, with everything that has to be known of the session after it. */
function millisecondsFor(entries: number): number {
  const tables = opened()
  for (let sequence = 1; sequence <= entries; sequence++) tables.append(256)
  let replaces: Uint8Array | undefined
  const took = Array.from({ length: 25 }, (_, at) => {
    const began = performance.now()
    replaces = tables.put(at + 1, replaces)
    tables.sessions.find(session)
    return performance.now() - began
  })
  return took.sort((one, other) => one - other)[12] ?? 0
}

function opened() {
  const dataDir = temporaryFolder()
  const { database, close } = openDatabase(dataDir, 'local')
  onTestFinished(() => {
    close()
    rmSync(dataDir, { recursive: true })
  })
  const sessions = new SessionTable(database, 1 << 30)
  const logs = new LogTables(database, sessions)
  const reads = new ReadTables(database, () => {})
  const snapshots = new SnapshotTables(database, sessions, reads)
  /** Of the entries, by sequence. */
  const marks: Uint8Array[] = [new Uint8Array(8)]
  database.pragma('synchronous = OFF')
  return {
    sessions,
    reads,
    marks,
    append: (bytes: number, kind: EntryKind = entryKinds.change): void => {
      const envelope = someEnvelope(bytes)
      const checksum = checksumOf(envelope)
      const sequence = marks.push(markOf(checksum)) - 1
      const row = { session, sequence, previous: sequence - 1, checksum, kind, envelope }
      expect(logs.append(row)).toMatchObject({ outcome: 'saved' })
    },
    /** Returns the id of the snapshot, or of the one that stays. */
    put: (sequence: number, replaces: Uint8Array | undefined): Uint8Array | undefined => {
      const envelope = someEnvelope(1000)
      const covers = { sequence, mark: marks[sequence] ?? new Uint8Array() }
      const { outcome } = snapshots.put(session, covers, replaces, envelope)
      return outcome === 'kept' ? checksumOf(envelope) : replaces
    },
  }
}
