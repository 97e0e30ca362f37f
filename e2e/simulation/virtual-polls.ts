import type { Surroundings } from '../../relay/connections/connection.ts'
import type { Registry } from '../../relay/connections/connections.ts'
import { Polled } from '../../relay/connections/polled.ts'
import type { SessionId } from '../../shared/id.ts'
import { decodePoll, type Poll, tokenBytes } from '../../shared/polling.ts'
import type { Liar } from './liar.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** What a relay answers to a request. */
export interface Answer {
  readonly status: number
  readonly body?: Uint8Array
}

export interface Request {
  readonly session: SessionId
  readonly origin: string
  readonly body: Uint8Array
  /** That it was cut. */
  readonly signal: AbortSignal
}

const turnEvery = 20_000
const nobody = { open: 0, earnedAt: 0 }

/** What `polls.ts` and `connections.ts` do for clients that come by plain requests. */
export class VirtualPolls {
  readonly #clock: VirtualClock
  readonly #surroundings: Surroundings
  readonly #liar: Liar
  /** By token. */
  readonly #open = new Map<string, Polled>()

  constructor(clock: VirtualClock, surroundings: Surroundings, liar: Liar) {
    this.#clock = clock
    this.#surroundings = surroundings
    this.#liar = liar
  }

  async answer({ session, origin, body, signal }: Request): Promise<Answer> {
    const poll = decodePoll(body)
    if (!poll) return { status: 400 }
    if (poll.type === 'open') return this.#begin(session, origin)
    const polled = this.#open.get(nameOf(poll.token))
    return polled ? go(polled, poll, signal) : { status: 410 }
  }

  goAway(retryAfter: () => number): void {
    for (const { connection } of this.#open.values()) connection.goAway(retryAfter())
  }

  close(): void {
    for (const polled of this.#open.values()) polled.close()
  }

  #begin(session: SessionId, origin: string): Answer {
    const token = this.#surroundings.random(tokenBytes)
    const name = nameOf(token)
    const polled = new (lyingBy(this.#liar))(
      session,
      origin,
      this.#surroundings,
      this.#registry(),
      nobody,
      () => this.#open.delete(name),
    )
    this.#open.set(name, polled)
    polled.registry.add(polled)
    return { status: 200, body: Buffer.concat([token, polled.begin()]) }
  }

  /** Of one client: each has its own timers here. */
  #registry(): Registry {
    const timers: { ended: boolean }[] = []
    return {
      add: (client) => {
        const hello = () => {
          if (client.connection?.phase === 'greeting') client.connection.close('lateHello')
        }
        const turn = () => {
          client.checkAlive()
          client.connection?.keepAlive()
        }
        timers.push(this.#clock.after(this.#surroundings.limits.helloMs, hello))
        timers.push(this.#clock.after(turnEvery, turn, undefined, turnEvery))
      },
      remove: () => {
        for (const timer of timers) timer.ended = true
      },
      noteSlow: () => {},
    }
  }
}

async function go(
  polled: Polled,
  poll: Exclude<Poll, { type: 'open' }>,
  signal: AbortSignal,
): Promise<Answer> {
  switch (poll.type) {
    case 'up':
      return { status: (await polled.receive(poll.offset, poll.piece)) ? 204 : 409 }
    case 'down': {
      const piece = await polled.poll(poll.offset, signal)
      if (!piece) return { status: 409 }
      return piece === 'gone' ? { status: 410 } : { status: 200, body: piece }
    }
    case 'leave':
      if (poll.last) await polled.receive(poll.last.offset, poll.last.piece)
      polled.terminate()
      return { status: 204 }
  }
}

/** The relay's own, with what it says in the hands of that liar. It speaks before it is made, so a field would come too late. */
function lyingBy(liar: Liar): typeof Polled {
  return class extends Polled {
    override send(frame: Uint8Array): void {
      liar.pass(frame, (passed) => super.send(passed))
    }
  }
}

function nameOf(token: Uint8Array): string {
  return Buffer.from(token).toString('base64url')
}
