import type { Cursor } from '../../shared/cursor.ts'
import { encodeFromRelay, type FromRelay } from '../../shared/wire.ts'
import { type EntryKind, entryKinds } from '../store/store.ts'

const empty = new Uint8Array()

/** An envelope is the end of its frame, so it need not go through an encoder that grows step by step. */
export function encodeEntry(cursor: Cursor, envelope: Uint8Array, kind: EntryKind): Buffer {
  const head: FromRelay =
    kind === entryKinds.released
      ? { type: 'released', cursor, body: empty }
      : { type: 'entry', cursor, envelope: empty }
  return Buffer.concat([encodeFromRelay(head), envelope])
}
