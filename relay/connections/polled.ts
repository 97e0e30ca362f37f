import { setImmediate as nextTurn } from 'node:timers/promises'
import type { SessionId } from '../../shared/id.ts'
import { FrameReader, prefixBytes, putFrames } from '../../shared/polling.ts'
import { frameLimits } from '../../shared/wire.ts'
import { Connection, type Outlet, type Surroundings } from './connection.ts'
import type { Connected, Registry } from './connections.ts'
import { type Address, slowBytes } from './limits.ts'

/** The most one answer carries, unless a single frame is larger. */
const answerBytes = 262_144
const flushBelow = 131_072
/** So long after an answer the client has to ask again. It may be large, and the line slow. */
export const comesBackWithinMs = 30_000
/** So long after a request was cut, and so long what a closed connection had to say is kept. */
const lingersMs = 5000

/** No piece: nothing is here for the client any more. */
export type Piece = Uint8Array<ArrayBuffer> | 'gone'

/**
 * A connection over plain requests. What was sent is kept until a later request says that it arrived, so an answer that
 * got lost on the way is given again.
 */
export class Polled implements Outlet, Connected {
  readonly session: SessionId
  readonly registry: Registry
  readonly address: Address
  readonly connection: Connection
  /** Ticks of the registry's timer. */
  openedAt = 0
  slot = 0
  readonly #forget: () => void
  readonly #up = new FrameReader()
  #held: Promise<void> | undefined
  #received = 0
  /** What has not arrived for sure. Its first byte is at `#start` of the stream. */
  #unconfirmed: Uint8Array[] = []
  #start = 0
  #answered = 0
  #end = 0
  #waiting: ((piece: Piece) => void) | undefined
  /** The request before is not waited for any more, and that it was cut says nothing. */
  #newest: ((piece: Piece) => void) | undefined
  #flushed: (() => void)[] = []
  #absence: NodeJS.Timeout | undefined
  #state: 'open' | 'closed' | 'gone' = 'open'

  constructor(
    session: SessionId,
    origin: string,
    surroundings: Surroundings,
    registry: Registry,
    address: Address,
    forget: () => void,
  ) {
    this.session = session
    this.registry = registry
    this.address = address
    this.#forget = forget
    this.connection = new Connection(session, origin, this, surroundings)
    this.#expectWithin(comesBackWithinMs)
  }

  get bufferedAmount(): number {
    return this.#end - this.#answered
  }

  /** What was answered stays until the next request says that it arrived. */
  get waitingBytes(): number {
    return this.#end - this.#start
  }

  get arrivingBytes(): number {
    return this.#up.waitingBytes
  }

  /** What was said before there was a request to answer. */
  begin(): Uint8Array {
    this.#answered = this.#end
    return putFrames(this.#unconfirmed)
  }

  send(frame: Uint8Array): void {
    if (this.#state !== 'open') return
    this.#unconfirmed.push(frame)
    this.#end += prefixBytes + frame.length
    this.#noteSlow()
    // What is sent in one go leaves in one answer.
    if (this.#waiting) queueMicrotask(() => this.#answer())
  }

  flush(): Promise<void> {
    if (this.#state !== 'open' || this.bufferedAmount < flushBelow) return nextTurn()
    return new Promise((resolve) => this.#flushed.push(resolve))
  }

  /** What was sent before can still be fetched for a while: why it was closed is in there. */
  close(): void {
    if (this.#state !== 'open') return
    this.#state = 'closed'
    this.connection.gone()
    this.registry.remove(this)
    this.#noteSlow()
    this.#release()
    this.#answer()
    this.#expectWithin(lingersMs)
  }

  /** From here on every request is told that there is no such connection. */
  terminate(): void {
    if (this.#state === 'gone') return
    if (this.#state === 'open') this.registry.remove(this)
    this.#state = 'gone'
    clearTimeout(this.#absence)
    this.connection.gone()
    this.#unconfirmed = []
    this.#start = this.#end
    this.#release()
    this.#give('gone')
    this.#forget()
  }

  /** A request that waited long enough for proxies to become impatient is answered with nothing. */
  checkAlive(): void {
    if (this.connection.phase !== 'live') this.#give(new Uint8Array())
  }

  hold(ms: number): void {
    this.#held ??= new Promise((resolve) => {
      const goOn = () => {
        this.#held = undefined
        this.#takeFrames()
        resolve(this.#held)
      }
      setTimeout(goOn, ms).unref()
    })
  }

  /**
   * A piece of the client's stream. False when there is a gap before it, so that something is still on its way, or when
   * the piece before it has no answer yet. It is answered once the next one may come.
   */
  async receive(offset: number, piece: Uint8Array): Promise<boolean> {
    if (offset > this.#received) return false
    const fresh = piece.subarray(this.#received - offset)
    if (fresh.length > 0) {
      if (this.#held) return false
      this.#received += fresh.length
      if (this.#state === 'open') this.#up.push(fresh)
    }
    this.#takeFrames()
    await this.#held
    return true
  }

  #takeFrames(): void {
    while (this.#state === 'open' && !this.#held) {
      const isGreeting = this.connection.phase === 'greeting'
      const frame = this.#up.next(isGreeting ? frameLimits.beforeHello : frameLimits.snapshot)
      if (!frame) break
      if (frame === 'tooLarge') this.connection.close('tooLarge')
      else this.connection.receive(frame)
    }
  }

  /**
   * What comes after the offset, as soon as there is something. Undefined when the offset is no end of a frame that was
   * sent. The signal says that the request was cut.
   */
  async poll(offset: number, signal: AbortSignal): Promise<Piece | undefined> {
    if (this.#state === 'gone') return 'gone'
    if (!this.#confirm(offset)) return undefined
    this.#give(new Uint8Array()) // to a request before this one, which nobody waits for any more
    clearTimeout(this.#absence)
    const answer = new Promise<Piece>((resolve) => {
      this.#waiting = resolve
      this.#newest = resolve
      signal.addEventListener('abort', () => this.#cut(resolve), { once: true })
    })
    if (signal.aborted) this.#cut(this.#newest)
    if (this.#end > this.#start || this.#state === 'closed') this.#answer()
    return answer
  }

  /** False when the client cannot have got so far. */
  #confirm(offset: number): boolean {
    let at = this.#start
    let frames = 0
    while (at < offset) {
      const frame = this.#unconfirmed[frames++]
      if (!frame) return false
      at += prefixBytes + frame.length
    }
    if (at !== offset || offset > this.#answered) return false
    this.#unconfirmed.splice(0, frames)
    this.#start = offset
    return true
  }

  #answer(): void {
    if (!this.#waiting) return
    const frames: Uint8Array[] = []
    let end = this.#start
    for (const frame of this.#unconfirmed) {
      const after = end + prefixBytes + frame.length
      if (frames.length > 0 && after - this.#start > answerBytes) break
      frames.push(frame)
      end = after
    }
    if (frames.length === 0 && this.#state === 'closed') return this.terminate()
    this.#answered = Math.max(this.#answered, end)
    this.#give(putFrames(frames))
    if (this.bufferedAmount < flushBelow) this.#release()
  }

  #give(piece: Piece): void {
    const give = this.#waiting
    if (!give) return
    this.#waiting = undefined
    this.#expectWithin(this.#state === 'closed' ? lingersMs : comesBackWithinMs)
    give(piece)
  }

  #cut(give: ((piece: Piece) => void) | undefined): void {
    if (this.#state === 'gone' || !give || this.#newest !== give) return
    this.#waiting = undefined
    give(new Uint8Array())
    this.#expectWithin(lingersMs)
  }

  #expectWithin(ms: number): void {
    clearTimeout(this.#absence)
    if (this.#state !== 'gone') this.#absence = setTimeout(() => this.terminate(), ms).unref()
  }

  #noteSlow(): void {
    if (this.waitingBytes > slowBytes) this.registry.noteSlow(this)
  }

  #release(): void {
    const flushed = this.#flushed
    this.#flushed = []
    for (const resolve of flushed) resolve()
  }
}
