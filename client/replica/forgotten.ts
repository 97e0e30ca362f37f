import type { SessionId } from '../../shared/id.ts'
import { databaseName, namePrefix } from './replica.ts'

/** Removes the copies of sessions that this device has no keys of any more. */
export async function deleteReplicasExcept(kept: () => readonly SessionId[]): Promise<void> {
  // Older browsers cannot list databases: there the copy stays, unreachable without its keys.
  const databases = (await globalThis.indexedDB?.databases?.()) ?? []
  const names = new Set<string | undefined>(kept().map(databaseName)) // after the listing: a session is kept before it has a copy
  for (const { name } of databases) {
    if (name?.startsWith(namePrefix) && !names.has(name)) indexedDB.deleteDatabase(name)
  }
}
