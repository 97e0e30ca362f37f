import { sha256 } from '@noble/hashes/sha2.js'
import * as Y from 'yjs'
import { base32 } from '../../shared/id.ts'

/** Long enough for a vote to reach everybody: while people act, nobody compares. */
const quiet = 2_500
/** Only a difference that lasts is one: the others' digests arrive one after the other. */
const lasting = 8_000

/**
 * Compares what this device has with what the others say they have: "everybody here sees the same" is a fact or is not
 * said. A digest is told only when it is quiet.
 */
export class Same {
  readonly #doc: Y.Doc
  readonly #tell: (digest: Uint8Array) => void
  readonly #changed: () => void
  #timer: ReturnType<typeof setTimeout> | undefined
  #own: string | undefined
  #lasts = false
  /** As far as was known last. */
  #differs = false

  constructor(doc: Y.Doc, tell: (digest: Uint8Array) => void, changed: () => void) {
    this.#doc = doc
    this.#tell = tell
    this.#changed = changed
  }

  /** The document changed. */
  disturb(): void {
    this.forget()
    this.#timer = setTimeout(() => {
      const digest = digestOf(this.#doc)
      this.#own = base32(digest)
      this.#tell(digest)
      this.#watch()
    }, quiet)
  }

  /**
   * Somebody came, who may not have everything yet. What lasts already goes on: those who mend come anew, and would keep
   * the others from mending, one after the other.
   */
  wait(): void {
    if (!this.#own) return this.disturb()
    if (this.#differs) return
    clearTimeout(this.#timer)
    this.#watch()
  }

  /** The document changed, and nobody is here to compare with. */
  forget(): void {
    this.#own = undefined
    this.#lasts = false
    this.#differs = false
    this.stop()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  /** Of what this device has; undefined while that changes. */
  get own(): string | undefined {
    return this.#own
  }

  /** Undefined: nobody to compare with, or not known at the moment. */
  compare(others: readonly (string | undefined)[]): boolean | undefined {
    if (others.length === 0 || !this.#own) return undefined
    const isOther = (digest: string | undefined) => digest !== this.#own
    // Whoever does not say what they have keeps nobody from finding out.
    this.#differs = this.#lasts && others.some((digest) => digest && isOther(digest))
    return this.#differs ? false : !others.some(isOther) || undefined
  }

  #watch(): void {
    this.#lasts = false
    this.#timer = setTimeout(() => {
      this.#lasts = true
      this.#changed()
    }, lasting)
  }
}

/** 8 bytes over everything the document has seen, deletions too. Yjs writes both in a fixed order. */
export function digestOf(doc: Y.Doc): Uint8Array {
  return sha256(Y.encodeSnapshot(Y.snapshot(doc))).slice(0, 8)
}
