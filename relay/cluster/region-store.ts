import { deserialize, serialize } from 'node:v8'
import type { Cursor } from '../../shared/cursor.ts'
import type { Deposit } from '../../shared/escrow.ts'
import type { SessionId } from '../../shared/id.ts'
import type {
  Deleted,
  Deposited,
  Head,
  NewSnapshot,
  Page,
  PutSnapshot,
  Store,
  Unreachable,
} from '../store.ts'
import type { Lines } from './lines.ts'
import { type Region, shardOf } from './region.ts'

/** What relays ask stores. What is to be changed goes through the stream instead. */
export type Question =
  | {
      readonly type: 'since'
      readonly session: SessionId
      readonly cursor: Cursor
      readonly generation: number
    }
  | { readonly type: 'head'; readonly session: SessionId }
  | { readonly type: 'check' }

export interface Answers {
  since: Page | Deleted | Unreachable
  head: Head | Unreachable
  check: { readonly outcome: 'ready' } | Unreachable
}

/** A read of a long log waits for the disk of a busy store. */
const patience = 5_000
const unreachable: Unreachable = { outcome: 'refused', reason: 'unreachable' }

/** The stores of a region, as a relay sees them. */
export class RegionStore implements Omit<Store, 'append' | 'release' | 'close'> {
  readonly origin: string
  readonly #region: Region
  readonly #lines: Lines

  constructor(region: Region, lines: Lines) {
    this.origin = region.origin
    this.#region = region
    this.#lines = lines
  }

  async since(session: SessionId, cursor: Cursor, generation: number): Promise<Page | Deleted | Unreachable> {
    return this.#ask<'since'>(shardOf(session), { type: 'since', session, cursor, generation })
  }

  async head(session: SessionId): Promise<Head | Unreachable> {
    return this.#ask<'head'>(shardOf(session), { type: 'head', session })
  }

  async check(): Promise<{ readonly outcome: 'ready' } | Unreachable> {
    return this.#ask<'check'>(0, { type: 'check' })
  }

  async putSnapshot(session: SessionId, snapshot: NewSnapshot): Promise<PutSnapshot> {
    const became = await this.#lines.state(session, { author: 0, message: { type: 'snapshot', ...snapshot } })
    switch (became?.outcome) {
      case 'kept':
      case 'outdated':
      case 'refused':
        return became
      default:
        return unreachable
    }
  }

  async deposit(session: SessionId, deposit: Deposit): Promise<Deposited> {
    const message = { type: 'deposit', ref: 0, ...deposit } as const
    const became = await this.#lines.state(session, { author: 0, message })
    switch (became?.outcome) {
      case 'deposited':
      case 'closed':
      case 'deleted':
      case 'refused':
        return became
      default:
        return unreachable
    }
  }

  /** The relay has checked that the owner asks for it. */
  async delete(session: SessionId): Promise<Deleted | Unreachable> {
    const message = { type: 'delete', signature: new Uint8Array(64) } as const
    const became = await this.#lines.state(session, { author: 0, message })
    return became?.outcome === 'deleted' || became?.outcome === 'refused' ? became : unreachable
  }

  /** Any store of the shard answers; it has then applied what the stream held when it was asked. */
  async #ask<Type extends Question['type']>(
    shard: number,
    question: Extract<Question, { type: Type }>,
  ): Promise<Answers[Type] | Unreachable> {
    const { connection, name } = this.#region
    try {
      const asked = await connection.request(`ask.${name}.${shard}`, serialize(question), {
        timeout: patience,
      })
      return deserialize(asked.data) as Answers[Type]
    } catch {
      return unreachable // no store of this shard, no answer in time, or no NATS: all the same to who asks
    }
  }
}
