import type { Cursor, Position } from '../shared/cursor.ts'
import { encodeFromRelay } from '../shared/wire.ts'
import { encodeEntry } from './frames.ts'
import type { Deleted, Page, Unreachable } from './store.ts'

export interface Reader {
  /** False once the client has gone. */
  readonly isListening: boolean
  send(frame: Uint8Array): void
  /** Resolves when little of what was sent still waits in this process. */
  flush(): Promise<void>
}

export interface Log {
  since(cursor: Cursor, generation: number): Promise<Page | Deleted | Unreachable>
  cursorOf(position: Position | undefined): Cursor
}

export type CaughtUp =
  | { readonly log: 'kept'; readonly upTo: Position | undefined; readonly resumed: boolean }
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
  for (;;) {
    const page = await (resumed === undefined ? log.since(cursor, generation) : log.since(cursor, 0))
    if (page.outcome === 'refused') return { log: 'unreachable' }
    if (page.outcome === 'deleted') return { log: 'deleted' }
    resumed ??= page.resumed
    if (reader.isListening) sendPage(log, page, reader)
    if (!page.more || !reader.isListening) return { log: 'kept', upTo: page.upTo, resumed }
    cursor = log.cursorOf(page.upTo)
    await reader.flush()
  }
}

function sendPage(log: Log, { snapshot, entries }: Page, reader: Reader): void {
  if (snapshot) {
    const { id, covers, envelope } = snapshot
    reader.send(encodeFromRelay({ type: 'snapshot', id, covers: log.cursorOf(covers), envelope }))
  }
  for (const { position, envelope, kind } of entries) {
    reader.send(encodeEntry(log.cursorOf(position), envelope, kind))
  }
}
