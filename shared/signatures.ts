import { joinBytes } from './codec.ts'
import { type Asker, escrowName, releaseStatement } from './escrow.ts'
import { idBytes, type RecordId, recordId } from './id.ts'
import { type SessionKeys, type Signature, verify } from './keys.ts'
import { membershipStatement, type StoredRecord, signatureOf } from './record.ts'

/** A record, and the bytes it came as. */
export interface Stored {
  readonly record: StoredRecord
  readonly bytes: Uint8Array
}

/**
 * Whose signatures hold, of one session's records. Each takes about a millisecond, so they are checked when that is first
 * asked for, and remembered either way.
 */
export class Signatures {
  readonly #keys: SessionKeys
  readonly #stored: (id: RecordId) => Stored | undefined
  readonly #verdicts = new Map<RecordId, boolean>()
  /** Whose signatures hold, in the order in which that was found. */
  readonly #verified: RecordId[] = []
  readonly #expected = new Set<RecordId>()

  constructor(keys: SessionKeys, stored: (id: RecordId) => Stored | undefined) {
    this.#keys = keys
    this.#stored = stored
  }

  /** Whether the record counts as its author's; false when it is not here. Of a profile, also whether the member key vouches for the author. */
  hold(id: RecordId): boolean {
    const known = this.#verdicts.get(id)
    if (known !== undefined) return known
    const signatures = this.of(id)
    if (signatures.length === 0) return false // it may still come
    const holds = signatures.every(({ signature, message, publicKey }) =>
      verify(signature, message, publicKey),
    )
    this.#judge(id, holds)
    return holds
  }

  /** Not verified; true also for what nobody has asked about. */
  mayHold(id: RecordId): boolean {
    return this.#verdicts.get(id) !== false
  }

  /** That this one is asked about sooner or later, so that it is checked when there is time. */
  expect(id: RecordId): void {
    if (!this.#verdicts.has(id)) this.#expected.add(id)
  }

  /** How many are going to be asked about and are not checked yet. */
  get unchecked(): number {
    return this.#expected.size
  }

  /** Those of them, or of these records, that are not checked yet. */
  toCheck(records?: readonly { readonly id: RecordId }[]): RecordId[] {
    const ids = records ? records.map(({ id }) => id) : [...this.#expected]
    return ids.filter((id) => !this.#verdicts.has(id))
  }

  /** Checks them, a record at each step, so that there is time for something else. */
  *check(records?: readonly { readonly id: RecordId }[]): Generator<void> {
    for (const id of this.toCheck(records)) {
      this.hold(id)
      yield
    }
  }

  /**
   * The ids of records whose signatures hold, 16 bytes each: to be kept on this device, so that a next visit need not check.
   * They only grow, so a part of them stays what it was.
   */
  verified(from = 0, to?: number): Uint8Array {
    return joinBytes(...this.#verified.slice(from, to).map(idBytes))
  }

  /**
   * Takes over what this device verified before. An id is the hash of its record's bytes, so it stands for just these.
   * Returns how many are verified by now.
   */
  trust(verified: Uint8Array): number {
    for (let at = 0; at + 16 <= verified.length; at += 16)
      this.#judge(recordId(verified.subarray(at, at + 16)), true)
    return this.#verified.length
  }

  /** All of these hold, or the record does not count; none when it is not here. Whoever checks them elsewhere says so by `trust`. */
  of(id: RecordId): Signature[] {
    const stored = this.#stored(id)
    if (!stored) return []
    const { record, bytes } = stored
    const { session } = this.#keys
    if (record.kind === 'profile') return [signatureOf(session, bytes), this.#membershipOf(record)]
    if (record.kind !== 'release') return [signatureOf(session, bytes)]
    const message = releaseStatement(session, escrowName(this.#keys, record.round), record.reveal)
    const asked = { signature: record.signature, message, publicKey: idBytes(record.author) }
    return [asked, this.#membershipOf(record)]
  }

  #judge(id: RecordId, holds: boolean): void {
    if (holds && !this.#verdicts.get(id)) this.#verified.push(id)
    this.#verdicts.set(id, holds)
    this.#expected.delete(id)
  }

  #membershipOf({ author, membership }: Pick<Asker, 'author' | 'membership'>): Signature {
    const message = membershipStatement(this.#keys.session, author)
    return { signature: membership, message, publicKey: this.#keys.publicKeys.subarray(32, 64) }
  }
}
