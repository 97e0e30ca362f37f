import type { Follower, OriginStore } from './follower.ts'

/** One log of all sessions: what was said in one stream. */
export interface Kept {
  readonly store: OriginStore
  /** Where its database lies. */
  readonly folder: string
  /** False when shards of this store are missing in it, which another one must not take for all there is. */
  readonly isWhole: boolean
  /** Undefined while its stream is gone: then it is only read. */
  follower: Follower | undefined
  /** Shards of which another store had read more of what the stream has no more. */
  lacked: ReadonlySet<number>
  /** What its stream has no more, and this store had not read, is not looked for: nobody who answered had it. */
  isGivenUp: boolean
  /** Where a gap ends that was found before its stream was read. */
  gapEnd?: number | undefined
  /** How often a gap could not be filled. */
  gapTries: number
}
