import type { IncomingMessage } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import { parseSessionId, type SessionId } from '../../shared/id.ts'
import {
  contentType,
  decodePoll,
  type Poll,
  putFrames,
  requestBytes,
  tokenBytes,
} from '../../shared/polling.ts'
import type { Surroundings } from './connection.ts'
import type { Connections } from './connections.ts'
import { type Piece, Polled } from './polled.ts'
import { readOrigin } from './upgrade.ts'

type Asked = Context<{ Bindings: HttpBindings }>

/** No connection has it: it comes with the words why there is none. */
const noToken = new Uint8Array(tokenBytes)

/** All connections over plain requests: the way for those whose network blocks WebSockets. */
export class Polls {
  readonly #surroundings: Surroundings
  readonly #connections: Connections
  readonly #origins: readonly string[] | undefined
  /** By token. */
  readonly #open = new Map<string, Polled>()

  constructor(
    surroundings: Surroundings,
    connections: Connections,
    { origins }: { readonly origins: readonly string[] | undefined },
  ) {
    this.#surroundings = surroundings
    this.#connections = connections
    this.#origins = origins
  }

  /** Those that were closed count until they have fetched why. */
  get open(): number {
    return this.#open.size
  }

  /** Answers a POST to `/sync/<session id>`. */
  async answer(context: Asked): Promise<Response> {
    const { incoming } = context.env
    context.header('Cache-Control', 'no-store, no-transform')
    const session = parseSessionId(context.req.param('session') ?? '')
    if (!session) return context.body(null, 404)
    // A browser asks before it lets a foreign page send this type, and nobody here says yes.
    if (context.req.header('Content-Type') !== contentType) return context.body(null, 415)
    const body = await readBody(incoming)
    if (!body) return context.body(null, 413)
    const poll = decodePoll(body)
    if (!poll) return context.body(null, 400)
    if (poll.type === 'open') return this.#begin(context, session)
    if (!readOrigin(incoming, this.#origins).isOriginServed) return context.body(null, 403)
    return this.#go(context, session, poll)
  }

  #begin(context: Asked, session: SessionId): Response {
    const { incoming } = context.env
    const address = this.#connections.admit(incoming)
    if (typeof address === 'number') return context.body(null, address)
    const { origin, isOriginServed } = readOrigin(incoming, this.#origins)
    const refusal = this.#connections.refusal(isOriginServed)
    if (refusal) return send(context, Buffer.concat([noToken, putFrames([refusal.frame])]))
    const token = this.#surroundings.random(tokenBytes)
    const name = nameOf(token)
    const polled = new Polled(session, origin, this.#surroundings, this.#connections, address, () =>
      this.#open.delete(name),
    )
    this.#open.set(name, polled)
    this.#connections.add(polled)
    return send(context, Buffer.concat([token, polled.begin()]))
  }

  async #go(context: Asked, session: SessionId, poll: Exclude<Poll, { type: 'open' }>): Promise<Response> {
    const polled = this.#open.get(nameOf(poll.token))
    if (polled?.session !== session) return context.body(null, 410)
    switch (poll.type) {
      case 'up':
        return context.body(null, (await polled.receive(poll.offset, poll.piece)) ? 204 : 409)
      case 'down': {
        const piece = await polled.poll(poll.offset, context.req.raw.signal)
        if (!piece) return context.body(null, 409)
        return piece === 'gone' ? context.body(null, 410) : send(context, piece)
      }
      case 'leave':
        if (poll.last) await polled.receive(poll.last.offset, poll.last.piece)
        polled.terminate()
        return context.body(null, 204)
    }
  }
}

function send(context: Asked, bytes: Exclude<Piece, 'gone'>): Response {
  context.header('Content-Type', contentType)
  context.header('Content-Length', String(bytes.length))
  return context.body(bytes)
}

function nameOf(token: Uint8Array): string {
  return Buffer.from(token).toString('base64url')
}

/** Undefined when it is larger than any request of ours, or did not come to its end. */
async function readBody(incoming: IncomingMessage): Promise<Uint8Array | undefined> {
  const parts: Buffer[] = []
  let bytes = 0
  try {
    // The answer that it is too large still has to leave by the same connection.
    for await (const part of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += part.length
      if (bytes > requestBytes) return undefined
      parts.push(part)
    }
  } catch {
    return undefined // the client went away while it sent
  }
  return Buffer.concat(parts)
}
