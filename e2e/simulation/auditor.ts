import * as Y from 'yjs'
import { isAcceptable } from '../../client/link/gate.ts'
import { decrypt } from '../../shared/envelope.ts'
import type { SessionKeys } from '../../shared/keys.ts'
import { decodePart, PartCollector } from '../../shared/parts.ts'
import type { StoreDisk } from './virtual-store.ts'

/** Knows what the store has committed, by reading it with the session's key. */
export class Auditor {
  readonly #keys: SessionKeys
  /** How often it has begun anew. */
  readings = 0
  #doc = new Y.Doc()
  #parts = new PartCollector()
  /** The nonces of all envelopes. */
  #names = new Set<string>()

  constructor(keys: SessionKeys) {
    this.#keys = keys
  }

  get doc(): Y.Doc {
    return this.#doc
  }

  /** Of the changes of one Yjs client, how many are in the store, those too that wait for somebody else's. */
  stateOf(client: number): number {
    const state = Y.getState(this.#doc.store, client)
    const waiting = this.#doc.store.pendingStructs?.update
    if (!waiting) return state
    const { from, to } = Y.parseUpdateMetaV2(waiting)
    return (from.get(client) ?? Number.POSITIVE_INFINITY) <= state
      ? Math.max(state, to.get(client) ?? 0)
      : state
  }

  read(kind: 'snapshot' | 'change', envelope: Uint8Array): void {
    this.#names.add(nameOf(envelope))
    const content = decrypt(this.#keys, kind, envelope)
    if (!content) return
    const part = kind === 'change' ? decodePart(content) : undefined
    const update = kind === 'snapshot' ? content : part && this.#parts.add(part)
    if (update && isAcceptable(update)) Y.applyUpdate(this.#doc, update)
  }

  knows(envelope: Uint8Array): boolean {
    return this.#names.has(nameOf(envelope))
  }

  /** Forgets everything and reads what a newcomer would get. */
  readAgain(disk: StoreDisk): void {
    this.readings++
    this.#doc.destroy()
    this.#doc = new Y.Doc()
    this.#parts = new PartCollector()
    this.#names = new Set()
    for (const { kind, envelope } of disk.envelopes()) this.read(kind, envelope)
  }
}

function nameOf(envelope: Uint8Array): string {
  return Buffer.from(envelope.subarray(0, 24)).toString('latin1')
}
