import { setImmediate as nextTurn } from 'node:timers'

/** Whose code runs: one life of a device or a relay. Its timers end with it, and its clock may be wrong. */
export interface Life {
  readonly name: string
  /** By how many milliseconds its clock is off. */
  skew: number
  over: boolean
  /** A laptop that was closed, or a process that was stopped: what is due before waits until then. It only ever grows. */
  asleepUntil: number
}

/** Also what `setTimeout` gives out. */
class Timer {
  at: number
  order: number
  readonly life: Life
  readonly work: () => void
  /** Of an interval. */
  readonly every: number | undefined
  ended = false

  constructor(at: number, order: number, life: Life, work: () => void, every: number | undefined) {
    this.at = at
    this.order = order
    this.life = life
    this.work = work
    this.every = every
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  hasRef(): boolean {
    return true
  }
}

/** A new one, whose clock is off by so much. */
export function lifeOf(name: string, skew = 0): Life {
  return { name, skew, over: false, asleepUntil: 0 }
}

const beginning = Date.UTC(2026, 0, 5, 9)

/** Time that passes only when somebody lets it, and then at once. What is due happens in a fixed order. */
export class VirtualClock {
  now = 0
  /** Whoever is at work. */
  life: Life
  readonly #failed: (error: unknown) => void
  readonly #timers: Timer[] = []
  #order = 0
  /** How much had to wait because somebody slept. */
  heldUp = 0

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
    this.life = lifeOf('world')
  }

  /** What the clock on the wall of whoever is at work shows. */
  get date(): number {
    return beginning + this.now + this.life.skew
  }

  after(delay: number, work: () => void, life = this.life, every?: number): Timer {
    const at = this.now + Math.max(0, Number.isFinite(delay) ? delay : 0)
    const timer = new Timer(at, this.#order++, life, work, every)
    this.#push(timer)
    return timer
  }

  /** Lets time pass, with everything that is due. */
  async pass(duration: number): Promise<void> {
    const end = this.now + duration
    for (let timer = this.#timers[0]; timer && timer.at <= end; timer = this.#timers[0]) {
      this.#pop()
      if (timer.ended || timer.life.over) continue
      if (timer.life.asleepUntil > timer.at) {
        this.heldUp++
        this.#due(timer, timer.life.asleepUntil)
        continue
      }
      this.now = timer.at
      if (timer.every === undefined) timer.ended = true
      await this.act(timer.life, timer.work)
      if (timer.every !== undefined && !timer.ended) this.#repeat(timer, timer.every)
    }
    this.now = end
    await new Promise<void>((resolve) => nextTurn(resolve)) // Node tells of what nobody caught
  }

  /** What is begun here belongs to that life. */
  within<Result>(life: Life, work: () => Result): Result {
    const before = this.life
    this.life = life
    try {
      return work()
    } finally {
      this.life = before
    }
  }

  /** Somebody does something, and all that follows from it at once. */
  async act(life: Life, work: () => void): Promise<void> {
    const before = this.life
    this.life = life
    try {
      work()
    } catch (error) {
      this.#failed(error)
    }
    await new Promise<void>((resolve) => process.nextTick(resolve)) // every microtask has run by then
    this.life = before
  }

  /** The same handle goes on, because that is what stops the interval. */
  #repeat(timer: Timer, every: number): void {
    this.#due(timer, this.now + Math.max(1, every))
  }

  #due(timer: Timer, at: number): void {
    timer.at = at
    timer.order = this.#order++
    this.#push(timer)
  }

  #push(timer: Timer): void {
    const heap = this.#timers
    let at = heap.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as Timer
      if (isBefore(above, timer)) break
      heap[at] = above
      at = parent
    }
    heap[at] = timer
  }

  #pop(): void {
    const heap = this.#timers
    const last = heap.pop() as Timer
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      if (left >= heap.length) break
      const right = left + 1
      const lesser = right < heap.length && isBefore(heap[right] as Timer, heap[left] as Timer) ? right : left
      if (isBefore(last, heap[lesser] as Timer)) break
      heap[at] = heap[lesser] as Timer
      at = lesser
    }
    heap[at] = last
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
