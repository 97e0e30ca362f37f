import type { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { WebSocket } from 'ws'
import type { CloseReason } from '../../shared/close-code.ts'
import type { SessionId } from '../../shared/id.ts'
import { frameLimits } from '../../shared/wire.ts'
import { Connection, type Outlet, type Surroundings } from './connection.ts'
import type { Connected, Registry } from './connections.ts'
import { type Address, slowBytes } from './limits.ts'
import { Turns, type Waiting } from './turns.ts'

/** What the receiver of ws closes with when a client breaks its rules, in our words. */
const protocolErrors: Readonly<Record<number, CloseReason>> = {
  1002: 'malformed',
  1007: 'malformed',
  1008: 'tooLarge',
  1009: 'tooLarge',
}

/** Turns of 20 seconds: who has said nothing for so many is pinged, and who answers no ping is given up. */
const silence = { pingedAt: 2, endedAt: 4 } as const
const flushBelow = 131_072
/** Copying that much takes longer than the system call does. */
const largeBytes = 16_384
/** About what a buffer takes beside its bytes. */
const pieceCost = 256
const turns = new Turns()

/**
 * A WebSocket and its connection. It takes its events where they are emitted: with many thousand sockets the memory of
 * listeners is felt.
 */
export class Socket extends WebSocket implements Outlet, Connected, Waiting {
  connection: Connection | undefined
  address: Address | undefined
  registry: Registry | undefined
  /** Ticks of the registry's timer. */
  openedAt = 0
  slot = 0
  /** Turns since something came, a pong too. */
  #silentTurns = 0
  #isGathering = false
  #isWaiting = false

  /** `trace` is the header by which a client tells of a trace it has begun. */
  begin(session: SessionId, origin: string, surroundings: Surroundings, trace?: string): void {
    this.#limitFrames(frameLimits.beforeHello)
    const follow = trace === undefined ? undefined : surroundings.following?.(trace)
    this.connection = new Connection(session, origin, this, surroundings, follow)
  }

  get waitingBytes(): number {
    return this.bufferedAmount
  }

  /** Each piece costs memory, however short it is. */
  get arrivingBytes(): number {
    const { _bufferedBytes, _messageLength, _buffers, _fragments } = this.#receiver
    return _bufferedBytes + _messageLength + (_buffers.length + _fragments.length) * pieceCost
  }

  override emit(event: string | symbol, ...details: unknown[]): boolean {
    switch (event) {
      case 'message':
        this.#receive(details[0] as Buffer, details[1] as boolean)
        return true
      case 'pong':
        this.#silentTurns = 0
        return true
      case 'ping':
        this.connection?.count()
        return true
      case 'close':
        this.connection?.gone()
        this.registry?.remove(this)
        return true
      case 'error':
        return true // its close follows, and the close is what counts
      default:
        return super.emit(event, ...details)
    }
  }

  override send(frame: Uint8Array): void {
    if (this.connection?.phase === 'catchingUp') this.#gather() // whoever joins is told many small things
    if (frame.length >= largeBytes) this.#await()
    super.send(frame)
    if (this.waitingBytes > slowBytes) this.registry?.noteSlow(this)
  }

  flush(): Promise<void> {
    if (this.bufferedAmount < flushBelow) return nextTurn()
    return new Promise((resolve) => this.ping(undefined, false, () => resolve()))
  }

  hold(ms: number): void {
    if (this.isPaused) return
    this.pause()
    setTimeout(() => this.resume(), ms).unref()
  }

  /** Whoever speaks is there: others are pinged, and given up when they do not answer. */
  checkAlive(): void {
    this.#silentTurns += 1
    if (this.#silentTurns >= silence.endedAt) return this.terminate()
    if (this.#silentTurns < silence.pingedAt || this.readyState !== WebSocket.OPEN) return
    this.#gather() // with the frame that says so to the client
    this.ping()
  }

  override close(code?: number, words?: string | Buffer): void {
    const reason = protocolErrors[code ?? 0]
    if (reason && this.connection?.isListening) this.connection.close(reason)
    else super.close(code, words)
  }

  #receive(frame: Buffer, isBinary: boolean): void {
    const { connection } = this
    if (!connection) return
    this.#silentTurns = 0
    if (!isBinary) return connection.close('malformed')
    const wasGreeting = connection.phase === 'greeting'
    connection.receive(frame)
    if (wasGreeting && connection.isListening) this.#limitFrames(frameLimits.snapshot)
  }

  /** What is sent until this turn of the event loop is over leaves in one piece: each piece costs a system call. */
  #gather(): void {
    if (this.#isGathering) return
    this.#isGathering = true
    const stream = this.#stream
    stream.cork()
    process.nextTick(() => {
      this.#isGathering = false
      stream.uncork()
    })
  }

  /** From here on everything leaves when its turn has come, in the order in which it was sent. */
  #await(): void {
    if (this.#isWaiting) return
    this.#isWaiting = true
    this.#stream.cork()
    turns.add(this)
  }

  /** What `Turns` calls. */
  write(): void {
    this.#isWaiting = false
    this.#stream.uncork()
  }

  get #stream(): Pick<Duplex, 'cork' | 'uncork'> {
    return (this as unknown as { _socket: Duplex })._socket
  }

  /** ws has one limit for all sockets; who has not said hello gets a smaller one, so that it can fill no memory. */
  #limitFrames(bytes: number): void {
    this.#receiver._maxPayload = bytes
  }

  get #receiver(): Receiver {
    return (this as unknown as { _receiver: Receiver })._receiver
  }
}

/** What ws keeps of a message until it is whole. */
interface Receiver {
  _maxPayload: number
  readonly _bufferedBytes: number
  readonly _buffers: readonly unknown[]
  readonly _messageLength: number
  readonly _fragments: readonly unknown[]
}
