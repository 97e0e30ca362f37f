import type { SessionCore } from '../../client/session/core.ts'
import { recordsOf } from '../../shared/document.ts'
import type { RecordId } from '../../shared/id.ts'
import type { StoredRecord } from '../../shared/record.ts'
import { decodeRecord } from '../../shared/record.ts'
import type { Peer } from './peer.ts'

/**
 * Watches over the cards: a card is shown only by a device that has a reveal of its round, and nowhere is there a card of a
 * round that nobody ever revealed.
 */
export class Secrecy {
  readonly #roundOfSeal = new Map<RecordId, RecordId>()
  readonly #revealed = new Set<RecordId>()
  /** What came to a device since it was looked at. */
  readonly #new = new WeakMap<SessionCore, Set<string>>()

  /** A device has just made this record. */
  made(record: StoredRecord, core: SessionCore, name: string): void {
    if (record.kind === 'seal') this.#roundOfSeal.set(record.id, record.round)
    if (record.kind === 'reveal' || record.kind === 'release') this.#revealed.add(record.round)
    if (record.kind !== 'open') return
    const round = this.#roundOfSeal.get(record.seal)
    if (!round || !core.ledger.isRevealed(round)) {
      throw new Error(`${name} shows a card of a round that nobody has revealed to them`)
    }
  }

  check(peers: readonly Peer[]): void {
    for (const { name, core } of peers) if (core) this.#look(name, core)
  }

  #look(name: string, core: SessionCore): void {
    const records = recordsOf(core.doc)
    const came = this.#new.get(core) ?? this.#watch(core)
    for (const key of came) {
      const bytes = records.get(key)
      const record = bytes instanceof Uint8Array ? decodeRecord(bytes) : undefined
      if (record?.kind !== 'open') continue
      const round = this.#roundOfSeal.get(record.seal)
      if (round && !this.#revealed.has(round)) throw new Error(`${name} can read a card that nobody revealed`)
    }
    came.clear()
  }

  /** From now on; at first everything is new. */
  #watch(core: SessionCore): Set<string> {
    const records = recordsOf(core.doc)
    const came = new Set(records.keys())
    records.observe(({ keysChanged }) => {
      for (const key of keysChanged) came.add(key)
    })
    this.#new.set(core, came)
    return came
  }
}
