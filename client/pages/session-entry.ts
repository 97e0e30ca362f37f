import type { SessionId } from '../../shared/id.ts'

/** A session this device keeps. */
export interface SessionEntry {
  readonly id: SessionId
  readonly name: string | undefined
  readonly href: string
  /** When it was last opened, in milliseconds. */
  readonly opened: number
  /** False with an observer's invitation, and for a session of another installation on this host. */
  readonly mayRename: boolean
  /** This device made the session: it may delete it from the relay, if that is this one. */
  readonly mayDelete: boolean
}

/** Why a file could not be opened as a session. */
export type FileProblem = 'notAFile' | 'damaged' | 'newer' | 'locked'

export interface HomeView {
  readonly sessions: readonly SessionEntry[]
  start(): void
  /** From this device alone. */
  remove(id: SessionId): void
  restore(entry: SessionEntry): void
  rename(id: SessionId, name: string): Promise<void>
  /** For everybody who does not have it on a device. */
  deleteFromRelay(id: SessionId): Promise<'deleted' | 'offline' | 'refused'>
  /** Opens a `.facedown` file as its session; a locked one with the invitation that was pasted. */
  openFile(file: Blob, invitation?: string): Promise<FileProblem | undefined>
}
