import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { databaseName, openBeside, openDatabase } from '../store/database.ts'
import { DiskReserve } from '../store/disk-reserve.ts'
import { isForRoom, NoRoom } from '../store/no-room.ts'
import type { CheckedTable } from '../store/store-protocol.ts'
import { takeSessions } from '../store/take-sessions.ts'
import type { Offer } from './copies.ts'
import { fetchCopy } from './fetch-copy.ts'
import type { Region } from './region.ts'
import { type Ring, ringOf } from './streams.ts'

/**
 * What became of filling: a store has what it should, partly copied from others; or something older than the stream is missing, and
 * nobody who answers has it, in a database that had nothing yet, or that lacks shards, or only a time during which it was off.
 */
export type Filling =
  | { readonly outcome: 'whole'; readonly copied: boolean }
  | {
      readonly outcome: 'lacks'
      readonly what: 'everything' | 'shards' | 'a time'
      /** There is nothing in its database. */
      readonly isEmpty: boolean
      /** Some of it came all the same. */
      readonly copied: boolean
      /** Somebody may have it, but this disk has no room for it, or the other one for a copy. */
      readonly isForRoom: boolean
      /** The first message that the stream has behind a time. */
      readonly gapEnd?: number | undefined
    }

export interface Wish {
  readonly dataDir: string
  readonly origin: string
  readonly shards: ReadonlySet<number>
  /** What others would give. */
  readonly offers: readonly Offer[]
  /** Whether to do without what nobody has. */
  readonly beginEmpty: boolean
  /** Whether to take what others have read further though something after it is missing: nobody else is expected to have that. */
  readonly takesPart: boolean
  readonly diskReserve: number
  /** Told why a copy did not come; another one may. */
  readonly failed: (error: unknown) => void
  /** Told of what could not be read in a copy. */
  readonly damaged: (table: CheckedTable) => void
  readonly signal: AbortSignal
}

/** What a database says of itself. */
interface Known {
  readonly applied: number
  /** The shards whose sessions it has, all of them; undefined in one that never noted any. */
  readonly shards: ReadonlySet<number> | undefined
}

/**
 * Sees to it that the database of an origin has all sessions of its shards, before its store answers for them: what the stream has no
 * more comes from other stores.
 */
export async function fill(region: Region, wish: Wish): Promise<Filling> {
  await removeDatabase(copyIn(wish.dataDir)) // one that a process was killed with
  const ring = await ringOf(region, wish.origin)
  const isOffered = wish.offers.some(({ origins }) => origins.has(wish.origin))
  const isNew = !existsSync(join(wish.dataDir, databaseName))
  if (isNew && !ring?.isWhole && !isOffered && !wish.beginEmpty)
    return { outcome: 'lacks', what: 'everything', isEmpty: true, copied: false, isForRoom: false }
  const { database, close } = openDatabase(wish.dataDir, region.name, wish.origin)
  try {
    return await fillInto(database, region, wish, ring)
  } finally {
    close()
  }
}

/**
 * Takes what others have read further, while a store serves what its database has: of a stream that is gone, or of what one has lost
 * before its message `gapEnd`.
 */
export async function fillBeside(region: Region, wish: Wish, gapEnd?: number): Promise<Filling> {
  const ring = gapEnd === undefined ? undefined : { first: gapEnd, isWhole: false }
  const { database, close } = openBeside(wish.dataDir)
  try {
    return await fillInto(database, region, wish, ring)
  } finally {
    close()
  }
}

/** Of these shards, those of which others have read further. */
export function lackedShards(
  offers: readonly Offer[],
  origin: string,
  upTo: number,
  shards: ReadonlySet<number>,
): ReadonlySet<number> {
  const further = offers.filter(({ origins }) => (origins.get(origin) ?? 0) > upTo)
  return new Set([...shards].filter((shard) => further.some((offer) => offer.shards.has(shard))))
}

async function fillInto(
  database: Database,
  region: Region,
  wish: Wish,
  ring: Ring | undefined,
): Promise<Filling> {
  const { origin, shards, offers } = wish
  const known = readKnown(database)
  const had = known.shards ?? (known.applied > 0 ? shards : new Set<number>())
  const isBehind = ring !== undefined && !ring.isWhole && known.applied + 1 < ring.first
  // What was not read of a stream before it was lost nobody has but who had read it.
  const lacked = ring ? new Set() : lackedShards(offers, origin, known.applied, shards)
  const missing = new Set([...shards].filter((shard) => isBehind || lacked.has(shard) || !had.has(shard)))
  if (missing.size === 0) return done(database, wish, known.applied, false)
  const own = missing.size < shards.size ? [known.applied] : []
  const isFurther = (offer: Offer) => (offer.origins.get(origin) ?? 0) > known.applied
  const taken = ring?.isWhole
    ? nothing
    : await takeFrom(region, wish, ring, database, missing, (offer, shard) => {
        return !lacked.has(shard) || isFurther(offer)
      })
  const { copies } = taken
  if (missing.size === 0) {
    const upTo = Math.min(...copies, ...own)
    const filling = done(database, wish, upTo, true)
    // Copying takes its time, in which a busy stream may have lost what came after the copy.
    const now = await ringOf(region, origin)
    const isOvertaken = now !== undefined && !now.isWhole && upTo + 1 < now.first
    return isOvertaken
      ? {
          outcome: 'lacks',
          what: 'a time',
          isEmpty: false,
          copied: true,
          isForRoom: false,
          gapEnd: now.first,
        }
      : filling
  }
  // A stream that has everything is read from its beginning: what this store knows already it does not do again.
  if (ring?.isWhole || wish.beginEmpty)
    return done(database, wish, ring ? 0 : known.applied, copies.length > 0)
  const isEmpty = database.prepare('SELECT 1 FROM sessions LIMIT 1').get() === undefined
  const lacksTime = [...missing].every((shard) => had.has(shard))
  // From here on it does not follow the others.
  if (lacksTime) noteShards(database, shards)
  const part =
    lacksTime && ring && wish.takesPart && !taken.isForRoom
      ? await takeFrom(region, wish, undefined, database, missing, isFurther)
      : nothing
  if (missing.size === 0) done(database, wish, Math.min(...copies, ...part.copies, ...own), true)
  return {
    outcome: 'lacks',
    what: lacksTime ? 'a time' : had.size > 0 ? 'shards' : 'everything',
    isEmpty,
    copied: copies.length > 0 || part.copies.length > 0,
    isForRoom: taken.isForRoom || part.isForRoom,
    gapEnd: lacksTime ? ring?.first : undefined,
  }
}

interface Taken {
  /** How far each store of which a copy came had read the stream. */
  readonly copies: readonly number[]
  /** There was no room for one. */
  readonly isForRoom: boolean
}

const nothing: Taken = { copies: [], isForRoom: false }

/**
 * Takes what is missing from those who have it, and out of the set. What is damaged with one may be whole with another; what nobody has
 * whole comes as far as it can be read.
 */
async function takeFrom(
  region: Region,
  { dataDir, diskReserve, origin, offers, failed, damaged, signal }: Wish,
  ring: Ring | undefined,
  database: Database,
  missing: Set<number>,
  gives: (offer: Offer, shard: number) => boolean,
): Promise<Taken> {
  const copies: number[] = []
  let lacksRoom = false
  const reserve = new DiskReserve({ dataDir, diskReserve })
  const inPart = new Set<number>()
  const whole = new Set<string>()
  const copy = copyIn(dataDir)
  for (const offer of ranked(offers, origin, region.name, ring === undefined)) {
    const shards = new Set([...missing].filter((shard) => offer.shards.has(shard) && gives(offer, shard)))
    // What comes after the copy has to be in the stream.
    const reaches = ring === undefined || (offer.origins.get(origin) ?? 0) + 1 >= ring.first
    if (shards.size === 0 || !reaches) continue
    try {
      await fetchCopy(region.connection, offer, origin, copy, reserve, signal)
      const from = await takeSessions(database, copy, { shards, whole, damaged, signal })
      copies.push(from.applied)
      for (const shard of shards) {
        if (from.isWhole) missing.delete(shard)
        else inPart.add(shard)
      }
    } catch (error) {
      signal.throwIfAborted()
      lacksRoom ||= isForRoom(error)
      failed(worded(error, origin)) // that store is gone, or its database cannot be read, or there is no room
    } finally {
      await removeDatabase(copy)
    }
  }
  for (const shard of inPart) missing.delete(shard)
  return { copies, isForRoom: lacksRoom && missing.size > 0 }
}

function worded(error: unknown, origin: string): unknown {
  if (!isForRoom(error) || error instanceof NoRoom) return error
  return new NoRoom(`The disk of DATA_DIR became full while a copy of ${origin} was taken: make room`)
}

/** Where that of another store lies until everything is taken from it. */
function copyIn(dataDir: string): string {
  return join(dataDir, 'copy.sqlite')
}

/** With what SQLite puts beside it. */
async function removeDatabase(path: string): Promise<void> {
  for (const end of ['', '-wal', '-shm', '-journal']) await rm(path + end, { force: true })
}

/** Near ones first, and of those who has read most; the other way round when the stream is gone and nobody reads on in it. */
function ranked(offers: readonly Offer[], origin: string, region: string, isGone: boolean): readonly Offer[] {
  const isFar = (offer: Offer) => Number(offer.region !== region)
  const upTo = (offer: Offer) => offer.origins.get(origin) ?? 0
  return offers
    .filter(({ origins }) => origins.has(origin))
    .sort((a, b) => {
      const [nearer, further] = [isFar(a) - isFar(b), upTo(b) - upTo(a)]
      return isGone ? further || nearer : nearer || further
    })
}

function done(database: Database, { shards }: Wish, applied: number, copied: boolean): Filling {
  database.transaction(() => {
    database.prepare<[number]>(`INSERT OR REPLACE INTO facts VALUES ('applied', ?)`).run(applied)
    noteShards(database, shards)
  })()
  return { outcome: 'whole', copied }
}

function noteShards(database: Database, shards: ReadonlySet<number>): void {
  database.prepare<[string]>(`INSERT OR REPLACE INTO facts VALUES ('shards', ?)`).run([...shards].join())
}

function readKnown(database: Database): Known {
  const fact = database.prepare<[string]>('SELECT value FROM facts WHERE name = ?').pluck()
  const shards = fact.get('shards')
  return {
    applied: Number(fact.get('applied') ?? 0),
    shards: shards === undefined ? undefined : new Set(String(shards).split(',').map(Number)),
  }
}
