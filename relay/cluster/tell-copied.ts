import { parseSessionId, type SessionId } from '../../shared/id.ts'
import { openBeside } from '../store/database.ts'
import { deletionsIn } from './deletions.ts'
import type { Kept } from './kept.ts'
import { encodeBulletin, type News } from './news.ts'
import type { Region } from './region.ts'

/**
 * Whoever is in sessions that were copied from another store may not have heard what is new in them, or that they are deleted.
 * `upTo` is how far this store had read before, undefined where it told nobody anything yet.
 */
export async function tellCopied(region: Region, { store, folder }: Kept, upTo?: number): Promise<void> {
  const tell = (session: SessionId, news: News) => {
    const bulletin = encodeBulletin({ origin: store.origin, region: region.name, news: [news] })
    region.connection.publish(`room.${session}.news`, bulletin)
  }
  for (const session of deletionsIn(folder))
    tell(session, { sequence: 0, of: 'delete', outcome: { outcome: 'deleted' } })
  if (upTo === undefined) return
  for (const session of longerThan(folder, upTo)) {
    const head = await store.head(session)
    const position = head.outcome === 'head' ? head.saved : undefined
    if (!position) continue
    const outcome = { outcome: 'saved', position, compact: undefined } as const
    tell(session, { sequence: position.sequence, of: 'append', outcome })
  }
}

/** The sessions whose logs go on behind a sequence. */
function longerThan(dataDir: string, sequence: number): readonly SessionId[] {
  const { database, close } = openBeside(dataDir)
  try {
    const isLonger = ['entries', 'snapshots'].map(
      (table) => `EXISTS (SELECT 1 FROM ${table} WHERE session = sessions.key AND sequence > :sequence)`,
    )
    const find = database.prepare<[{ sequence: number }], string>(
      `SELECT id FROM sessions WHERE ${isLonger.join(' OR ')}`,
    )
    const ids = find.pluck().all({ sequence })
    return ids.flatMap((id) => parseSessionId(id) ?? [])
  } finally {
    close()
  }
}
