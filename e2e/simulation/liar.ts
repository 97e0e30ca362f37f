import type { Chance } from '../../shared/testing.ts'
import { decodeFromRelay, type FromRelay } from '../../shared/wire.ts'
import type { VirtualClock } from './virtual-clock.ts'

export type Lie = 'withhold' | 'repeat' | 'reorder' | 'replay'

/** Frames of the handshake are left alone: a relay that breaks them is one that cannot be reached. */
const untouched = new Set<FromRelay['type']>(['challenge', 'refuse', 'goingAway', 'caughtUp'])
const mostKept = 50

/** What a relay does that wants to harm: it cannot read or forge, so it withholds, repeats, reorders and replays. */
export class Liar {
  readonly told: Record<Lie, number> = { withhold: 0, repeat: 0, reorder: 0, replay: 0 }
  lying = false
  #liedAt = Number.NEGATIVE_INFINITY
  readonly #chance: Chance
  readonly #clock: VirtualClock
  readonly #isKept: (envelope: Uint8Array) => boolean
  #old: { readonly frame: Uint8Array; readonly envelope: Uint8Array }[] = []

  /** What the store does not keep must not come back: a relay that says it is saved cannot be caught. */
  constructor(chance: Chance, clock: VirtualClock, isKept: (envelope: Uint8Array) => boolean) {
    this.#chance = chance
    this.#clock = clock
    this.#isKept = isKept
  }

  /** What is made of what it said takes no longer than that. */
  get hasLiedLately(): boolean {
    return this.#clock.now - this.#liedAt < 120_000
  }

  pass(frame: Uint8Array, send: (frame: Uint8Array) => void): void {
    if (!this.lying && this.#old.length >= mostKept) return send(frame)
    const message = decodeFromRelay(frame)
    if (!message || untouched.has(message.type)) return send(frame)
    if (message.type === 'entry' && this.#old.length < mostKept) {
      this.#old.push({ frame, envelope: message.envelope })
    }
    if (!this.lying || this.#chance.happens(0.8)) return send(frame)
    const lie = this.#chance.pick<Lie>(['withhold', 'repeat', 'reorder', 'replay'])
    this.told[lie]++
    this.#liedAt = this.#clock.now
    switch (lie) {
      case 'withhold':
        return
      case 'repeat':
        send(frame)
        return send(frame)
      case 'reorder':
        this.#clock.after(this.#chance.below(3000), () => send(frame))
        return
      case 'replay': {
        const kept = this.#old.filter(({ envelope }) => this.#isKept(envelope))
        send(frame)
        return send(kept.length > 0 ? this.#chance.pick(kept).frame : frame)
      }
    }
  }

  forget(): void {
    this.#old = []
  }
}
