import { deserialize, serialize } from 'node:v8'
import type { Position } from '../../shared/cursor.ts'
import type { Compaction, Deleted, Deposited, PutSnapshot, Unreachable } from '../store/store.ts'
import type { Stated } from './statement.ts'

/** What a store made of statements about one session. */
export interface Bulletin {
  /** Whose stream they are in. */
  readonly origin: string
  /** Where the store is. */
  readonly region: string
  readonly news: readonly News[]
}

/** What became of a statement, by its sequence in the stream. */
export interface News {
  readonly sequence: number
  readonly of: Stated['type']
  readonly outcome: Became
}

export type Became =
  | { readonly outcome: 'saved'; readonly position: Position; readonly compact: Compaction | undefined }
  /** The log has it already. */
  | { readonly outcome: 'duplicate' }
  /** The keys of a round, now in the log; without a position when they were there before. */
  | { readonly outcome: 'released'; readonly position: Position | undefined; readonly body: Uint8Array }
  | Deposited
  | PutSnapshot
  | Deleted
  /** `full` and `unreachable`: not yet. The stream keeps it, and the store goes on trying. */
  | Unreachable

/** In Node's own format of structured clones, which newer versions read too. Only relays and stores of one operator speak it. */
export function encodeBulletin(bulletin: Bulletin): Uint8Array {
  return serialize(bulletin)
}

export function decodeBulletin(bytes: Uint8Array): Bulletin {
  return deserialize(bytes) as Bulletin
}
