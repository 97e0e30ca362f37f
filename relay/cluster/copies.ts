import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import type { Msg, Subscription } from '@nats-io/transport-node'
import { copyDatabase } from '../commands/copy-database.ts'
import { databaseName, versions } from '../database.ts'
import type { Kept } from './origins.ts'
import type { Region } from './region.ts'

/** Where stores of every region are asked what they could give to one that lacks it. */
export const offersSubject = 'copies'
/** Well below the largest message. */
export const pieceBytes = 1 << 20
/** Whoever stops reading a copy does not want it any more. */
const forgottenMs = 60_000
const copiesFolder = 'copies'

/** What a store keeps, whole, and would give to another one. */
export interface Offer {
  /** Where it takes requests. */
  readonly subject: string
  readonly region: string
  /** Of its databases: another version's rows look otherwise. */
  readonly schema: number
  readonly shards: ReadonlySet<number>
  /** How far each of its origins has been read. */
  readonly origins: ReadonlyMap<string, number>
}

export type CopyRequest =
  | { readonly type: 'make'; readonly origin: string }
  | { readonly type: 'read'; readonly copy: string; readonly offset: number }
  | { readonly type: 'drop'; readonly copy: string }

export interface Made {
  readonly copy: string
  readonly bytes: number
  readonly sha256: string
}

interface Copy {
  readonly path: string
  forget: NodeJS.Timeout
}

/** Offers this store's databases to stores that lack them, and gives copies, piece by piece. */
export class Copies {
  readonly #region: Region
  readonly #shards: ReadonlySet<number>
  readonly #origins: { readonly all: Iterable<Kept> }
  readonly #subject = `copies.${randomUUID()}`
  readonly #copies = new Map<string, Copy>()
  readonly #subscriptions: Subscription[]

  constructor(region: Region, origins: { readonly all: Iterable<Kept> }, shards: ReadonlySet<number>) {
    this.#region = region
    this.#origins = origins
    this.#shards = shards
    const { connection } = region
    // Whoever asked something else, or is gone, gets no answer in time.
    const answering = (answer: (message: Msg) => Promise<unknown>) => (error: Error | null, message: Msg) => {
      if (!error)
        answer(message)
          .then((found) => message.respond(serialize(found)))
          .catch(() => {})
    }
    this.#subscriptions = [
      connection.subscribe(offersSubject, { callback: answering(() => this.#offer()) }),
      connection.subscribe(this.#subject, {
        callback: answering((message) => this.#serve(deserialize(message.data))),
      }),
    ]
  }

  async stop(): Promise<void> {
    for (const subscription of this.#subscriptions) subscription.unsubscribe()
    await Promise.all([...this.#copies.keys()].map((copy) => this.#drop(copy)))
  }

  async #offer(): Promise<Offer> {
    const origins = new Map<string, number>()
    for (const { store, follower } of this.#origins.all)
      origins.set(store.origin, follower?.upTo ?? (await store.applied()))
    return {
      subject: this.#subject,
      region: this.#region.name,
      schema: versions.length,
      shards: this.#shards,
      origins,
    }
  }

  async #serve(request: CopyRequest): Promise<unknown> {
    switch (request.type) {
      case 'make':
        return this.#make(request.origin)
      case 'read':
        return this.#read(request.copy, request.offset)
      case 'drop':
        await this.#drop(request.copy)
        return undefined
    }
  }

  async #make(origin: string): Promise<Made> {
    const kept = [...this.#origins.all].find(({ store }) => store.origin === origin)
    if (!kept) throw new Error(`There is no origin ${origin} here`)
    const folder = join(kept.folder, copiesFolder)
    if (this.#copies.size === 0) await rm(folder, { recursive: true, force: true }) // left by a process that was killed
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const copy = randomUUID()
    const path = join(folder, copy)
    this.#copies.set(copy, { path, forget: setTimeout(() => void this.#drop(copy), forgottenMs).unref() })
    try {
      await copyDatabase(join(kept.folder, databaseName), path)
      const hash = createHash('sha256')
      for await (const bytes of createReadStream(path)) hash.update(bytes)
      this.#copies.get(copy)?.forget.refresh()
      return { copy, bytes: (await stat(path)).size, sha256: hash.digest('hex') }
    } catch (error) {
      await this.#drop(copy)
      throw error
    }
  }

  async #read(copy: string, offset: number): Promise<Uint8Array> {
    const made = this.#copies.get(copy)
    if (!made) throw new Error('This copy is gone')
    made.forget.refresh()
    const file = await open(made.path)
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(pieceBytes), 0, pieceBytes, offset)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  }

  async #drop(copy: string): Promise<void> {
    const made = this.#copies.get(copy)
    if (!made) return
    this.#copies.delete(copy)
    clearTimeout(made.forget)
    await rm(made.path, { force: true })
  }
}
