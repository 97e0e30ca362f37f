import type { Cursor } from '../shared/cursor.ts'
import { encodeFromRelay } from '../shared/wire.ts'

const empty = new Uint8Array()

/** An envelope is the end of its frame, so it need not go through an encoder that grows step by step. */
export function encodeEntry(cursor: Cursor, envelope: Uint8Array): Buffer {
  return Buffer.concat([encodeFromRelay({ type: 'entry', cursor, envelope: empty }), envelope])
}
