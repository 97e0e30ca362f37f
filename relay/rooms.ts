import type { SessionId } from '../shared/id.ts'
import type { Bus } from './bus.ts'
import type { Connection } from './connection.ts'
import { Bucket, type Limits } from './limits.ts'
import { Room } from './room.ts'
import type { Store } from './store.ts'

export interface Entered {
  readonly room: Room
  /** What the session may send. */
  readonly frames: Bucket
  readonly leave: () => void
}

/** The rooms of a relay: one for each session somebody is connected to. */
export class Rooms {
  readonly #bus: Bus
  readonly #store: Store
  readonly #limits: Limits
  readonly #rooms = new Map<SessionId, { readonly room: Room; readonly frames: Bucket }>()

  constructor(bus: Bus, store: Store, limits: Limits) {
    this.#bus = bus
    this.#store = store
    this.#limits = limits
  }

  enter(session: SessionId, connection: Connection): Entered {
    let open = this.#rooms.get(session)
    if (!open) {
      open = {
        room: new Room(session, this.#bus, this.#store),
        frames: new Bucket(this.#limits.framesOfSession, connection.now()),
      }
      this.#rooms.set(session, open)
    }
    const { room, frames } = open
    const leave = room.enter(connection)
    return {
      room,
      frames,
      leave: () => {
        leave()
        if (!room.isEmpty) return
        this.#rooms.delete(session)
        room.close()
      },
    }
  }
}
