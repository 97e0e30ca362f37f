import {
  type Decoder,
  decodeExactly,
  encode,
  putByte,
  putBytes,
  putText,
  putUint,
  takeByte,
  takeBytes,
  takeText,
  takeUint,
} from '../../shared/codec.ts'
import { base32, idBytes, type ParticipantId, participantId } from '../../shared/id.ts'
import type { ConnectionId } from '../../shared/wire.ts'
import { type AwarenessEntry, awarenessFrame } from './provider-frames.ts'

/** What a connection tells the others about itself; undefined: somebody who only follows. */
export interface Presence {
  readonly participant: ParticipantId | undefined
  /** The last reaction of this connection, and how many it has made: one that counts up is a new one. */
  readonly reaction?: { readonly emoji: string; readonly count: number }
  /** Whom it last asked to vote, and how often it has asked anybody. */
  readonly nudge?: { readonly to: ParticipantId; readonly count: number }
  /** 8 bytes over what it has of the document, to compare. */
  readonly digest?: Uint8Array
}

/** More than a room of the relay seats in earnest; each that comes is compared with all. */
const mostPeers = 1000

/** From here on the provider's numbers are those of connections: no Yjs client id (32 bits) is as large. */
export const firstClient = 2 ** 32

/** The longest emoji sequences, such as families, are shorter. */
const emojiBytes = 48

/**
 * Who is here, bound to the relay's connection numbers. Peers send one entry each, when it changes; what the provider's
 * awareness needs beyond that (client ids, clocks, renewals) is made up here, so nobody can speak for another connection and an
 * idle room stays silent. Who they say they are is not signed.
 */
export class PresentPeers {
  readonly #here = new Set<ConnectionId>()
  readonly #peers = new Map<ConnectionId, Presence>()
  readonly #tick: () => number

  /** `tick` counts up across connections: the provider ignores what is older than what it has heard, even of those who left. */
  constructor(tick: () => number) {
    this.#tick = tick
  }

  get isEmpty(): boolean {
    return this.#here.size === 0
  }

  /** Some are here and have told nothing yet. */
  get someAreSilent(): boolean {
    return this.#here.size > this.#peers.size
  }

  arrive(connection: ConnectionId): void {
    if (this.#here.size < mostPeers) this.#here.add(connection)
  }

  /** Everybody else, with what they have told. */
  get others(): [ConnectionId, Presence | undefined][] {
    return [...this.#here].map((connection) => [connection, this.#peers.get(connection)])
  }

  /** Undefined, too, when there are more than anybody could look at. */
  set(connection: ConnectionId, presence: Presence): Uint8Array | undefined {
    if (this.#peers.size >= mostPeers && !this.#peers.has(connection)) return undefined
    this.#here.add(connection)
    this.#peers.set(connection, presence)
    return this.#frame([connection])
  }

  /** A frame for the provider, or undefined when nobody knew them. */
  remove(connection: ConnectionId): Uint8Array | undefined {
    this.#here.delete(connection)
    return this.#peers.delete(connection) ? this.#frame([connection]) : undefined
  }

  /** The provider forgets whom it has not heard of for 30 s, and closes a socket that is silent for as long. */
  renewal(): Uint8Array {
    return this.#frame([...this.#peers.keys()])
  }

  /** The same for those among the provider's clients who are here; undefined when none is. */
  renewalOf(clients: readonly number[]): Uint8Array | undefined {
    const here = clients
      .map((client) => client - firstClient)
      .filter((connection) => this.#peers.has(connection))
    return here.length > 0 ? this.#frame(here) : undefined
  }

  #frame(connections: readonly ConnectionId[]): Uint8Array {
    const clock = this.#tick()
    return awarenessFrame(
      connections.map((connection): AwarenessEntry => {
        const presence = this.#peers.get(connection)
        return { client: firstClient + connection, clock, state: stateOf(presence) }
      }),
    )
  }
}

/** The digest as text, because awareness is JSON. */
function stateOf(presence: Presence | undefined): string {
  if (!presence) return 'null'
  const { digest, ...state } = presence
  return JSON.stringify(digest ? { ...state, digest: base32(digest) } : state)
}

const has = { participant: 1, reaction: 2, nudge: 4, digest: 8 } as const

/**
 * `presence := byte(parts) • [participant(32)] • [text(emoji) • varUint(count)] • [to(32) • varUint(count)] • [digest(8)]`;
 * `parts` is the sum of 1, 2, 4 and 8 for those that follow.
 */
export function encodePresence({ participant, reaction, nudge, digest }: Presence): Uint8Array {
  return encode((encoder) => {
    putByte(
      encoder,
      (participant ? has.participant : 0) |
        (reaction ? has.reaction : 0) |
        (nudge ? has.nudge : 0) |
        (digest ? has.digest : 0),
    )
    if (participant) putBytes(encoder, idBytes(participant))
    if (reaction) {
      putText(encoder, reaction.emoji)
      putUint(encoder, reaction.count)
    }
    if (nudge) {
      putBytes(encoder, idBytes(nudge.to))
      putUint(encoder, nudge.count)
    }
    if (digest) putBytes(encoder, digest)
  })
}

export function decodePresence(content: Uint8Array): Presence | undefined {
  return decodeExactly(content, (decoder) => {
    const parts = takeByte(decoder)
    if (parts > 15) throw new Error('Not a presence')
    return {
      participant: parts & has.participant ? participantId(takeBytes(decoder, 32)) : undefined,
      ...(parts & has.reaction ? { reaction: takeReaction(decoder) } : {}),
      ...(parts & has.nudge
        ? { nudge: { to: participantId(takeBytes(decoder, 32)), count: takeUint(decoder) } }
        : {}),
      ...(parts & has.digest ? { digest: takeBytes(decoder, 8).slice() } : {}),
    }
  })
}

function takeReaction(decoder: Decoder): { emoji: string; count: number } {
  const emoji = takeText(decoder, emojiBytes)
  if (!/^[\p{Emoji}\p{Emoji_Component}]+$/u.test(emoji)) throw new Error('Not an emoji')
  return { emoji, count: takeUint(decoder) }
}
