import { decodeExactly, encode, putByte, putBytes, takeByte, takeBytes } from '../../shared/codec.ts'
import { idBytes, type ParticipantId, participantId } from '../../shared/id.ts'
import type { ConnectionId } from '../../shared/wire.ts'
import { type AwarenessEntry, awarenessFrame } from './provider-frames.ts'

/** What a connection tells the others about itself; undefined: somebody who only follows. */
export interface Presence {
  readonly participant: ParticipantId | undefined
}

/**
 * Who is here, bound to the relay's connection numbers. Peers send one entry each, when it changes; what the provider's
 * awareness needs beyond that (client ids, clocks, renewals) is made up here, so nobody can speak for another and an idle
 * room stays silent.
 */
export class PresentPeers {
  readonly #peers = new Map<ConnectionId, Presence>()
  #clock = 0

  set(connection: ConnectionId, presence: Presence): Uint8Array {
    this.#peers.set(connection, presence)
    return this.#frame([connection])
  }

  /** A frame for the provider, or undefined when nobody knew them. */
  remove(connection: ConnectionId): Uint8Array | undefined {
    return this.#peers.delete(connection) ? this.#frame([connection]) : undefined
  }

  /** The provider forgets whom it has not heard of for 30 s, and closes a socket that is silent for as long. */
  renewal(): Uint8Array {
    return this.#frame([...this.#peers.keys()])
  }

  #frame(connections: readonly ConnectionId[]): Uint8Array {
    const clock = ++this.#clock
    return awarenessFrame(
      connections.map((connection): AwarenessEntry => {
        const presence = this.#peers.get(connection)
        return { client: awarenessClient(connection), clock, state: JSON.stringify(presence ?? null) }
      }),
    )
  }
}

/** Awareness numbers that no Yjs client id (32 bits) can have. */
function awarenessClient(connection: ConnectionId): number {
  return 2 ** 32 + connection
}

const follower = 0
const participant = 1

/** `presence := byte(0) | byte(1) • bytes(participant, 32)` */
export function encodePresence(presence: Presence): Uint8Array {
  return encode((encoder) => {
    putByte(encoder, presence.participant ? participant : follower)
    if (presence.participant) putBytes(encoder, idBytes(presence.participant))
  })
}

export function decodePresence(content: Uint8Array): Presence | undefined {
  return decodeExactly(content, (decoder) => {
    const kind = takeByte(decoder)
    if (kind > participant) throw new Error('Not a presence')
    return { participant: kind === participant ? participantId(takeBytes(decoder, 32)) : undefined }
  })
}
