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
  readonly #chance: Chance
  readonly #clock: VirtualClock
  #old: Uint8Array[] = []

  constructor(chance: Chance, clock: VirtualClock) {
    this.#chance = chance
    this.#clock = clock
  }

  pass(frame: Uint8Array, send: (frame: Uint8Array) => void): void {
    const type = decodeFromRelay(frame)?.type
    if (!type || untouched.has(type)) return send(frame)
    if (type === 'entry' && this.#old.length < mostKept) this.#old.push(frame)
    if (!this.lying || this.#chance.happens(0.8)) return send(frame)
    const lie = this.#chance.pick<Lie>(['withhold', 'repeat', 'reorder', 'replay'])
    this.told[lie]++
    switch (lie) {
      case 'withhold':
        return
      case 'repeat':
        send(frame)
        return send(frame)
      case 'reorder':
        this.#clock.after(this.#chance.below(3000), () => send(frame))
        return
      case 'replay':
        send(frame)
        return send(this.#old.length > 0 ? this.#chance.pick(this.#old) : frame)
    }
  }

  /** What was never committed must not come back: a relay that claims it would claim to have saved it. */
  forget(): void {
    this.#old = []
  }
}
