import { randomBytes } from 'node:crypto'
import type { Database } from 'better-sqlite3'
import { equalBytes } from '../../shared/codec.ts'
import {
  boxKeyBytes,
  type Deposit,
  decodeReleased,
  encodeKeys,
  mostKeys,
  nameBytes,
  type ReleasedKey,
  saltBytes,
} from '../../shared/escrow.ts'
import { depositChecksum } from './hash.ts'
import type { Damage } from './read-tables.ts'
import type { SessionTable } from './session-table.ts'
import type { Deposited, Release } from './store.ts'
import { isBytes } from './whole-rows.ts'

/** Keys of rounds that nobody ever reveals stay as long as the session, so there is an end to them. */
const mostDeposits = 20_000

/** The keys of seals' boxes: they come in one by one, and leave together with the round. Everything runs inside a transaction of the caller. */
export class EscrowTables {
  readonly #sessions: SessionTable
  readonly #damaged: Damage
  readonly #statements

  constructor(database: Database, sessions: SessionTable, damaged: Damage) {
    this.#sessions = sessions
    this.#damaged = damaged
    this.#statements = prepareAll(database)
  }

  deposit(id: string, { round, seal, key, replaces }: Deposit): Deposited {
    const session = this.#sessions.findOrCreate(id)
    if (!session) return { outcome: 'deleted' }
    const { released, find, insert, drop, count } = this.#statements
    if (released.get(session.key, round)) return { outcome: 'closed' }
    // First, because what it replaces may have the same name: the key of a vote that goes on in another round.
    for (const old of replaces) session.deposits -= drop.run(session.key, round, old).changes
    const found = find.all(session.key, round, seal)
    const [known] = this.#whole(round, found)
    if (known) return { outcome: equalBytes(known.key, key) ? 'deposited' : 'closed' }
    // A damaged one gives way, so that depositing the key again repairs it.
    const isFull = session.deposits >= mostDeposits || (count.get(session.key, round)?.keys ?? 0) >= mostKeys
    if (isFull && found.length === 0) return { outcome: 'refused', reason: 'quota' }
    insert.run(session.key, round, seal, key, depositChecksum(round, seal, key))
    session.deposits += 1 - found.length
    this.#sessions.use(session)
    return { outcome: 'deposited' }
  }

  release(
    id: string,
    round: Uint8Array,
    asker: Uint8Array,
    salt: Uint8Array = randomBytes(saltBytes),
  ): Release {
    const session = this.#sessions.findOrCreate(id)
    if (!session) return { outcome: 'deleted' }
    const { released, keys, dropRound, note } = this.#statements
    const known = released.get(session.key, round)
    if (isBytes(known?.body) && decodeReleased(known.body)) return { outcome: 'released', body: known.body }
    if (this.#sessions.isOverQuota(session)) return { outcome: 'refused', reason: 'quota' }
    const body = Buffer.concat([
      round,
      asker,
      salt,
      encodeKeys(this.#whole(round, keys.all(session.key, round))),
    ])
    session.bytes += body.length
    note.run(session.key, round, body)
    session.deposits -= dropRound.run(session.key, round).changes
    return { outcome: 'released', body }
  }

  /** A damaged key is as good as none: its voter may bring it again, and until then the card waits for them. */
  #whole(round: Uint8Array, found: readonly StoredDeposit[]): ReleasedKey[] {
    return found.flatMap(({ seal, key, checksum }) => {
      const areBytes = isBytes(seal, nameBytes) && isBytes(key, boxKeyBytes) && isBytes(checksum)
      if (areBytes && equalBytes(depositChecksum(round, seal, key), checksum)) return { seal, key }
      this.#damaged('deposits')
      return []
    })
  }
}

/** As a disk gives it, which may be anything. */
interface StoredDeposit {
  readonly seal: unknown
  readonly key: unknown
  readonly checksum: unknown
}

function prepareAll(database: Database) {
  const ofRound = 'session = ? AND round = ?'
  return {
    released: database.prepare<[number, Uint8Array], { body: unknown }>(
      `SELECT body FROM releases WHERE ${ofRound}`,
    ),
    note: database.prepare<[number, Uint8Array, Uint8Array]>(
      'INSERT OR REPLACE INTO releases VALUES (?, ?, ?)',
    ),
    find: database.prepare<[number, Uint8Array, Uint8Array], StoredDeposit>(
      `SELECT seal, key, checksum FROM deposits WHERE ${ofRound} AND seal = ?`,
    ),
    insert: database.prepare<[number, Uint8Array, Uint8Array, Uint8Array, Uint8Array]>(
      'INSERT OR REPLACE INTO deposits VALUES (?, ?, ?, ?, ?)',
    ),
    drop: database.prepare<[number, Uint8Array, Uint8Array]>(
      `DELETE FROM deposits WHERE ${ofRound} AND key = ?`,
    ),
    count: database.prepare<[number, Uint8Array], { keys: number }>(
      `SELECT count(*) AS keys FROM deposits WHERE ${ofRound}`,
    ),
    keys: database.prepare<[number, Uint8Array], StoredDeposit>(
      `SELECT seal, key, checksum FROM deposits WHERE ${ofRound} ORDER BY deposits.seal`,
    ),
    dropRound: database.prepare<[number, Uint8Array]>(`DELETE FROM deposits WHERE ${ofRound}`),
  }
}
