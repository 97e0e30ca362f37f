import type { RecordOf } from '../../shared/record.ts'
import type { SessionCore } from './core.ts'
import { peopleIn } from './people.ts'

/** Time to change one's mind, and for the turn of the next when the first does not act. */
const pause = 1_200
/** Browsers let a page nobody sees wait up to a minute longer than it asked for; after more the device has slept. */
const asleep = 90_000
/** So many turns later it has noticed that its connection is dead: the provider looks every three seconds. */
const awake = 3

/** Reveals when everybody present has voted and the rules say so, and that still holds when the turn has come. */
export class AutoReveal {
  readonly #core: SessionCore
  readonly #turn = new Turn()

  constructor(core: SessionCore) {
    this.#core = core
  }

  consider(): void {
    const round = this.#round
    this.#turn.consider(round?.id, round && this.#turnToReveal(round), () => {
      if (round && this.#round?.id === round.id && this.#turnToReveal(round) !== undefined)
        this.#core.reveal(round)
    })
  }

  stop(): void {
    this.#turn.stop()
  }

  /** Undefined while nobody is told what happens, during an import for instance: afterwards it is considered anew. */
  get #round(): RecordOf<'round'> | undefined {
    return this.#core.isQuiet ? undefined : this.#core.roundOnTable
  }

  /** The place among those who may reveal; undefined when it is not the time to. */
  #turnToReveal(round: RecordOf<'round'>): number | undefined {
    const { ledger, participant, mayWrite } = this.#core
    if (!mayWrite || !ledger.rules().auto) return undefined
    const state = ledger.resolve(round)
    const people = peopleIn(this.#core)
    const present = people.filter((person) => person.here && !person.observer)
    const all = state.phase === 'voting' && present.every(({ id }) => state.voted.has(id))
    if (!all || present.length < 2) return undefined
    const deciding = people
      .filter((person) => person.here && ledger.mayDecide(person.id, round))
      .map(({ id }) => id)
      .sort()
    const turn = deciding.indexOf(participant.id)
    return turn < 0 ? undefined : turn
  }
}

/**
 * All who may would reveal at once; so each waits for their turn, in the order of their ids, and the others see the reveal
 * before it is theirs.
 */
export class Turn {
  #timer: ReturnType<typeof setTimeout> | undefined
  #round: string | undefined

  /** `turn` counts from 0; undefined stops waiting for it. */
  consider(round: string | undefined, turn: number | undefined, act: () => void): void {
    if (turn === undefined || round !== this.#round) this.stop()
    if (turn === undefined || this.#timer) return
    this.#round = round
    const wait = pause * (turn + 1)
    const due = Date.now() + wait
    this.#timer = setTimeout(() => {
      this.stop()
      // Nobody here knows what others did meanwhile.
      if (Date.now() - due > asleep) this.consider(round, turn + awake, act)
      else act()
    }, wait)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
