import { createHash, randomUUID } from 'node:crypto'
import { open } from 'node:fs/promises'
import { deserialize, serialize } from 'node:v8'
import type { NatsConnection } from '@nats-io/transport-node'
import { isRegionFolder } from '../commands/databases.ts'
import { versions } from '../store/database.ts'
import type { DiskReserve } from '../store/disk-reserve.ts'
import { NoRoom } from '../store/no-room.ts'
import { type CopyRequest, type Made, noRoomHeader, type Offer, offersSubject } from './copies.ts'

/** How long stores of other regions may take to say what they have, and how long after the last one more is waited for. */
const patience = { all: 2_000, next: 300 } as const
const answerMs = 20_000
/** Whoever makes a copy says every three seconds that it is not made: so often without anything new is two minutes. */
const mostUnchanged = 40

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

/** Bytes as an operator reads them. */
const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6).toLocaleString('en')} MB`

/**
 * Writes the database of an origin, as the offering store has it now, to a new file. Rejects when it did not come whole, and with
 * `NoRoom` when the other one's disk would not hold it, or this one's not it and what is taken from it.
 */
export async function fetchCopy(
  connection: NatsConnection,
  { subject, region }: Offer,
  origin: string,
  path: string,
  reserve: DiskReserve,
  signal?: AbortSignal,
): Promise<void> {
  const giver = `A store in ${region}, asked for a copy of ${origin},`
  const needRoom = (bytes: number, what: string) => {
    if (reserve.isTouched(bytes))
      throw new NoRoom(
        `There is no room for a copy of ${origin} from a store in ${region}: the disk of DATA_DIR has to have ${what} DISK_RESERVE`,
      )
  }
  needRoom(0, 'more free than') // before somebody makes it
  const copy = randomUUID()
  const ask = async (request: CopyRequest): Promise<unknown> => {
    signal?.throwIfAborted()
    const { data, headers } = await connection
      .request(subject, serialize(request), { timeout: answerMs })
      .catch((error: unknown) => {
        throw new Error(
          `${giver} does not answer any more (${error instanceof Error ? error.message : error})`,
        )
      })
    if (headers?.has(noRoomHeader)) throw new NoRoom(`${giver} has no room on its disk to make it`)
    if (data.length === 0) throw new Error(`${giver} cannot give it: its disk or its database may be damaged`)
    return deserialize(data)
  }
  const drop = () => ask({ type: 'drop', copy }).catch(() => {}) // it forgets by itself
  try {
    const made = await makingOf(ask, { origin, copy, giver })
    needRoom(2 * made.bytes, `${megabytes(2 * made.bytes)} free beside`)
    await read(ask, { copy, made, path, origin })
  } finally {
    void drop()
  }
}

type Ask = (request: CopyRequest) => Promise<unknown>

/** However long a large database takes, it is waited for while there is more of it each time. */
async function makingOf(
  ask: Ask,
  { origin, copy, giver }: { readonly origin: string; readonly copy: string; readonly giver: string },
): Promise<Made> {
  let [progress, unchanged] = [0, 0]
  while (unchanged < mostUnchanged) {
    const made = (await ask({ type: 'make', origin, copy })) as Made | undefined
    if (made) return made
    const now = await ask({ type: 'progress', copy })
    if (typeof now !== 'number') continue // an earlier version does not say
    unchanged = now > progress ? 0 : unchanged + 1
    progress = now
  }
  throw new Error(`${giver} has not gone on making it for two minutes: its disk may not answer`)
}

async function read(
  ask: Ask,
  of: { readonly copy: string; readonly made: Made; readonly path: string; readonly origin: string },
): Promise<void> {
  const { copy, made, path, origin } = of
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
  }
  if (hash.digest('hex') !== made.sha256) throw new Error(`The copy of ${origin} did not come whole`)
}
