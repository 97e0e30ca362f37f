import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { afterAll, beforeAll } from 'vitest'
import { decodeExactly } from '../../shared/codec.ts'
import type { Cursor, Position } from '../../shared/cursor.ts'
import { type Deposit, takeAsker } from '../../shared/escrow.ts'
import type { SessionId } from '../../shared/id.ts'
import { Meters } from '../operators/meters.ts'
import type { Reporter } from '../operators/report.ts'
import { readConfig } from '../settings/config.ts'
import { createPlace } from '../store/place.testing.ts'
import { storeContract } from '../store/store.contract.ts'
import {
  type Appended,
  type Deleted,
  type Head,
  type NewEntry,
  type NewSnapshot,
  type Page,
  type Release,
  type Store,
  type Unreachable,
  unreachable,
} from '../store/store.ts'
import type { StoreOptions } from '../store/store-protocol.ts'
import { emptyPage, hex, temporaryFolder } from '../testing.ts'
import { Lines } from './lines.ts'
import { type NatsServer, startNats } from './nats.testing.ts'
import type { Became } from './news.ts'
import { openInRegion } from './part.ts'
import { joinRegion } from './region.ts'
import { RegionStore } from './region-store.ts'
import type { Stated } from './statement.ts'
import { originsHere, provideStream, regionOf } from './streams.ts'

let nats: NatsServer
let regions = 0
const folders: string[] = []
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => {
  await nats.stop()
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/**
 * A process that keeps a region's sessions, asked and told over NATS as relays do. What does not apply: the stream gives the numbers, so no
 * entry names another one before it; a store makes released keys an entry itself; a read waits for what the stream has, not for what is
 * on its way there; and what a restored file lacks, a store reads once more.
 */
storeContract(
  'the stores of a region over NATS',
  () => {
    const region = `region${++regions}`
    const began = Date.now()
    const dataDir = temporaryFolder()
    folders.push(dataDir)
    const numbers = new Numbers()
    return createPlace(join(dataDir, `${region}-${began.toString(36)}`), async (options, report) => {
      await provideRegion(region, began)
      return openOverNats({ ...options, dataDir, region }, report, numbers)
    })
  },
  { readsStream: true },
)

/** The contract numbers entries itself, so it is given back its own numbers instead of those of the stream. */
class Numbers {
  readonly #stream = new Map<string, number>()
  readonly #own = new Map<string, number>()
  readonly #ofEnvelope = new Map<string, number>()

  note(session: SessionId, { sequence, checksum }: NewEntry, position: Position): void {
    this.#stream.set(`${session} ${sequence}`, position.sequence)
    this.#own.set(`${session} ${position.sequence}`, sequence)
    this.#ofEnvelope.set(`${session} ${hex(checksum)}`, sequence)
  }

  streams(session: SessionId, cursor: Cursor): Cursor {
    const streams = ({ sequence, mark }: Position) => {
      return { sequence: this.#stream.get(`${session} ${sequence}`) ?? sequence, mark }
    }
    return new Map([...cursor].map(([origin, position]) => [origin, streams(position)]))
  }

  own(session: SessionId, { sequence, mark }: Position): Position {
    return { sequence: this.#own.get(`${session} ${sequence}`) ?? sequence, mark }
  }

  /** News of a duplicate does not say of which: no relay asks. */
  originalOf(session: SessionId, { checksum }: NewEntry): number {
    return this.#ofEnvelope.get(`${session} ${hex(checksum)}`) ?? 0
  }
}

/** As a relay has it: changes go through its region's stream, questions to whichever store answers. */
class StoreOverNats implements Store {
  readonly origin: string
  readonly #lines: Lines
  readonly #store: RegionStore
  readonly #numbers: Numbers
  readonly #stop: () => Promise<void>
  readonly #underWay = new Set<Promise<unknown>>()

  constructor(origin: string, lines: Lines, numbers: Numbers, store: RegionStore, stop: () => Promise<void>) {
    this.origin = origin
    this.#lines = lines
    this.#numbers = numbers
    this.#store = store
    this.#stop = stop
  }

  async append(session: SessionId, entry: NewEntry): Promise<Appended> {
    const became = await this.#state(session, { type: 'append', ref: 0, envelope: entry.envelope })
    switch (became.outcome) {
      case 'saved':
        this.#numbers.note(session, entry, became.position)
        return { outcome: 'saved', compact: became.compact }
      case 'duplicate':
        return { outcome: 'duplicate', of: this.#numbers.originalOf(session, entry) }
      case 'deleted':
      case 'refused':
        return became
      default:
        throw new Error(became.outcome)
    }
  }

  async since(session: SessionId, cursor: Cursor, generation: number): Promise<Page | Deleted | Unreachable> {
    const pages = await this.#store.since(session, this.#numbers.streams(session, cursor), generation)
    if (pages.outcome !== 'pages') return pages
    const page = pages.of.get(this.origin) ?? emptyPage // a session that nobody wrote to is in no log
    const own = (position: Position) => this.#numbers.own(session, position)
    const { snapshot, upTo } = page
    return {
      ...page,
      snapshot: snapshot && { ...snapshot, covers: own(snapshot.covers) },
      entries: page.entries.map((entry) => ({ ...entry, position: own(entry.position) })),
      upTo: upTo && own(upTo),
    }
  }

  async head(session: SessionId): Promise<Head | Unreachable> {
    const heads = await this.#store.head(session)
    if (heads.outcome !== 'heads') return heads
    const last = heads.saved.get(this.origin)
    const saved = last && this.#numbers.own(session, last)
    return { outcome: 'head', sequence: saved?.sequence ?? 0, saved, overQuota: heads.overQuota }
  }

  putSnapshot(session: SessionId, { covers, ...snapshot }: NewSnapshot) {
    return this.#store.putSnapshot(session, { ...snapshot, covers: this.#numbers.streams(session, covers) })
  }

  deposit(session: SessionId, deposit: Deposit) {
    return this.#store.deposit(session, deposit)
  }

  async release(session: SessionId, round: Uint8Array, asker: Uint8Array): Promise<Release> {
    const by = decodeExactly(asker, takeAsker)
    if (!by) throw new Error('Nobody asks')
    const became = await this.#state(session, { type: 'release', ref: 0, round, asker: by })
    switch (became.outcome) {
      case 'released':
      case 'deleted':
      case 'refused':
        return became
      default:
        throw new Error(became.outcome)
    }
  }

  delete(session: SessionId) {
    return this.#store.delete(session)
  }

  check() {
    return this.#store.check()
  }

  /** Waits for what was said, as a relay that stops does. */
  async close(): Promise<void> {
    await Promise.all(this.#underWay)
    await this.#stop()
  }

  async #state(session: SessionId, message: Stated): Promise<Became> {
    const stating = this.#lines.state(session, { author: 1, message })
    this.#underWay.add(stating)
    return (await stating.finally(() => this.#underWay.delete(stating))) ?? unreachable
  }
}

async function provideRegion(name: string, began: number): Promise<void> {
  const connection = await connect({ servers: nats.url })
  await provideStream(await jetstreamManager(connection), name, began)
  await connection.close()
}

async function openOverNats(options: StoreOptions, report: Reporter, numbers: Numbers): Promise<Store> {
  const config = { ...readConfig({}), ...options, role: 'store' as const }
  const process = await openInRegion(nats.url, config, report, new Meters())
  const relay = await joinRegion(nats.url, options.region)
  const [origin = ''] = (await originsHere(relay.manager)).filter((one) => regionOf(one) === relay.name)
  const lines = new Lines(relay)
  return new StoreOverNats(origin, lines, numbers, new RegionStore(relay, lines), async () => {
    await process.close()
    await relay.leave()
  })
}
