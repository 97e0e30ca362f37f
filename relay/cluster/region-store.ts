import { deserialize, serialize } from 'node:v8'
import type { Cursor } from '../../shared/cursor.ts'
import type { Deposit } from '../../shared/escrow.ts'
import type { SessionId } from '../../shared/id.ts'
import type { Reporter } from '../operators/report.ts'
import { shardCount, shardOf } from '../store/shard.ts'
import {
  type Archive,
  type Deleted,
  type Deposited,
  type NewSnapshot,
  type PutSnapshot,
  type Unreachable,
  unreachable,
} from '../store/store.ts'
import type { Lines } from './lines.ts'
import { askForPieces } from './pieces.ts'
import { type Answers, type Question, subjectOf } from './questions.ts'
import type { Region } from './region.ts'
import { ShardBreakers } from './shard-breakers.ts'

/** A read of a long log waits for the disk of a busy store. */
const patience = 5_000

/** The stores of a region, as a relay sees them. */
export class RegionStore implements Archive {
  readonly #region: Region
  readonly #lines: Lines
  readonly #breakers: ShardBreakers
  #checked = 0

  constructor(region: Region, lines: Lines, report: Reporter = () => {}) {
    this.#region = region
    this.#lines = lines
    this.#breakers = new ShardBreakers(report)
  }

  /** Of how many shards no store has answered lately. */
  get silentShards(): number {
    return this.#breakers.silent
  }

  async since(session: SessionId, cursor: Cursor, generation: number): Promise<Answers['since']> {
    return this.#ask<'since'>(shardOf(session), { type: 'since', session, cursor, generation })
  }

  async head(session: SessionId): Promise<Answers['head']> {
    return this.#ask<'head'>(shardOf(session), { type: 'head', session })
  }

  /**
   * Asks about another shard each time: stores may keep different ones, and each answer is a commit. And about all of which no store
   * answered, though nobody waits for that: else they may not be asked about for long.
   */
  async check(): Promise<Answers['check']> {
    const next = this.#checked++ % shardCount
    for (const shard of this.#breakers.silentOnes)
      if (shard !== next) void this.#ask<'check'>(shard, { type: 'check' })
    return this.#ask<'check'>(next, { type: 'check' })
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

  /** Keeps the stores of every region that can be reached from deleting the session as unused. */
  noteUse(session: SessionId): void {
    const { connection } = this.#region
    if (!connection.isClosed()) connection.publish('used', session)
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
      const subject = subjectOf(name, shard)
      const asked = await this.#breakers.ask(shard, async () => {
        if (!this.#region.isConnected) throw new Error('The line to NATS is broken')
        return await askForPieces(connection, subject, serialize(question), patience)
      })
      return deserialize(asked) as Answers[Type]
    } catch {
      return unreachable // no store of this shard, none in time or lately, or no NATS: all the same to who asks
    }
  }
}
