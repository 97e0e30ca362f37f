import Sqlite, { type Database } from 'better-sqlite3'
import { unlessCorrupt } from './corrupt.ts'
import { prepareDropping } from './database.ts'
import { giveBackSome } from './give-back.ts'
import type { SessionTable } from './session-table.ts'

const hour = 3_600_000
/** In one transaction: no more sessions than this, and none after so many rows. */
const sessionsAtOnce = 20
const rowsAtOnce = 200
/** A sweep rests so many times as long as it worked: nine tenths of the time belong to appends. */
const restsFor = 9

interface Idle {
  readonly key: number
  readonly id: string
}

/**
 * Deletes sessions nobody used for `idleDays` days, and forgets as late which ones their owners deleted; then gives back what is
 * free. Days are counted, at most one per day of the clock, instead of computed: a clock that jumps ten years ahead ages every
 * session by one day.
 */
export function startSweeping(
  database: Database,
  sessions: SessionTable,
  idleDays: number,
  expired: (sessions: number) => void,
): () => void {
  const statements = {
    fact: database.prepare<[string]>('SELECT value FROM facts WHERE name = ?').pluck(),
    set: database.prepare<[string | number, string]>('UPDATE facts SET value = ? WHERE name = ?'),
    idle: database.prepare<[number, number], Idle>('SELECT key, id FROM sessions WHERE day < ? LIMIT ?'),
    setDay: database.prepare<[number, number]>('UPDATE sessions SET day = ? WHERE key = ?'),
    forget: database.prepare<[number]>('DELETE FROM deletions WHERE day < ?'),
    drop: prepareDropping(database),
  }
  let next: NodeJS.Timeout
  let dropped = 0

  const countDay = database.transaction(() => {
    const today = new Date().toISOString().slice(0, 10)
    const day = Number(statements.fact.get('day'))
    if (statements.fact.get('seen') === today) return day
    statements.set.run(today, 'seen')
    statements.set.run(day + 1, 'day')
    return day + 1
  })

  const dropSome = database.transaction((before: number) => {
    const idle = statements.idle.all(before, sessionsAtOnce)
    statements.forget.run(before)
    const done: Idle[] = []
    for (let rows = 0; done.length < idle.length && rows < rowsAtOnce; ) {
      const session = idle[done.length] as Idle
      rows += drop(session)
      done.push(session)
    }
    return { done, more: done.length < idle.length || idle.length === sessionsAtOnce }
  })

  function drop({ key }: Idle): number {
    return statements.drop.reduce((rows, statement) => rows + statement.run(key).changes, 0)
  }

  /** A session that cannot be deleted because its pages are damaged holds up no other: it is tried again after as many days. */
  function dropEach(before: number) {
    const idle = statements.idle.all(before, sessionsAtOnce)
    const alone = database.transaction(drop)
    const done = idle.filter((session) =>
      unlessCorrupt(
        () => alone.immediate(session) > 0,
        () => statements.setDay.run(sessions.day, session.key).changes === 0,
      ),
    )
    return { done, more: idle.length > 0 }
  }

  function sweep(): void {
    const began = performance.now()
    const more = unlessRefused(dropIdle)
    if (!more && dropped > 0) {
      expired(dropped)
      dropped = 0
    }
    const goesOn = more || unlessRefused(() => giveBackSome(database))
    next = setTimeout(sweep, goesOn ? restsFor * (performance.now() - began) : hour)
  }

  function dropIdle(): boolean {
    sessions.day = Number(statements.fact.get('day'))
    sessions.day = countDay.immediate()
    const before = sessions.day - idleDays
    const { done, more } = unlessCorrupt(
      () => dropSome.immediate(before),
      () => dropEach(before),
    )
    for (const { id } of done) sessions.forget(id)
    dropped += done.length
    return more
  }

  sweep()
  return () => clearTimeout(next)
}

/** A disk that is full or read-only is swept an hour later: what it holds can still be read. */
function unlessRefused(work: () => boolean): boolean {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof Sqlite.SqliteError)) throw error
    return false
  }
}
