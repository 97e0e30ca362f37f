import type { ConnectionId } from '../../shared/wire.ts'
import { decodeFromClient, encodeFromClient, type FromClient } from '../../shared/wire.ts'

/**
 * What a relay says about a session in its region's stream: a client's own frame, behind the number of its connection.
 * Every store that reads the stream comes to the same. `statement := uint32(author) • frame`
 */
export interface Statement {
  readonly author: ConnectionId
  readonly message: Stated
}

/** Messages that change what stores keep. Refs are of a connection and mean nothing here, so they are 0. */
export type Stated = Extract<FromClient, { type: 'append' | 'snapshot' | 'deposit' | 'release' | 'delete' }>

/** The author of what a store says again. Connections have smaller numbers. */
export const echo = 0xffff_ffff
const head = 4

export function encodeStatement({ author, message }: Statement): Uint8Array {
  const frame = encodeFromClient(message)
  const bytes = new Uint8Array(head + frame.length)
  new DataView(bytes.buffer).setUint32(0, author)
  bytes.set(frame, head)
  return bytes
}

/** Undefined for bytes that are none. */
export function decodeStatement(bytes: Uint8Array): Statement | undefined {
  if (bytes.length <= head) return undefined
  const message = decodeFromClient(bytes.subarray(head))
  if (!message || message.type === 'hello' || message.type === 'signal') return undefined
  return { author: new DataView(bytes.buffer, bytes.byteOffset).getUint32(0), message }
}
