import { type Cursor, joinCursors, type Position } from '../../shared/cursor.ts'
import { encodeFromRelay } from '../../shared/wire.ts'
import type { Deleted, Page, Pages, Unreachable } from '../store/store.ts'
import { encodeEntry } from './frames.ts'

export interface Reader {
  /** False once the client has gone. */
  readonly isListening: boolean
  send(frame: Uint8Array): void
  /** Resolves when little of what was sent still waits in this process, and others have had their turn. */
  flush(): Promise<void>
}

export interface Log {
  since(cursor: Cursor, generation: number): Promise<Pages | Deleted | Unreachable>
}

export type CaughtUp =
  | {
      readonly log: 'kept'
      readonly upTo: Cursor
      readonly resumed: boolean
      /** Of the envelopes that were sent. */
      readonly bytes: number
    }
  | { readonly log: 'unreachable' }
  | { readonly log: 'deleted' }

/** A page may have a thousand entries, and take 6 ms in which nobody else is served. */
const atOnce = 64

/** Sends what a cursor does not cover, page by page, as fast as the client reads. */
export async function catchUp(
  log: Log,
  cursor: Cursor,
  generation: number,
  reader: Reader,
): Promise<CaughtUp> {
  let resumed: boolean | undefined
  let upTo: Cursor = new Map()
  let bytes = 0
  for (;;) {
    const pages = await (resumed === undefined ? log.since(cursor, generation) : log.since(upTo, 0))
    if (pages.outcome === 'refused') return { log: 'unreachable' }
    if (pages.outcome === 'deleted') return { log: 'deleted' }
    resumed ??= pages.resumed
    for (const [origin, page] of pages.of) bytes += await sendPage(origin, page, reader)
    upTo = joinCursors(upTo, endOf(pages))
    const hasMore = [...pages.of.values()].some(({ more }) => more)
    if (!hasMore || !reader.isListening) return { log: 'kept', upTo, resumed, bytes }
    await reader.flush()
  }
}

/** Where the pages end. */
export function endOf({ of }: Pages): Cursor {
  const places = [...of].flatMap(([origin, { upTo }]) => (upTo ? [[origin, upTo] as const] : []))
  return new Map<string, Position>(places)
}

/** Returns how many bytes of envelopes were sent. */
async function sendPage(origin: string, { snapshot, entries }: Page, reader: Reader): Promise<number> {
  if (!reader.isListening) return 0
  let bytes = snapshot?.envelope.length ?? 0
  if (snapshot) {
    const { id, covers, envelope } = snapshot
    reader.send(encodeFromRelay({ type: 'snapshot', id, covers: new Map([[origin, covers]]), envelope }))
  }
  for (const [at, { position, envelope, kind }] of entries.entries()) {
    if (at > 0 && at % atOnce === 0) await reader.flush()
    if (!reader.isListening) break
    reader.send(encodeEntry(new Map([[origin, position]]), envelope, kind))
    bytes += envelope.length
  }
  return bytes
}
