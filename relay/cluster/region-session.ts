import { type Cursor, joinCursors, type Position } from '../../shared/cursor.ts'
import type { SessionId } from '../../shared/id.ts'
import type { ConnectionId } from '../../shared/wire.ts'
import type { Delivered, Subscriber } from '../bus/bus.ts'
import { endOf } from '../rooms/catch-up.ts'
import { checksumOf, markOf } from '../store/hash.ts'
import { type Compaction, entryKinds, type Pages, type Refusal } from '../store/store.ts'
import type { Aside, Lines } from './lines.ts'
import type { Became, News } from './news.ts'
import type { Presence } from './presence.ts'
import type { Answers } from './questions.ts'
import type { RegionStore } from './region-store.ts'
import type { Statement } from './statement.ts'

export interface SessionSurroundings {
  /** The name of the relay's own. */
  readonly region: string
  readonly lines: Pick<Lines, 'listen'>
  readonly store: Pick<RegionStore, 'head' | 'since'>
  readonly presence: Pick<Presence, 'asked' | 'heardJoined' | 'heardLeft' | 'heardHere'>
  /** Its log cannot be reached from now on, until `recover`. */
  readonly failed: (session: RegionSession) => void
}

type Refused = Extract<Delivered, { outcome: 'refused' }>
type Ends = Extract<Answers['head'], { outcome: 'heads' }>

const nobody: ConnectionId = 0
/** So often it is read what was saved while a store answered. One that lost it never has it. */
const mostReadings = 5
/** How long news from another region waits for more of them. */
const elsewhereMs = 1_000

/** One session as a relay among others hears of it, for the rooms that listen. */
export class RegionSession {
  readonly id: SessionId
  readonly subscribers = new Set<Subscriber>()
  /** Resolves when it is known where the logs end, or that nobody says. */
  readonly begun: Promise<void>
  readonly #surroundings: SessionSurroundings
  readonly #stop: () => void
  /** Up to here everything that the stream of each origin said was heard, or read, by everybody here. */
  readonly #heard = new Map<string, number>()
  /** The last position that another region says is committed there, of each origin. */
  readonly #elsewhere = new Map<string, Position>()
  /** What has to wait until it has begun. */
  #early: (() => void)[] | undefined = []
  /** Everything up to here is committed, and everybody here has heard it. */
  #saved: Cursor = new Map()
  #failed: Refused | undefined
  #tellingElsewhere: NodeJS.Timeout | undefined
  /** What was not heard is read from the log, and the news of what was saved waits. */
  #missing: { again: boolean; saved: Cursor } | undefined
  #isOpen = true

  constructor(id: SessionId, surroundings: SessionSurroundings) {
    this.id = id
    this.#surroundings = surroundings
    this.#stop = surroundings.lines.listen(id, {
      stated: (...statement) => this.#stated(...statement),
      became: (...news) => this.#became(...news),
      aside: (kind, body) => this.#aside(kind, body),
    })
    this.begun = surroundings.store.head(id).then((head) => {
      if (!this.#isOpen || this.#failed) return
      if (head.outcome === 'refused') this.fail(head.reason)
      else this.#begin(head)
    })
  }

  /** It is not known yet where the logs end. */
  get isBeginning(): boolean {
    return this.#early !== undefined
  }

  get failed(): Refused | undefined {
    return this.#failed
  }

  subscribe(subscriber: Subscriber): void {
    this.subscribers.add(subscriber)
    if (this.#saved.size > 0) subscriber.saved(this.#saved)
    if (this.#failed) subscriber.log('unreachable')
  }

  each(work: (subscriber: Subscriber) => void): void {
    for (const subscriber of [...this.subscribers]) work(subscriber)
  }

  tell(author: ConnectionId, at: Cursor | undefined, envelope: Uint8Array): void {
    this.each((subscriber) => subscriber.entry(author, at, envelope, entryKinds.change))
  }

  fail(reason: Refusal): void {
    if (this.#failed || !this.#isOpen) return
    this.#failed = { outcome: 'refused', reason }
    for (const subscriber of this.subscribers) subscriber.log('unreachable')
    this.#surroundings.failed(this)
  }

  /** The logs can be read, and nothing is taken before a snapshot. */
  staysFull(compact: Compaction): void {
    this.#failed = { outcome: 'refused', reason: 'quota', compact }
  }

  /** The logs can be read again, and this is where they end. */
  recover(head: Ends): void {
    this.#failed = undefined
    this.#heard.clear()
    this.#saved = head.saved
    this.#early = []
    for (const subscriber of this.subscribers) {
      if (head.saved.size > 0) subscriber.saved(head.saved)
      subscriber.log('kept')
    }
    this.#begin(head)
  }

  /**
   * For somebody who hears already what is said from now on. What others here heard before, and the stores do not have yet because a mirror
   * is slower than the link, counts as not heard from then on: so everybody is told it once it is saved.
   */
  async since(cursor: Cursor, generation: number): Promise<Answers['since']> {
    await this.begun
    for (let reading = 1; ; reading++) {
      const heard = new Map(this.#heard)
      const pages = await this.#surroundings.store.since(this.id, cursor, generation)
      if (pages.outcome !== 'pages' || hasMore(pages) || this.#failed) return pages
      const read = (origin: string) =>
        Math.max(pages.applied.get(origin) ?? 0, pages.of.get(origin)?.upTo?.sequence ?? 0)
      const missing = [...heard].flatMap(([origin, sequence]) => (read(origin) < sequence ? [origin] : []))
      // What was saved meanwhile is not told again, but now it can be read.
      const isSaved = missing.some((origin) => this.#savedOrAboutTo(origin) > read(origin))
      if (isSaved && reading < mostReadings) continue
      for (const origin of missing)
        this.#heard.set(origin, Math.min(read(origin), this.#heard.get(origin) ?? 0))
      return pages
    }
  }

  close(): void {
    this.#isOpen = false
    this.#stop()
    clearTimeout(this.#tellingElsewhere)
  }

  #begin({ saved, applied }: Ends): void {
    this.#noteApplied(applied)
    this.#save(saved)
    const early = this.#early ?? []
    this.#early = undefined
    for (const work of early) work()
  }

  #onceBegun(work: () => void): void {
    if (this.#failed) return // it begins anew
    if (this.#early) this.#early.push(work)
    else work()
  }

  #stated({ author, message }: Statement, origin: string, sequence: number, previous: number): void {
    if (message.type === 'append') {
      const position = { sequence, mark: markOf(checksumOf(message.envelope)) }
      this.tell(author, this.#failed ? undefined : new Map([[origin, position]]), message.envelope)
    }
    this.#onceBegun(() => this.#hear(origin, sequence, previous))
  }

  #hear(origin: string, sequence: number, previous: number): void {
    const before = this.#heard.get(origin) ?? 0
    if (previous > before) void this.#readMissing()
    else if (sequence > before) this.#heard.set(origin, sequence)
  }

  #noteApplied(applied: ReadonlyMap<string, number>): void {
    for (const [origin, sequence] of applied)
      this.#heard.set(origin, Math.max(sequence, this.#heard.get(origin) ?? 0))
  }

  #became({ sequence, of, outcome: became }: News, origin: string, region: string): void {
    if (region !== this.#surroundings.region) return this.#becameElsewhere(origin, became)
    // Another store of this shard was quicker, and everybody knows.
    const isKnown = sequence <= (this.#saved.get(origin)?.sequence ?? 0)
    if (isKnown && became.outcome !== 'deleted') return
    switch (became.outcome) {
      case 'deleted':
        return this.each((subscriber) => subscriber.deleted())
      case 'refused':
        if (of === 'append') this.fail(became.reason)
        return
      case 'released':
      case 'saved': {
        if (this.#failed) return
        const place: Cursor = new Map(became.position && [[origin, became.position]])
        // Who hears keys must be able to find them in the log.
        if (became.outcome === 'released')
          this.each((subscriber) => subscriber.entry(nobody, place, became.body, entryKinds.released))
        // It was said while this relay was cut off from it.
        this.#onceBegun(() => {
          if (sequence > (this.#heard.get(origin) ?? 0)) void this.#readMissing()
          else this.#save(place)
        })
      }
    }
  }

  #becameElsewhere(origin: string, became: Became): void {
    if (became.outcome !== 'saved') return
    const known = this.#elsewhere.get(origin)?.sequence ?? 0
    if (became.position.sequence > known) this.#elsewhere.set(origin, became.position)
    // One frame for what comes close together.
    this.#tellingElsewhere ??= setTimeout(() => {
      this.#tellingElsewhere = undefined
      this.each((subscriber) => subscriber.savedElsewhere(this.#elsewhere))
    }, elsewhereMs).unref()
  }

  #aside(kind: Aside, body: Uint8Array): void {
    const { presence } = this.#surroundings
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.length)
    switch (kind) {
      case 'signal':
        return this.each((subscriber) =>
          subscriber.signal(bytes.readUInt32BE(0), bytes.readUInt32BE(4), body.subarray(8)),
        )
      case 'loose':
        return this.tell(bytes.readUInt32BE(0), undefined, body.subarray(4))
      case 'who':
        return presence.asked(this.id)
      case 'joined':
        return presence.heardJoined(this.id, bytes)
      case 'left':
        return presence.heardLeft(this.id, bytes)
      case 'here':
        return presence.heardHere(this.id, bytes)
    }
  }

  /** Reads from the log what the stream said and this relay did not hear. Nothing behind it counts as saved before. */
  async #readMissing(): Promise<void> {
    if (this.#missing) {
      this.#missing.again = true
      return
    }
    const missing = { again: true, saved: this.#saved }
    this.#missing = missing
    while (missing.again && this.#isOpen) {
      missing.again = false
      const pages = await this.#surroundings.store.since(this.id, this.#saved, 0)
      if (this.#failed) break
      if (pages.outcome === 'deleted') this.each((subscriber) => subscriber.deleted())
      else if (pages.outcome === 'refused' || !isContinuation(pages, this.#saved))
        this.fail('unreachable') // everybody reads it for themselves, once that is possible
      else {
        if (this.#tellPages(pages)) missing.again = true
        else this.#noteApplied(pages.applied)
      }
    }
    this.#missing = undefined
    if (!this.#failed) this.#save(missing.saved)
  }

  /** True when there is more to be read. */
  #tellPages(pages: Pages): boolean {
    for (const [origin, { entries }] of pages.of) {
      for (const { position, envelope, kind } of entries) {
        const at = new Map([[origin, position]])
        this.each((subscriber) => subscriber.entry(nobody, at, envelope, kind))
      }
    }
    const end = endOf(pages)
    this.#saved = joinCursors(this.#saved, end)
    this.each((subscriber) => subscriber.saved(end))
    return hasMore(pages)
  }

  #savedOrAboutTo(origin: string): number {
    const cursors = [this.#saved, this.#missing?.saved]
    return Math.max(...cursors.map((cursor) => cursor?.get(origin)?.sequence ?? 0))
  }

  #save(cursor: Cursor): void {
    if (this.#missing) this.#missing.saved = joinCursors(this.#missing.saved, cursor)
    const isNews = ([origin, { sequence }]: [string, { sequence: number }]) =>
      sequence > (this.#saved.get(origin)?.sequence ?? 0)
    const saved: Cursor = new Map([...cursor].filter(isNews))
    if (this.#missing || saved.size === 0) return
    this.#saved = joinCursors(this.#saved, saved)
    for (const subscriber of this.subscribers) subscriber.saved(saved)
  }
}

function hasMore({ of }: Pages): boolean {
  return [...of.values()].some(({ more }) => more)
}

/** False when the log is another one than the cursor was in, or what it covers is gone into a snapshot. */
function isContinuation({ resumed, of }: Pages, cursor: Cursor): boolean {
  return (resumed || cursor.size === 0) && [...of.values()].every(({ snapshot }) => !snapshot)
}
