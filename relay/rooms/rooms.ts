import type { SessionId } from '../../shared/id.ts'
import type { Bus } from '../bus/bus.ts'
import type { Archive } from '../store/store.ts'
import { Room } from './room.ts'
import type { Asked } from './shared-reading.ts'

/** The rooms of a relay: one for each session somebody is connected to. */
export class Rooms {
  readonly #bus: Bus
  readonly #store: Archive
  readonly #asked: Asked | undefined
  readonly #rooms = new Map<SessionId, Room>()

  constructor(bus: Bus, store: Archive, asked?: Asked) {
    this.#bus = bus
    this.#store = store
    this.#asked = asked
  }

  get open(): number {
    return this.#rooms.size
  }

  /** The room, which is there until the last connection has left it. */
  of(session: SessionId): Room {
    const open = this.#rooms.get(session)
    if (open) return open
    const room = new Room(session, this.#bus, this.#store, () => this.#rooms.delete(session), this.#asked)
    this.#rooms.set(session, room)
    return room
  }
}
