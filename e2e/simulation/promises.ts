import * as Y from 'yjs'
import type { Auditor } from './auditor.ts'
import type { Peer } from './peer.ts'

/**
 * Holds the devices to what they say. "Saved" means in the store; and after the store has lost something, still on some
 * device, as long as that device keeps its disk.
 */
export class Promises {
  /** Of each Yjs client, up to where its device has said that the relay has it. */
  readonly #saved = new Map<number, number>()
  /** Those among them that an older copy of the store does not have. */
  readonly #atRisk = new Set<number>()
  readonly #auditor: Auditor
  #checkedReadings = 0
  /** A snapshot was made of what a lying relay had said. */
  #mayLack = false
  lost = 0
  /** How often such a snapshot had saved changes dropped. */
  dropped = 0
  promised = 0

  constructor(auditor: Auditor) {
    this.#auditor = auditor
  }

  /**
   * A relay that keeps the same from each reading of whoever makes a snapshot has the store drop it, and nobody can tell. Then it is on
   * some device, and comes back when that one compares what it has with the others.
   */
  compacted(isLiedTo: boolean): void {
    this.#mayLack ||= isLiedTo
  }

  check(peers: readonly Peer[]): void {
    const { readings } = this.#auditor
    if (readings > this.#checkedReadings) {
      if (this.#mayLack && this.#hasVanished) {
        this.dropped++
        this.goneBack(peers)
      }
      this.#checkKept()
    }
    this.#checkedReadings = readings
    this.#mayLack = false
    for (const { name, core } of peers) {
      if (!core?.link || !core.mayWrite || core.link.waiting > 0) continue
      const client = core.doc.clientID
      const own = Y.getState(core.doc.store, client)
      if (own <= (this.#saved.get(client) ?? 0)) continue
      if (this.#auditor.stateOf(client) < own) {
        throw new Error(
          `${name} says that its ${own} changes are saved, but the store has ${this.#auditor.stateOf(client)}`,
        )
      }
      this.#saved.set(client, own)
      this.promised++
    }
    for (const client of this.#atRisk) {
      const saved = this.#saved.get(client) ?? 0
      if (this.#auditor.stateOf(client) >= saved) this.#atRisk.delete(client)
      else if (!isSomewhere(client, saved, peers)) {
        throw new Error('A saved change that the store had lost has vanished from all devices')
      }
    }
  }

  get #hasVanished(): boolean {
    return [...this.#saved].some(
      ([client, saved]) => this.#auditor.stateOf(client) < saved && !this.#atRisk.has(client),
    )
  }

  /** After the store or a device went back to an older state. What neither has any more is lost, and nobody's fault. */
  goneBack(peers: readonly Peer[]): void {
    for (const [client, saved] of this.#saved) {
      if (this.#auditor.stateOf(client) >= saved) continue
      if (isSomewhere(client, saved, peers)) this.#atRisk.add(client)
      else {
        this.#atRisk.delete(client)
        this.#saved.set(client, this.#auditor.stateOf(client))
        this.lost++
      }
    }
  }

  /** What took the place of older entries must have what they had. */
  #checkKept(): void {
    if (this.#hasVanished) throw new Error('A saved change has vanished from the store')
  }

  /** In the end the store has everything again. */
  checkAll(): void {
    for (const [client, saved] of this.#saved) {
      if (this.#auditor.stateOf(client) < saved) throw new Error('A saved change is missing in the store')
    }
  }
}

/** An observer cannot give anything back to the store. */
function isSomewhere(client: number, clock: number, peers: readonly Peer[]): boolean {
  return peers.some((peer) => peer.mayWrite && peer.stateOf(client) >= clock)
}
