import type { SessionId } from '../../shared/id.ts'

const day = 86_400_000

/** Stores see only what they are asked, and one in a region is; so all are told that somebody uses a session, once a day. */
export class UsedToday {
  readonly #tell: (session: SessionId) => void
  readonly #told = new Set<SessionId>()
  #today = 0

  constructor(tell: (session: SessionId) => void) {
    this.#tell = tell
  }

  note(session: SessionId): void {
    const today = Math.floor(Date.now() / day)
    if (today !== this.#today) {
      this.#today = today
      this.#told.clear()
    }
    if (this.#told.has(session)) return
    this.#told.add(session)
    this.#tell(session)
  }
}
