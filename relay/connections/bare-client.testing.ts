import { WebSocket } from 'ws'
import type { Cursor } from '../../shared/cursor.ts'
import { type Asker, releaseStatement } from '../../shared/escrow.ts'
import { participantId, recordId } from '../../shared/id.ts'
import {
  helloStatement,
  publicKeyOf,
  type Role,
  roleSeed,
  type SessionKeys,
  sign,
} from '../../shared/keys.ts'
import { membershipStatement } from '../../shared/record.ts'
import {
  decodeFromRelay,
  encodeFromClient,
  type FromClient,
  type FromRelay,
  protocolVersion,
  subprotocol,
} from '../../shared/wire.ts'
import { random } from '../testing.ts'
import { BarePolling } from './bare-polling.testing.ts'

type Type = FromRelay['type']
type Frame<Name extends Type> = Extract<FromRelay, { type: Name }>

export interface BareOptions {
  /** The page's origin; the relay's own unless told, `null` for none at all. */
  readonly origin?: string | null
  /** The origin in the signature, when it is to be another. */
  readonly signedFor?: string
  readonly cursor?: Cursor
  readonly generation?: number
  /** Changes the hello before it is sent; undefined sends none. */
  readonly hello?: (hello: Extract<FromClient, { type: 'hello' }>) => FromClient | undefined
}

export interface Closed {
  readonly code: number
  readonly words: string
}

/** A participant of their own who asks for the keys of a round, with proof; `session` is the one they signed for. */
export function askerOf(keys: SessionKeys, round: Uint8Array, session = keys.session): Asker {
  const seed = random(32)
  const author = participantId(publicKeyOf(seed))
  const reveal = recordId(random(16))
  const membership = sign(membershipStatement(session, author), keys.memberSeed ?? random(32))
  return { author, membership, reveal, signature: sign(releaseStatement(session, round, reveal), seed) }
}

/** How bare clients reach the relay. The tests of connections run over each, see `polled-connection.test.ts`. */
export const transport: { kind: 'socket' | 'polling' } = { kind: 'socket' }

/** As much of a socket of `ws` as is needed here. */
export interface BareSocket {
  on(event: 'close', listener: (code: number, words: unknown) => void): unknown
  on(event: 'message', listener: (bytes: Buffer) => void): unknown
  on(event: 'error' | 'open', listener: () => void): unknown
  on(
    event: 'unexpected-response',
    listener: (request: unknown, response: { readonly statusCode?: number | undefined }) => void,
  ): unknown
  send(bytes: Uint8Array): void
  pause(): void
  resume(): void
  close(): void
  terminate(): void
}

function openBareSocket(url: string, path: string, origin: string | null): BareSocket {
  if (transport.kind === 'polling') return new BarePolling(url + path, origin)
  return new WebSocket(url.replace('http', 'ws') + path, subprotocol, {
    perMessageDeflate: false,
    ...(origin === null ? {} : { origin }),
  })
}

/** For what only a WebSocket does. */
export function webSocketOf({ socket }: BareClient): WebSocket {
  if (socket instanceof WebSocket) return socket
  throw new Error('This client has no WebSocket')
}

/** The HTTP status with which a connection is not opened. */
export function openingStatus(url: string, path: string): Promise<number> {
  const socket = openBareSocket(url, path, url)
  return new Promise((resolve, reject) => {
    socket.on('unexpected-response', (_, response) => {
      resolve(response.statusCode ?? 0)
      socket.terminate()
    })
    socket.on('open', () => reject(new Error('It was opened')))
    socket.on('error', () => {
      // `terminate` before the opening reports itself as an error.
    })
  })
}

/** Speaks the wire and nothing else: connects, says hello, keeps every frame. */
export class BareClient {
  readonly frames: FromRelay[] = []
  readonly socket: BareSocket
  readonly closed: Promise<Closed>
  #read = 0
  #ref = 0
  #waiting: (() => void)[] = []
  #isClosed = false

  constructor(url: string, keys: SessionKeys, options: BareOptions = {}) {
    const origin = options.origin === undefined ? url : options.origin
    this.socket = openBareSocket(url, `/sync/${keys.session}`, origin)
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, words) => {
        this.#isClosed = true
        this.#wake()
        resolve({ code, words: String(words) })
      })
    })
    this.socket.on('error', () => {
      // The close that follows says all there is to say.
    })
    this.socket.on('message', (bytes: Buffer) => {
      const frame = decodeFromRelay(bytes)
      if (!frame) throw new Error(`Not a frame of a relay: ${bytes.toString('hex', 0, 40)}`)
      if (frame.type === 'challenge')
        this.#greet(frame.nonce, keys, options.signedFor ?? origin ?? '', options)
      this.frames.push(frame)
      this.#wake()
    })
  }

  get isOpen(): boolean {
    return !this.#isClosed
  }

  /** Resolves once everything in the log has arrived. */
  static async join(url: string, keys: SessionKeys, options: BareOptions = {}): Promise<BareClient> {
    const client = new BareClient(url, keys, options)
    await client.next('caughtUp')
    return client
  }

  /** The next frame of a type that was not read yet; frames before it count as read. */
  async next<Name extends Type>(
    type: Name,
    is: (frame: Frame<Name>) => boolean = () => true,
  ): Promise<Frame<Name>> {
    const matches = (frame: FromRelay): frame is Frame<Name> =>
      frame.type === type && is(frame as Frame<Name>)
    for (;;) {
      while (this.#read < this.frames.length) {
        const frame = this.frames[this.#read++]
        if (frame && matches(frame)) return frame
      }
      if (this.#isClosed)
        throw new Error(`Closed while waiting for ${type}: ${JSON.stringify(await this.closed)}`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** Resolves when the frames so far, read or not, fulfil a condition. */
  async until(fulfils: (frames: readonly FromRelay[]) => boolean): Promise<void> {
    while (!fulfils(this.frames)) {
      if (this.#isClosed) throw new Error(`Closed while waiting: ${JSON.stringify(await this.closed)}`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  send(message: FromClient): void {
    this.socket.send(encodeFromClient(message))
  }

  /** Sends a change. Returns its ref. */
  append(envelope: Uint8Array): number {
    const ref = ++this.#ref
    this.send({ type: 'append', ref, envelope })
    return ref
  }

  /** Sends a change and waits for what the relay says about it. */
  async save(envelope: Uint8Array): Promise<Frame<'saved'> | Frame<'unsaved'>> {
    const ref = this.append(envelope)
    const answers = (frame: FromRelay): frame is Frame<'saved'> | Frame<'unsaved'> =>
      (frame.type === 'saved' || frame.type === 'unsaved') && frame.ref === ref
    await this.until((frames) => frames.some(answers))
    const answer = this.frames.find(answers)
    if (!answer) throw new Error('There was an answer')
    return answer
  }

  envelopes(): Uint8Array[] {
    return this.frames.flatMap((frame) => (frame.type === 'entry' ? [frame.envelope] : []))
  }

  async leave(): Promise<void> {
    this.socket.close()
    await this.closed
  }

  #greet(nonce: Uint8Array, keys: SessionKeys, origin: string, options: BareOptions): void {
    const hello = {
      type: 'hello' as const,
      version: protocolVersion,
      role: keys.role as Role,
      publicKeys: keys.publicKeys,
      signature: sign(helloStatement(nonce, keys.session, origin), roleSeed(keys)),
      generation: options.generation ?? 0,
      cursor: options.cursor ?? new Map(),
    }
    const sent = options.hello ? options.hello(hello) : hello
    if (sent) this.send(sent)
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
