import { JetStreamApiError } from '@nats-io/jetstream'
import type { Follower } from './follower.ts'
import type { Region } from './region.ts'
import { countAfter, mirrorLags, provideMirror, streamOf } from './streams.ts'

/** So often NATS may refuse a mirror for the same reason before that is said: while it starts, it does. */
const refusalsUnsaid = 3

/** What this region's NATS has of the others' streams. */
export class Mirrors {
  readonly #region: Region
  readonly #others: readonly string[]
  readonly #failed: (error: unknown) => void
  /** By region: why its mirrors were refused, and how often in a row. */
  readonly #refusals = new Map<string, { readonly words: string; readonly times: number }>()
  /** How far each is behind its stream, as NATS last knew. */
  #lags: ReadonlyMap<string, number> = new Map()
  /** By region: those whose stream is gone, and that this store has read. */
  readonly #ended = new Map<string, readonly string[]>()

  /** `failed` is told once why NATS, asked several times, makes no mirror of a region that can be reached. */
  constructor(region: Region, others: readonly string[], failed: (error: unknown) => void) {
    this.#region = region
    this.#others = others
    this.#failed = failed
  }

  /** How many messages of an origin's stream its mirror lacks. */
  lagOf(origin: string): number {
    return this.#lags.get(origin) ?? 0
  }

  /** Nothing more comes from it; what that region's stores read further is taken from them. */
  hasEnded(origin: string): boolean {
    return [...this.#ended.values()].some((origins) => origins.includes(origin))
  }

  /** Makes those that are missing. Told who follows an origin here. */
  async provide(followerOf: (origin: string) => Follower | undefined): Promise<void> {
    // Cut off from some, it has the others all the same.
    await Promise.all(
      this.#others.map((other) =>
        this.#provide(other, followerOf).then(
          () => this.#refusals.delete(other),
          (error: unknown) => this.#noteFailure(other, error),
        ),
      ),
    )
  }

  async noteLags(): Promise<void> {
    if (this.#others.length === 0) return
    this.#lags = await mirrorLags(this.#region.manager).catch(() => this.#lags)
  }

  #noteFailure(other: string, error: unknown): void {
    if (!(error instanceof JetStreamApiError)) return // the link is cut, or NATS is away
    const words = error.message
    const known = this.#refusals.get(other)
    const times = known?.words === words ? known.times + 1 : 1
    this.#refusals.set(other, { words, times })
    if (times === refusalsUnsaid) this.#failed(error)
  }

  /** One whose stream is gone stays for stores that have not read it, until it has nothing any more. */
  async #provide(other: string, followerOf: (origin: string) => Follower | undefined): Promise<void> {
    const { manager } = this.#region
    const ended: string[] = []
    for (const origin of await provideMirror(this.#region, other)) {
      const follower = followerOf(origin)
      const isRead = follower
        ? (await countAfter(manager, origin, follower.upTo)) === 0
        : this.hasEnded(origin)
      if (isRead) ended.push(origin)
      if ((await countAfter(manager, origin, 0)) === 0) await manager.streams.delete(streamOf(origin))
    }
    this.#ended.set(other, ended)
  }
}
