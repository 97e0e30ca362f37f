import type { Position } from '../../shared/cursor.ts'
import type { Deposit } from '../../shared/escrow.ts'
import type { RawPage } from './read-tables.ts'
import type { Appended, Deleted, Deposited, Head, PutSnapshot, Release, Unreachable } from './store.ts'

/** What the relay's thread and the store's thread say to each other. */
export interface StoreOptions {
  readonly dataDir: string
  readonly region: string
  /** The name of its sequences in cursors; one is made up with the database unless several stores share it. */
  readonly origin?: string | undefined
  readonly sessionMaxBytes: number
  readonly sessionIdleDays: number
  /** In bytes; without one the disk may be filled. */
  readonly diskReserve?: number
}

/** A place in a stream up to which it was read. */
export interface Reached {
  readonly sequence: number
  /** When that message was said, in milliseconds, as far as it is known. */
  readonly said: number | undefined
}

export type Request =
  | {
      readonly type: 'since'
      readonly session: string
      readonly after: Position | undefined
      readonly generation: number
    }
  | {
      readonly type: 'snapshot'
      readonly session: string
      readonly covers: Position | undefined
      readonly replaces: Uint8Array | undefined
      readonly envelope: Uint8Array
    }
  | { readonly type: 'head'; readonly session: string }
  | { readonly type: 'deposit'; readonly session: string; readonly deposit: Deposit }
  | {
      readonly type: 'release'
      readonly session: string
      readonly round: Uint8Array
      readonly asker: Uint8Array
      readonly salt: Uint8Array | undefined
    }
  | { readonly type: 'delete'; readonly session: string }
  | { readonly type: 'check' }
  /** How far a stream was read; with a place it is noted first. */
  | { readonly type: 'applied'; readonly reached: Reached | undefined }
  /** Sessions were changed by another connection. */
  | { readonly type: 'forget' }
  /** The largest the database may grow; undefined for no limit but the disk. */
  | { readonly type: 'limit'; readonly bytes: number | undefined }
  | { readonly type: 'close' }

/** Like a `Page`, with its entries packed into one buffer. */
export type PackedPage = Omit<RawPage, 'rows'> & { readonly outcome: 'page'; readonly rows: ArrayBuffer }

export type Answer =
  | PackedPage
  | PutSnapshot
  | Head
  | Deposited
  | Release
  | { readonly outcome: 'ready' }
  | ({ readonly outcome: 'applied' } & Reached)
  | Deleted
  | Unreachable

/** Packed appends are committed first, then the requests are answered in order. */
export interface ToStore {
  readonly appends: ArrayBuffer | undefined
  readonly requests: readonly Request[]
}

export type FromStore =
  | { readonly type: 'opened'; readonly origin: string }
  | { readonly type: 'notOpened'; readonly words: string }
  | {
      readonly type: 'answers'
      /** `ordinary` saved appends are only counted; the others stand here by their place in the batch. */
      readonly unusual: readonly (readonly [number, Appended])[]
      readonly answers: readonly Answer[]
      /** How long the transaction of the appends took. */
      readonly commitMs: number
    }
  | Notice

/** The tables whose rows carry a checksum. */
export type CheckedTable = 'entries' | 'snapshots' | 'deposits' | 'releases'

/** What the store noticed by itself. */
export type Notice =
  | { readonly type: 'damagedRow'; readonly table: CheckedTable }
  | { readonly type: 'damagedDatabase' }
  | { readonly type: 'mended'; readonly indexes: number }
  | { readonly type: 'refused'; readonly reason: 'full' | 'unreachable'; readonly code: string }
  | { readonly type: 'expired'; readonly sessions: number }
