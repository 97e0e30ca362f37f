import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { deserialize, serialize } from 'node:v8'
import { headers, type Msg, type Subscription } from '@nats-io/transport-node'
import type { NotGiven, Reporter } from '../operators/report.ts'
import { copyApart } from '../store/copy-thread.ts'
import { databaseName, versions } from '../store/database.ts'
import { DiskReserve } from '../store/disk-reserve.ts'
import { isForRoom, NoRoom } from '../store/no-room.ts'
import type { Kept } from './kept.ts'
import type { Region } from './region.ts'

/** Where stores of every region are asked what they could give to one that lacks it. */
export const offersSubject = 'copies'
/** Well below the largest message. */
export const pieceBytes = 1 << 20
/** Whoever stops reading a copy does not want it any more. */
const forgottenMs = 60_000
/** A large database takes longer to copy: whoever asked for it asks again, and notices when this store is gone. */
const answerMs = 3_000
const copiesFolder = 'copies'
/** Whoever got no copy asks again and again: the same is said once in so long. */
const saidEveryMs = 600_000
/** Says in an answer without a body that it is for want of room. */
export const noRoomHeader = 'No-Room'

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
  /** The copy has a name that whoever asks made up. Asked again until it is made; the answer is undefined until then. */
  | { readonly type: 'make'; readonly origin: string; readonly copy: string }
  /** How many bytes of a copy that is being made are written and read again: nothing is wrong while they become more. */
  | { readonly type: 'progress'; readonly copy: string }
  | { readonly type: 'read'; readonly copy: string; readonly offset: number }
  | { readonly type: 'drop'; readonly copy: string }

export interface Made {
  readonly bytes: number
  readonly sha256: string
}

interface Copy {
  readonly path: string
  readonly made: Promise<Made>
  /** Bytes that its sum has already. */
  summed: number
  /** From when it is made. */
  forget: NodeJS.Timeout | undefined
}

interface Options {
  readonly shards: ReadonlySet<number>
  readonly diskReserve?: number
}

/** Offers this store's databases to stores that lack them, and gives copies, piece by piece. */
export class Copies {
  readonly #region: Region
  readonly #options: Options
  readonly #origins: { readonly all: Iterable<Kept> }
  readonly #subject = `copies.${randomUUID()}`
  readonly #report: Reporter
  readonly #saidAt = new Map<NotGiven, number>()
  readonly #copies = new Map<string, Copy>()
  readonly #emptied = new Map<string, Promise<void>>()
  readonly #subscriptions: Subscription[]

  constructor(
    region: Region,
    origins: { readonly all: Iterable<Kept> },
    options: Options,
    report: Reporter = () => {},
  ) {
    this.#region = region
    this.#report = report
    this.#origins = origins
    this.#options = options
    for (const { folder } of origins.all) void this.#empty(folder).catch(() => {})
    const { connection } = region
    const answering = (answer: (message: Msg) => Promise<unknown>) => (error: Error | null, message: Msg) => {
      if (!error)
        answer(message)
          .then((found) => message.respond(serialize(found)))
          .catch((error) => message.respond('', refusalOf(error))) // it has to be got elsewhere
          .catch(() => {}) // whoever asked is gone
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
    for (const { store, follower, isWhole } of this.#origins.all)
      if (isWhole) origins.set(store.origin, follower?.upTo ?? (await store.applied()).sequence)
    return {
      subject: this.#subject,
      region: this.#region.name,
      schema: versions.length,
      shards: this.#options.shards,
      origins,
    }
  }

  async #serve(request: CopyRequest): Promise<unknown> {
    switch (request.type) {
      case 'make':
        return this.#make(request.copy, request.origin)
      case 'progress':
        return this.#progress(request.copy)
      case 'read':
        return this.#read(request.copy, request.offset)
      case 'drop':
        if (this.#isUnfinished(request.copy))
          this.#notGiven('unfinished', new Error('Whoever asked waited for it in vain'))
        await this.#drop(request.copy)
        return undefined
    }
  }

  async #make(copy: string, origin: string): Promise<Made | undefined> {
    const { made } = this.#copies.get(copy) ?? this.#begin(copy, origin)
    return Promise.race([made, wait(answerMs, undefined, { ref: false })])
  }

  #begin(copy: string, origin: string): Copy {
    const kept = [...this.#origins.all].find(({ store }) => store.origin === origin)
    if (!kept) throw new Error(`There is no origin ${origin} here`)
    const path = join(kept.folder, copiesFolder, randomUUID())
    const summed = (bytes: number) => {
      begun.summed += bytes
    }
    const begun: Copy = { path, made: this.#copy(kept, path, summed), summed: 0, forget: undefined }
    this.#copies.set(copy, begun)
    begun.made.then(
      () => {
        if (this.#copies.get(copy) !== begun) return rm(path, { force: true }) // dropped meanwhile
        begun.forget = setTimeout(() => void this.#drop(copy), forgottenMs).unref()
      },
      (error: unknown) => {
        if (this.#copies.get(copy) === begun) this.#notGiven(isForRoom(error) ? 'room' : 'failed', error)
        return this.#drop(copy)
      },
    )
    return begun
  }

  /** Whoever asked is told without words, and it is this store's disk that has to be looked at. */
  #notGiven(reason: NotGiven, error: unknown): void {
    const now = performance.now()
    if (now < (this.#saidAt.get(reason) ?? Number.NEGATIVE_INFINITY) + saidEveryMs) return
    this.#saidAt.set(reason, now)
    this.#report({ event: 'notGiven', reason, error: String(error) })
  }

  async #copy({ follower, folder }: Kept, path: string, summed: (bytes: number) => void): Promise<Made> {
    await this.#empty(folder)
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    // What was offered is in the copy, and the copy says so.
    await follower?.note()
    const from = join(folder, databaseName)
    if (new DiskReserve({ ...this.#options, dataDir: folder }).isTouched((await stat(from)).size))
      throw new NoRoom('There is no room for a copy')
    await copyApart({ from, to: path })
    const hash = createHash('sha256')
    for await (const bytes of createReadStream(path)) {
      hash.update(bytes)
      summed(bytes.length)
    }
    return { bytes: (await stat(path)).size, sha256: hash.digest('hex') }
  }

  #isUnfinished(copy: string): boolean {
    const making = this.#copies.get(copy)
    return making !== undefined && making.forget === undefined
  }

  async #progress(copy: string): Promise<number> {
    const making = this.#copies.get(copy)
    if (!making) return 0
    const written = await stat(making.path).catch(() => undefined) // it has not begun
    return (written?.size ?? 0) + making.summed
  }

  /** What a process that was killed has left. */
  #empty(kept: string): Promise<void> {
    const emptied = this.#emptied.get(kept) ?? rm(join(kept, copiesFolder), { recursive: true, force: true })
    this.#emptied.set(kept, emptied)
    return emptied
  }

  async #read(copy: string, offset: number): Promise<Uint8Array> {
    const made = this.#copies.get(copy)
    if (!made) throw new Error('This copy is gone')
    made.forget?.refresh()
    try {
      return await pieceOf(made.path, offset)
    } catch (error) {
      this.#notGiven('failed', error)
      throw error
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

async function pieceOf(path: string, offset: number): Promise<Uint8Array> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(pieceBytes), 0, pieceBytes, offset)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

function refusalOf(error: unknown) {
  if (!isForRoom(error)) return {}
  const told = headers()
  told.set(noRoomHeader, '1')
  return { headers: told }
}
