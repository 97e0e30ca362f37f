import type * as Y from 'yjs'
import { recordsOf } from '../../shared/document.ts'
import type { Ledger } from '../../shared/ledger.ts'
import { recordIdOf } from '../../shared/record.ts'

/** In milliseconds: one device begins, and spares the others the trouble. */
const [shortest, longest] = [5_000, 45_000]

/**
 * The app removes no record. One that somebody erased, or wrote over, is put back by those who have seen it: otherwise whoever
 * comes later would not get it. The next time later: a device that lacks a change puts back in vain what the others have, and has
 * to come to rest before that is noticed and mended.
 */
export class Restoring {
  readonly #doc: Y.Doc
  readonly #ledger: Ledger
  readonly #suspects = new Set<string>()
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Undefined: nothing was put back lately. */
  #pause: number | undefined
  #resting: ReturnType<typeof setTimeout> | undefined

  constructor(doc: Y.Doc, ledger: Ledger) {
    this.#doc = doc
    this.#ledger = ledger
  }

  /** What the document has under a record's id is something else than it was. */
  suspect(key: string): void {
    this.#suspects.add(key)
    const pause = this.#pause ? this.#pause * (0.5 + Math.random() / 2) : shortest * Math.random()
    this.#timer ??= setTimeout(() => this.#restore(), pause)
  }

  stop(): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#resting)
  }

  #restore(): void {
    this.#timer = undefined
    this.#pause = Math.min(longest, (this.#pause ?? shortest) * 3)
    clearTimeout(this.#resting)
    this.#resting = setTimeout(() => {
      this.#pause = undefined
    }, longest)
    const records = recordsOf(this.#doc)
    this.#doc.transact(() => {
      for (const key of this.#suspects) {
        const found = records.get(key)
        const bytes = this.#ledger.bytesOf(key)
        if (bytes && !(found instanceof Uint8Array && recordIdOf(found) === key)) records.set(key, bytes)
      }
    })
    this.#suspects.clear()
  }
}
