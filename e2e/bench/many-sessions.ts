import { randomBytes } from 'node:crypto'
import { openDatabase } from '../../relay/store/database.ts'
import { checksumOf } from '../../relay/store/hash.ts'
import { LogTables } from '../../relay/store/log-tables.ts'
import { SessionTable } from '../../relay/store/session-table.ts'
import { entryKinds } from '../../relay/store/store.ts'
import { base32 } from '../../shared/id.ts'

/** Who writes at the same time; pages have entries of all of them. */
const sessionsAtOnce = 50
/** The smallest envelope there is. */
const envelopeBytes = 297

/** A database in which the older half of the sessions was used last `idleDays` days ago, and the others today. */
export function fillWithSessions(dataDir: string, sessions: number, entries: number, idleDays: number): void {
  const { database, close } = openDatabase(dataDir, 'local')
  const table = new SessionTable(database, 1 << 30)
  const logs = new LogTables(database, table)
  const add = database.transaction((from: number) => {
    table.day = from < sessions / 2 ? 0 : idleDays
    const ids = Array.from({ length: Math.min(sessionsAtOnce, sessions - from) }, () =>
      base32(randomBytes(16)),
    )
    for (let sequence = 1; sequence <= entries; sequence++) {
      for (const session of ids) {
        const envelope = randomBytes(envelopeBytes)
        const checksum = checksumOf(envelope)
        logs.append({
          session,
          sequence,
          previous: sequence - 1,
          checksum,
          kind: entryKinds.change,
          envelope,
        })
      }
    }
  })
  for (let from = 0; from < sessions; from += sessionsAtOnce) add(from)
  database.prepare(`UPDATE facts SET value = ? WHERE name = 'day'`).run(idleDays)
  database.prepare(`UPDATE facts SET value = date('now') WHERE name = 'seen'`).run()
  close()
}
