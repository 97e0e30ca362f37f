import { createHash, randomUUID } from 'node:crypto'
import { open } from 'node:fs/promises'
import { deserialize, serialize } from 'node:v8'
import type { NatsConnection } from '@nats-io/transport-node'
import { isRegionFolder } from '../commands/databases.ts'
import { versions } from '../store/database.ts'
import type { DiskReserve } from '../store/disk-reserve.ts'
import { type CopyRequest, type Made, type Offer, offersSubject } from './copies.ts'

/** How long stores of other regions may take to say what they have, and how long after the last one more is waited for. */
const patience = { all: 2_000, next: 300 } as const
const answerMs = 20_000

/** What the stores of these regions would give, as far as they can be reached, in a form this program reads. */
export async function offersFrom(
  connection: NatsConnection,
  regions: readonly string[],
): Promise<readonly Offer[]> {
  const offers: Offer[] = []
  try {
    const { all: maxWait, next: stall } = patience
    for await (const { data } of await connection.requestMany(offersSubject, '', {
      strategy: 'stall',
      maxWait,
      stall,
    })) {
      if (data.length === 0) continue // one that cannot say what it has
      const offer = deserialize(data) as Offer
      const isOurs = offer.schema === versions.length && regions.includes(offer.region)
      // Origins become the names of folders.
      if (isOurs && [...offer.origins.keys()].every(isRegionFolder)) offers.push(offer)
    }
  } catch {
    // Nobody is there, or NATS is gone: nothing is offered.
  }
  return offers
}

/** This store's own disk has no room. */
export class NoRoom extends Error {}

/**
 * Writes the database of an origin, as the offering store has it now, to a new file. Rejects when it did not come whole, and with
 * `NoRoom` when the disk would not hold it and what is taken from it.
 */
export async function fetchCopy(
  connection: NatsConnection,
  { subject }: Offer,
  origin: string,
  path: string,
  reserve: DiskReserve,
  signal?: AbortSignal,
): Promise<void> {
  const needRoom = (bytes: number) => {
    if (reserve.isTouched(bytes)) throw new NoRoom(`There is no room for a copy of ${origin}`)
  }
  needRoom(0) // before somebody makes it
  const copy = randomUUID()
  const ask = async (request: CopyRequest): Promise<unknown> => {
    signal?.throwIfAborted()
    return deserialize((await connection.request(subject, serialize(request), { timeout: answerMs })).data)
  }
  let made: Made | undefined
  while (!made) made = (await ask({ type: 'make', origin, copy })) as Made | undefined
  const drop = () => ask({ type: 'drop', copy }).catch(() => {}) // it forgets by itself
  try {
    needRoom(2 * made.bytes)
  } catch (error) {
    await drop()
    throw error
  }
  const hash = createHash('sha256')
  const file = await open(path, 'wx', 0o600)
  try {
    for (let offset = 0; offset < made.bytes; ) {
      const piece = (await ask({ type: 'read', copy, offset })) as Uint8Array
      if (piece.length === 0) break
      hash.update(piece)
      await file.appendFile(piece)
      offset += piece.length
    }
  } finally {
    await file.close()
    await drop()
  }
  if (hash.digest('hex') !== made.sha256) throw new Error(`The copy of ${origin} did not come whole`)
}
