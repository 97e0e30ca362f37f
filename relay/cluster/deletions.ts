import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { parseSessionId, type SessionId } from '../../shared/id.ts'
import { unlessCorrupt } from '../store/corrupt.ts'
import { databaseName } from '../store/database.ts'
import type { Kept } from './kept.ts'
import type { Region } from './region.ts'
import { echo, encodeStatement } from './statement.ts'
import { logOf, regionOf } from './streams.ts'

/**
 * Sees to it that what was deleted according to one database is in no other one. A deletion is said in the stream of every region, but
 * what was copied nobody here has read, and of a stream that is gone nothing is read any more.
 */
export class Deletions {
  readonly #region: Region
  readonly #origins: { readonly all: Iterable<Kept> }
  /** Whether some database may have what is deleted according to another one. At the start nobody knows. */
  #mayBeKept = true

  constructor(region: Region, origins: { readonly all: Iterable<Kept> }) {
    this.#region = region
    this.#origins = origins
  }

  /** Some came into a database otherwise than from its stream. */
  noteCopied(): void {
    this.#mayBeKept = true
  }

  /** Rejects when a database cannot be read; then, and where one was refused, it is done again when this is called again. */
  async spread(): Promise<void> {
    if (!this.#mayBeKept) return
    this.#mayBeKept = false
    try {
      const all = [...this.#origins.all]
      const deleted = new Set(all.flatMap(({ folder }) => deletionsIn(folder)))
      for (const kept of all)
        for (const session of keptOf(deleted, kept.folder)) if (!(await this.#delete(kept, session))) break
    } catch (error) {
      this.#mayBeKept = true
      throw error
    }
  }

  /** One that the stream of an origin said. In its own stream every region says it. */
  spreadFrom(origin: string, session: SessionId): void {
    for (const kept of this.#origins.all)
      if (kept.store.origin !== origin && !this.#isOwn(kept)) void this.#delete(kept, session)
  }

  /** False when its stream, or its store, does not take it now. */
  async #delete(kept: Kept, session: SessionId): Promise<boolean> {
    const isDone = this.#isOwn(kept)
      ? await sayDeleted(this.#region, session)
      : (await kept.store.delete(session)).outcome === 'deleted'
    if (!isDone) this.#mayBeKept = true
    return isDone
  }

  #isOwn({ store, follower }: Kept): boolean {
    return follower !== undefined && regionOf(store.origin) === this.#region.name
  }
}

/** Sessions that are deleted according to the database of a folder, as far as it can be read. */
export function deletionsIn(folder: string): readonly SessionId[] {
  return reading(folder, (database) => {
    const ids = database.prepare<[], string>('SELECT id FROM deletions').pluck().all()
    return ids.flatMap((id) => parseSessionId(id) ?? [])
  })
}

/** Which of these sessions are in the database of a folder, as far as it can be read. */
function keptOf(sessions: ReadonlySet<SessionId>, folder: string): readonly SessionId[] {
  return reading(folder, (database) => {
    const find = database.prepare<[string]>('SELECT 1 FROM sessions WHERE id = ?').pluck()
    return [...sessions].filter((session) => find.get(session) !== undefined)
  })
}

/** In the region's own stream, as what a store says again. The stream takes it once from all of them. False when it takes nothing. */
async function sayDeleted({ name, stream }: Region, session: SessionId): Promise<boolean> {
  const message = { type: 'delete', signature: new Uint8Array(64) } as const
  const statement = encodeStatement({ author: echo, message })
  const published = stream.publish(logOf(name, session), statement, { msgID: `deleted ${session}` })
  return published.then(
    () => true,
    () => false,
  )
}

function reading<Found>(folder: string, read: (database: Sqlite.Database) => Found[]): Found[] {
  const database = new Sqlite(join(folder, databaseName), { readonly: true, timeout: 1000 })
  try {
    return unlessCorrupt(
      () => read(database),
      () => [],
    )
  } finally {
    database.close()
  }
}
