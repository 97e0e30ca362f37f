import { WebSocket } from 'ws'
import type { CloseReason } from '../shared/close-code.ts'
import type { SessionId } from '../shared/id.ts'
import { frameLimits } from '../shared/wire.ts'
import { Connection, type Outlet, type Surroundings } from './connection.ts'

/** What the receiver of ws closes with when a client breaks its rules, in our words. */
const protocolErrors: Readonly<Record<number, CloseReason>> = {
  1002: 'malformed',
  1007: 'malformed',
  1008: 'tooLarge',
  1009: 'tooLarge',
}

const missedPongsAllowed = 2
const flushBelow = 131_072

/** Where a socket is counted while it is open. */
export interface Registry {
  remove(socket: Socket): void
}

/** A WebSocket and its connection. Its listeners are shared functions: one more closure each is felt with many sockets. */
export class Socket extends WebSocket implements Outlet {
  connection: Connection | undefined
  /** For whom it is counted. */
  address = ''
  openedAt = 0
  slot = 0
  #registry: Registry | undefined
  #missedPongs = 0

  begin(session: SessionId, origin: string, surroundings: Surroundings, registry: Registry): void {
    this.#registry = registry
    this.openedAt = surroundings.now()
    this.on('message', received)
    this.on('pong', ponged)
    this.on('close', closed)
    this.on('error', ignored)
    this.#limitFrames(frameLimits.beforeHello)
    this.connection = new Connection(session, origin, this, surroundings)
  }

  flush(): Promise<void> {
    if (this.bufferedAmount < flushBelow) return Promise.resolve()
    return new Promise((resolve) => this.ping(undefined, false, () => resolve()))
  }

  /** Pings, and ends the socket when too many pings stayed without an answer. */
  checkAlive(): void {
    if (this.#missedPongs >= missedPongsAllowed) return this.terminate()
    this.#missedPongs += 1
    if (this.readyState === WebSocket.OPEN) this.ping()
  }

  override close(code?: number, words?: string | Buffer): void {
    const reason = protocolErrors[code ?? 0]
    if (reason && this.connection?.isListening) this.connection.close(reason)
    else super.close(code, words)
  }

  receive(frame: Buffer, isBinary: boolean): void {
    const { connection } = this
    if (!connection) return
    this.#missedPongs = 0
    if (!isBinary) return connection.close('malformed')
    const wasGreeting = connection.phase === 'greeting'
    connection.receive(frame)
    if (wasGreeting && connection.isListening) this.#limitFrames(frameLimits.snapshot)
  }

  ponged(): void {
    this.#missedPongs = 0
  }

  closed(): void {
    this.connection?.gone()
    this.#registry?.remove(this)
  }

  /** ws has one limit for all sockets; who has not said hello gets a smaller one, so that it can fill no memory. */
  #limitFrames(bytes: number): void {
    const { _receiver } = this as unknown as { _receiver: { _maxPayload: number } }
    _receiver._maxPayload = bytes
  }
}

function received(this: WebSocket, frame: Buffer, isBinary: boolean): void {
  if (this instanceof Socket) this.receive(frame, isBinary)
}

function ponged(this: WebSocket): void {
  if (this instanceof Socket) this.ponged()
}

function closed(this: WebSocket): void {
  if (this instanceof Socket) this.closed()
}

function ignored(): void {
  // Every error of a socket is followed by its close, and the close is what counts.
}
