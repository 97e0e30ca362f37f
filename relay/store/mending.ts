import Sqlite, { type Database } from 'better-sqlite3'
import { unlessCorrupt } from './corrupt.ts'

interface Index {
  readonly name: string
  readonly table: string
  readonly columns: string
}

const checkedBytes = 64 << 20

/** What goes through a database of that size takes no longer than a moment. */
export function isSmall(database: Database): boolean {
  const bytes = database.prepare('SELECT page_count * page_size FROM pragma_page_count, pragma_page_size')
  return Number(bytes.pluck().get()) <= checkedBytes
}

/** Of one that is small, whether not every index knows every row. */
export function isDamaged(database: Database): boolean {
  if (!isSmall(database)) return false
  try {
    return database.pragma('integrity_check(1)', { simple: true }) !== 'ok'
  } catch (error) {
    if (error instanceof Sqlite.SqliteError) return true
    throw error
  }
}

/**
 * Makes indexes anew whose pages are damaged: all they know is in their tables. How many; a table that is damaged, too,
 * keeps its index. `REINDEX` and `DROP INDEX` read the damaged pages in order to free them, and so does `VACUUM` to copy
 * them, so here a new index takes the place of the old one in the schema, whose pages nobody reads again.
 */
export function mendIndexes(database: Database): number {
  const mended = indexesOf(database).filter((index) => !isReadable(database, index) && mend(database, index))
  return mended.length
}

/** Pages nobody reads again are damage to an integrity check, at the next start. */
export function removeUnused(database: Database): void {
  try {
    database.exec('VACUUM')
  } catch (error) {
    if (!(error instanceof Sqlite.SqliteError)) throw error // they stay where something else is damaged, or the disk is full
  }
}

function indexesOf(database: Database): readonly Index[] {
  return database
    .prepare<[], Index>(
      `SELECT name, tbl_name AS "table", (SELECT group_concat(name) FROM pragma_index_info(indexes.name)) AS columns
       FROM sqlite_schema AS indexes WHERE type = 'index'`,
    )
    .all()
}

/** A plain count would choose an index itself. */
function isReadable(database: Database, { name, table }: Index): boolean {
  const all = database.prepare(`SELECT sum(1) FROM ${table} INDEXED BY ${name}`)
  return unlessCorrupt(
    () => all.get() !== undefined,
    () => false,
  )
}

function mend(database: Database, { name, table, columns }: Index): boolean {
  const replace = database.transaction(() => {
    database.exec(`CREATE INDEX mended ON ${table} (${columns})`)
    const root = database.prepare(`SELECT rootpage FROM sqlite_schema WHERE name = 'mended'`).pluck().get()
    database.prepare('UPDATE sqlite_schema SET rootpage = ? WHERE name = ?').run(root, name)
    database.exec(`DELETE FROM sqlite_schema WHERE name = 'mended'`)
    const version = Number(database.pragma('schema_version', { simple: true }))
    database.pragma(`schema_version = ${version + 1}`) // so that no statement goes on with the old root
  })
  database.unsafeMode(true)
  database.pragma('writable_schema = ON')
  try {
    replace.immediate()
    return true
  } catch (error) {
    if (error instanceof Sqlite.SqliteError) return false
    throw error
  } finally {
    database.pragma('writable_schema = RESET')
    database.unsafeMode(false)
  }
}
