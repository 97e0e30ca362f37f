import type { Committed } from '../store/sqlite-store.ts'
import type { Meters } from './meters.ts'

/** Somebody's change came in under this `ref`. */
export type Follow = (envelope: Uint8Array, ref: number) => void

/**
 * Follows a sample of the changes on their way through relay, bus and store, for operators who want that. What is behind it is loaded for
 * them alone. A change is known by its envelope, the very same bytes from the frame it came in to the row it becomes, so nothing in between has
 * to pass anything on; from process to process it goes as a header.
 */
export interface Traces {
  /** Somebody's change was taken in. Returns what to call once it is known what became of it; undefined outside the sample. */
  appending(envelope: Uint8Array): ((outcome: string) => void) | undefined
  /** The bus has taken it. */
  published(envelope: Uint8Array): void
  /** It is about to be handed to everybody connected here. Returns what to call after that. */
  fanningOut(envelope: Uint8Array): (() => void) | undefined
  /** A transaction that has just ended. */
  committed(appends: readonly { readonly row: { readonly envelope: Uint8Array } }[], ms: number): void
  /** What goes along to other processes. */
  headerOf(envelope: Uint8Array): string | undefined
  /** It came from another process, along with this. */
  arrived(envelope: Uint8Array, header: string): void
  /** A client has a trace of its own and says so as it connects; undefined when it says something else. */
  following(header: string): Follow | undefined
  /** Sends what was not sent yet. */
  stop(): Promise<void>
}

/** Who is told of each transaction of a store. */
export function committedTo({ committed }: Meters, traces: Traces | undefined): Committed {
  if (!traces) return committed
  return (changes, ms, appends) => {
    committed(changes, ms)
    traces.committed(appends, ms)
  }
}
