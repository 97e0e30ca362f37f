import { type Cursor, joinCursors, type Position } from '../shared/cursor.ts'
import { encodeFromRelay } from '../shared/wire.ts'
import { encodeEntry } from './frames.ts'
import type { Deleted, Page, Pages, Unreachable } from './store.ts'

export interface Reader {
  /** False once the client has gone. */
  readonly isListening: boolean
  send(frame: Uint8Array): void
  /** Resolves when little of what was sent still waits in this process. */
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
    if (reader.isListening) for (const [origin, page] of pages.of) bytes += sendPage(origin, page, reader)
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

function sendPage(origin: string, { snapshot, entries }: Page, reader: Reader): number {
  let bytes = snapshot?.envelope.length ?? 0
  if (snapshot) {
    const { id, covers, envelope } = snapshot
    reader.send(encodeFromRelay({ type: 'snapshot', id, covers: new Map([[origin, covers]]), envelope }))
  }
  for (const { position, envelope, kind } of entries) {
    reader.send(encodeEntry(new Map([[origin, position]]), envelope, kind))
    bytes += envelope.length
  }
  return bytes
}
