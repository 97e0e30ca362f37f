import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { parseSessionId, type SessionId } from '../../shared/id.ts'
import { databaseName } from '../database.ts'
import type { Region } from './region.ts'
import { echo, encodeStatement } from './statement.ts'
import { logOf } from './streams.ts'

/** Sessions in the database of a folder that are deleted in one of the others'. */
export function deletedElsewhere(folder: string, others: readonly string[]): readonly SessionId[] {
  const deleted = new Set(others.flatMap((other) => (other === folder ? [] : deletedIn(other))))
  if (deleted.size === 0) return []
  return reading(folder, (database) => {
    const find = database.prepare<[string]>('SELECT 1 FROM sessions WHERE id = ?').pluck()
    return [...deleted].filter((session) => find.get(session) !== undefined)
  })
}

/** In the region's own stream, as what a store says again. The stream takes it once from all of them. */
export async function sayDeleted({ name, stream }: Region, session: SessionId): Promise<void> {
  const message = { type: 'delete', signature: new Uint8Array(64) } as const
  const statement = encodeStatement({ author: echo, message })
  await stream.publish(logOf(name, session), statement, { msgID: `deleted ${session}` })
}

function deletedIn(folder: string): SessionId[] {
  const ids = reading(folder, (database) =>
    database.prepare<[], string>('SELECT id FROM deletions').pluck().all(),
  )
  return ids.flatMap((id) => parseSessionId(id) ?? [])
}

function reading<Found>(folder: string, read: (database: Sqlite.Database) => Found): Found {
  const database = new Sqlite(join(folder, databaseName), { readonly: true, timeout: 1000 })
  try {
    return read(database)
  } finally {
    database.close()
  }
}
