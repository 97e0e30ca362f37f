import Sqlite, { type Database } from 'better-sqlite3'
import { prepareDropping } from './database.ts'
import type { LogTables } from './log-tables.ts'

const hour = 3_600_000
const sessionsAtOnce = 50

/**
 * Deletes sessions nobody used for `idleDays` days, and forgets as late which ones their owners deleted. Days are counted,
 * at most one per day of the clock, instead of computed: a clock that jumps ten years ahead ages every session by one day.
 */
export function startSweeping(
  database: Database,
  logs: LogTables,
  idleDays: number,
  expired: (sessions: number) => void,
): () => void {
  const statements = {
    fact: database.prepare<[string]>('SELECT value FROM facts WHERE name = ?').pluck(),
    set: database.prepare<[string | number, string]>('UPDATE facts SET value = ? WHERE name = ?'),
    idle: database
      .prepare<[number, number], number>('SELECT key FROM sessions WHERE day < ? LIMIT ?')
      .pluck(),
    forget: database.prepare<[number]>('DELETE FROM deletions WHERE day < ?'),
    drop: prepareDropping(database),
  }

  const countDay = database.transaction(() => {
    const today = new Date().toISOString().slice(0, 10)
    const day = Number(statements.fact.get('day'))
    if (statements.fact.get('seen') === today) return day
    statements.set.run(today, 'seen')
    statements.set.run(day + 1, 'day')
    return day + 1
  })

  const dropSome = database.transaction((before: number) => {
    const keys = statements.idle.all(before, sessionsAtOnce) as number[]
    statements.forget.run(before)
    for (const key of keys) for (const drop of statements.drop) drop.run(key)
    return keys.length
  })

  function sweep(): void {
    const dropped = sweepSome()
    if (dropped === 0) return
    logs.forgetAll()
    expired(dropped)
    // The rest after whatever is waiting: a sweep must not hold up appends.
    if (dropped === sessionsAtOnce) setImmediate(sweep)
  }

  /** A disk that is full or read-only is swept an hour later: what it holds can still be read. */
  function sweepSome(): number {
    try {
      logs.day = countDay.immediate()
      return dropSome.immediate(logs.day - idleDays)
    } catch (error) {
      if (!(error instanceof Sqlite.SqliteError)) throw error
      logs.day = Number(statements.fact.get('day'))
      return 0
    }
  }

  sweep()
  const timer = setInterval(sweep, hour)
  return () => clearInterval(timer)
}
