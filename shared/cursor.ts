import {
  type Decoder,
  decodeExactly,
  type Encoder,
  encode,
  putBytes,
  putText,
  putUint,
  takeBytes,
  takeText,
  takeUint,
} from './codec.ts'

/**
 * A place in the log of one origin. The mark is the start of the hash of the envelope that stands there, so that a store
 * that was rolled back recognises a place it no longer has instead of skipping what came since.
 */
export interface Position {
  readonly sequence: number
  readonly mark: Uint8Array
}

/** A place in a session's log: "I have everything up to here" of each origin. An origin is a store, or a region of them. */
export type Cursor = ReadonlyMap<string, Position>

export const markBytes = 8
const maxOrigins = 64
const originPattern = /^[a-z0-9][a-z0-9.-]{0,39}$/

/** `cursor := varUint(count) • count × (text(origin) • varUint(sequence) • bytes(mark, 8))` */
export function putCursor(encoder: Encoder, cursor: Cursor): void {
  putUint(encoder, cursor.size)
  for (const [origin, position] of cursor) {
    putText(encoder, origin)
    putUint(encoder, position.sequence)
    putBytes(encoder, position.mark)
  }
}

export function takeCursor(decoder: Decoder): Cursor {
  const count = takeUint(decoder)
  if (count > maxOrigins) throw new Error('Too many origins')
  const cursor = new Map<string, Position>()
  for (let at = 0; at < count; at++) {
    const origin = takeText(decoder, 40)
    if (!originPattern.test(origin) || cursor.has(origin)) throw new Error('Not an origin')
    cursor.set(origin, { sequence: takeUint(decoder), mark: takeBytes(decoder, markBytes).slice() })
  }
  return cursor
}

/** True when `later` covers all that `cursor` covers. */
export function covers(later: Cursor, cursor: Cursor): boolean {
  return [...cursor].every(([origin, { sequence }]) => (later.get(origin)?.sequence ?? 0) >= sequence)
}

/** Of each origin the place of `later`, if it has one. */
export function joinCursors(earlier: Cursor, later: Cursor): Cursor {
  return earlier.size === 0 ? later : new Map([...earlier, ...later])
}

export function encodeCursorBytes(cursor: Cursor): Uint8Array {
  return encode((encoder) => putCursor(encoder, cursor))
}

export function decodeCursorBytes(bytes: Uint8Array): Cursor | undefined {
  return decodeExactly(bytes, takeCursor)
}
