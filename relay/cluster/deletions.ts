import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { parseSessionId, type SessionId } from '../../shared/id.ts'
import { unlessCorrupt } from '../corrupt.ts'
import { databaseName } from '../database.ts'
import type { Region } from './region.ts'
import { echo, encodeStatement } from './statement.ts'
import { logOf } from './streams.ts'

/** Sessions that are deleted according to the database of a folder, as far as it can be read. */
export function deletionsIn(folder: string): readonly SessionId[] {
  return reading(folder, (database) => {
    const ids = database.prepare<[], string>('SELECT id FROM deletions').pluck().all()
    return ids.flatMap((id) => parseSessionId(id) ?? [])
  })
}

/** Which of these sessions are in the database of a folder, as far as it can be read. */
export function keptOf(sessions: ReadonlySet<SessionId>, folder: string): readonly SessionId[] {
  return reading(folder, (database) => {
    const find = database.prepare<[string]>('SELECT 1 FROM sessions WHERE id = ?').pluck()
    return [...sessions].filter((session) => find.get(session) !== undefined)
  })
}

/** In the region's own stream, as what a store says again. The stream takes it once from all of them. False when it takes nothing. */
export async function sayDeleted({ name, stream }: Region, session: SessionId): Promise<boolean> {
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
