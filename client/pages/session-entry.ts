import type { SessionId } from '../../shared/id.ts'

/** A session this device keeps. */
export interface SessionEntry {
  readonly id: SessionId
  readonly name: string | undefined
  readonly href: string
  /** When it was last opened, in milliseconds. */
  readonly opened: number
}

export interface HomeView {
  readonly sessions: readonly SessionEntry[]
  start(): void
  remove(id: SessionId): void
  restore(entry: SessionEntry): void
}
