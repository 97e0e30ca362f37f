import { setTimeout as wait } from 'node:timers/promises'
import type { Database } from 'better-sqlite3'
import { parseSessionId } from '../shared/id.ts'
import { prepareDropping } from './database.ts'
import { shardOf } from './shard.ts'

/** How long one transaction takes sessions; whoever else has work to do gets it done in between. */
const turnMs = 20

/**
 * Takes the sessions of some shards, and which were deleted, from the copy of another database with the same origin. Where both have
 * a session the copy's takes its place. Rejects with SQLite's error when the copy cannot be read. Returns how far the copy had read
 * the stream.
 */
export async function takeSessions(
  into: Database,
  copy: string,
  shards: ReadonlySet<number>,
  signal?: AbortSignal,
): Promise<number> {
  const isTaken = (id: string) => {
    const session = parseSessionId(id)
    return session !== undefined && shards.has(shardOf(session))
  }
  into.prepare('ATTACH ? AS copy').run(copy)
  try {
    const kept = 'SELECT id FROM copy.sessions WHERE id NOT IN (SELECT id FROM main.deletions)'
    const ids = into.prepare<[], string>(kept).pluck().all().filter(isTaken).values()
    const take = prepareTaking(into)
    const takeSome = into.transaction(() => {
      const end = performance.now() + turnMs
      for (const id of ids) {
        take(id)
        if (performance.now() > end) return true
      }
      return false
    })
    while (takeSome.immediate()) await wait(0, undefined, signal && { signal })
    takeDeletions(into, isTaken)
    return Number(into.prepare(`SELECT value FROM copy.facts WHERE name = 'applied'`).pluck().get() ?? 0)
  } finally {
    into.exec('DETACH copy')
  }
}

/** Days are counted by each store for itself: what was unused for so many days still is. */
const dayHere = `day + (SELECT value FROM main.facts WHERE name = 'day') - (SELECT value FROM copy.facts WHERE name = 'day')`

function prepareTaking(into: Database): (id: string) => void {
  const drop = prepareDropping(into)
  const own = into.prepare<[string], number>('SELECT key FROM main.sessions WHERE id = ?').pluck()
  const theirs = into.prepare<[string], number>('SELECT key FROM copy.sessions WHERE id = ?').pluck()
  const create = into.prepare<[string]>(
    `INSERT INTO main.sessions (id, head, day) SELECT id, head, ${dayHere} FROM copy.sessions WHERE id = ?`,
  )
  const rows = [
    ['entries', 'sequence, checksum, envelope, kind'],
    ['snapshots', 'sequence, mark, id, envelope'],
    ['deposits', 'round, seal, key, checksum'],
    ['releases', 'round, body'],
  ].map(([table, columns]) =>
    into.prepare<[number, number]>(
      `INSERT INTO main.${table} (session, ${columns}) SELECT ?, ${columns} FROM copy.${table} WHERE session = ?`,
    ),
  )
  return (id) => {
    const [known, key] = [own.get(id), theirs.get(id)]
    if (known !== undefined) for (const statement of drop) statement.run(known)
    const taken = Number(create.run(id).lastInsertRowid)
    if (key !== undefined) for (const statement of rows) statement.run(taken, key)
  }
}

/** Of what was deleted while this store was off, nothing stays here either. */
function takeDeletions(into: Database, isTaken: (id: string) => boolean): void {
  const drop = prepareDropping(into)
  const own = into.prepare<[string], number>('SELECT key FROM main.sessions WHERE id = ?').pluck()
  const deleted = into.prepare<[], string>('SELECT id FROM copy.deletions').pluck().all().filter(isTaken)
  const add = into.prepare<[string]>(
    `INSERT OR REPLACE INTO main.deletions SELECT id, ${dayHere} FROM copy.deletions WHERE id = ?`,
  )
  into.transaction(() => {
    for (const id of deleted) {
      const known = own.get(id)
      if (known !== undefined) for (const statement of drop) statement.run(known)
      add.run(id)
    }
  })()
}
