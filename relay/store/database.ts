import { randomBytes } from 'node:crypto'
import { accessSync, closeSync, constants, openSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite, { type Database } from 'better-sqlite3'
import { base32 } from '../../shared/id.ts'
import { DamageError, SetupError } from '../settings/setup-error.ts'
import { lockFile } from './folder-lock.ts'
import { depositChecksum } from './hash.ts'
import { watchPlaces } from './in-place.ts'
import { makeFolder } from './make-folder.ts'
import { isBytes } from './whole-rows.ts'

/** Older ones can corrupt a database when the write-ahead log is reset (fixed in 3.51.3). */
const oldestSqlite = [3, 51, 3]
/** The name of a database in its data folder. */
export const databaseName = 'facedown.sqlite'
/** What each version added to the one before. */
export const versions = [
  `
  CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
  CREATE TABLE sessions (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    head INTEGER NOT NULL,
    day INTEGER NOT NULL
  );
  CREATE TABLE entries (
    session INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    checksum BLOB NOT NULL,
    envelope BLOB NOT NULL,
    PRIMARY KEY (session, sequence)
  );
  CREATE UNIQUE INDEX entries_by_checksum ON entries (session, checksum);
  CREATE TABLE snapshots (
    session INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    mark BLOB NOT NULL,
    id BLOB NOT NULL,
    envelope BLOB NOT NULL,
    PRIMARY KEY (session, sequence)
  );
  CREATE INDEX sessions_by_day ON sessions (day);
  INSERT INTO facts VALUES ('day', 0), ('seen', ''), ('check', 0);
`,
  'CREATE TABLE deletions (id TEXT PRIMARY KEY, day INTEGER NOT NULL) WITHOUT ROWID;',
  `
  ALTER TABLE entries ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
  CREATE TABLE deposits (
    session INTEGER NOT NULL,
    round BLOB NOT NULL,
    seal BLOB NOT NULL,
    key BLOB NOT NULL,
    PRIMARY KEY (session, round, seal)
  ) WITHOUT ROWID;
  CREATE TABLE releases (
    session INTEGER NOT NULL,
    round BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (session, round)
  ) WITHOUT ROWID;
`,
  `
  ALTER TABLE deposits ADD COLUMN checksum BLOB NOT NULL DEFAULT x'';
  UPDATE deposits SET checksum = deposit_checksum(round, seal, key);
`,
]

/** Statements that together remove what is kept of the session with a key. */
export function prepareDropping(database: Database) {
  return ['entries', 'snapshots', 'deposits', 'releases']
    .map((table) => `${table} WHERE session`)
    .concat('sessions WHERE key')
    .map((rows) => database.prepare<[number]>(`DELETE FROM ${rows} = ?`))
}

export interface OpenDatabase {
  readonly database: Database
  readonly origin: string
  /** False while the data folder has it, or its write-ahead log, no more. One in memory is always there. */
  readonly isInPlace?: () => boolean
  readonly close: () => void
}

/** Opens or creates the database of a data folder and holds the folder for this process alone until closed. */
export function openDatabase(dataDir: string, region: string, shared?: string): OpenDatabase {
  requireSqlite()
  createFolder(dataDir)
  const unlock = lockFolder(dataDir)
  const path = join(dataDir, databaseName)
  try {
    refuseEmptied(path)
    const database = new Sqlite(path, { timeout: 1000 })
    database.pragma('auto_vacuum = INCREMENTAL') // only a new database takes it; see `give-back.ts`
    makeDurable(database)
    database.pragma('secure_delete = ON') // whatever is deleted is overwritten, in entries a snapshot replaced, too
    const origin = prepare(database, region, shared)
    return {
      database,
      origin,
      isInPlace: watchPlaces([path, `${path}-wal`]),
      close: () => {
        emptyWriteAheadLog(database)
        database.close()
        unlock()
      },
    }
  } catch (error) {
    unlock()
    throw error instanceof Sqlite.SqliteError ? new SetupError(explain(error, path)) : error
  }
}

/** Where the disk takes nothing any more it stays, and has what the database has not. */
function emptyWriteAheadLog(database: Database): void {
  try {
    database.pragma('wal_checkpoint(TRUNCATE)')
  } catch (error) {
    if (!(error instanceof Sqlite.SqliteError)) throw error
  }
}

/** A second connection to the database of a folder that this process holds already. */
export function openBeside(dataDir: string): Pick<OpenDatabase, 'database' | 'close'> {
  const database = new Sqlite(join(dataDir, databaseName), { timeout: 1000, fileMustExist: true })
  makeDurable(database)
  database.pragma('secure_delete = ON')
  return { database, close: () => database.close() }
}

function requireSqlite(): void {
  const memory = new Sqlite(':memory:')
  const version = String(memory.prepare('SELECT sqlite_version()').pluck().get())
  memory.close()
  const parts = version.split('.').map(Number)
  const differs = oldestSqlite.findIndex((part, at) => part !== parts[at])
  if (differs >= 0 && (parts[differs] ?? 0) < (oldestSqlite[differs] ?? 0)) {
    throw new SetupError(
      `SQLite ${oldestSqlite.join('.')} or later is needed, but better-sqlite3 brings ${version}`,
    )
  }
}

/** Throws a `SetupError` where it cannot be made. */
export function createFolder(dataDir: string): void {
  try {
    makeFolder(dataDir)
  } catch (error) {
    throw new SetupError(
      `DATA_DIR must be a folder that can be written to, but ${reasonOf(error)}: ${dataDir}`,
    )
  }
}

/** Holds a data folder for this process alone until released. */
export function lockFolder(dataDir: string): () => void {
  const unlock = tryLock(dataDir)
  if (unlock) return unlock
  throw new SetupError(
    `Another relay uses the data folder ${dataDir}. Stop it, or set DATA_DIR to another folder`,
  )
}

function tryLock(dataDir: string): (() => void) | undefined {
  try {
    return lockFile(join(dataDir, 'facedown.lock'))
  } catch (error) {
    const refusal = refusalOf(() => accessSync(dataDir, constants.W_OK)) ?? error // SQLite says only that it cannot
    throw new SetupError(
      `DATA_DIR must be a folder that can be written to, but ${reasonOf(refusal)}: ${dataDir}`,
    )
  }
}

/** SQLite takes a file without a byte for a new database and removes the write-ahead log that lies beside it. */
export function refuseEmptied(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.size === 0) throw new DamageError(explainDamage(path))
}

/** better-sqlite3 reopens a WAL database with `synchronous=NORMAL`, which loses commits in a power cut. */
function makeDurable(database: Database): void {
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.pragma('journal_size_limit = 16777216')
  database.pragma('wal_autocheckpoint = 4000')
  database.pragma('cache_size = -32768')
  const mode = database.pragma('journal_mode', { simple: true })
  const synchronous = database.pragma('synchronous', { simple: true })
  if (mode !== 'wal' || synchronous !== 2) {
    throw new SetupError(
      `The file system under DATA_DIR cannot keep a durable database (journal ${mode}, synchronous ${synchronous}); use a local disk`,
    )
  }
}

/** Gives the name under which this database's sequences appear in cursors, made once with it. */
export function prepare(
  database: Database,
  region: string,
  shared = `${region}.${base32(randomBytes(5))}`,
): string {
  const version = Number(database.pragma('user_version', { simple: true }))
  if (version > versions.length) {
    throw new SetupError(
      `The database in DATA_DIR was made by a newer version of the relay (format ${version}). Start that one, or put a backup of this version in its place`,
    )
  }
  if (version < versions.length) {
    database.function('deposit_checksum', checksumOfColumns)
    database.transaction(() => {
      for (const added of versions.slice(version)) database.exec(added)
      database.prepare(`INSERT OR IGNORE INTO facts VALUES ('origin', ?)`).run(shared)
      database.pragma(`user_version = ${versions.length}`)
    })()
  }
  return String(database.prepare(`SELECT value FROM facts WHERE name = 'origin'`).pluck().get())
}

/** None for what a disk changed to something else; then nobody takes it for a key. */
function checksumOfColumns(round: unknown, seal: unknown, key: unknown): Buffer {
  return isBytes(round) && isBytes(seal) && isBytes(key) ? depositChecksum(round, seal, key) : Buffer.alloc(0)
}

function explain(error: InstanceType<typeof Sqlite.SqliteError>, path: string): string {
  if (error.code === 'SQLITE_NOTADB' || error.code.startsWith('SQLITE_CORRUPT')) {
    return explainDamage(path)
  }
  const { code, message } = error
  // The second when there is no room for the memory that readers share with the writer.
  if (code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_SHMSIZE') {
    return `The disk under ${path} is full. Make room, then start again`
  }
  if (isReadOnly(path)) return explainReadOnly(path)
  if (code === 'SQLITE_READONLY_DIRECTORY' || !isOurs(path)) {
    return `The database ${path} belongs to somebody else. Give its folder and all in it to the user who starts the relay`
  }
  return `The database ${path} cannot be opened (${code}: ${message})`
}

/** Only for one that is open nowhere in this process: SQLite's locks would be gone. */
function isOurs(path: string): boolean {
  return refusalOf(() => closeSync(openSync(path, 'r+'))) === undefined
}

export function explainReadOnly(path: string): string {
  return `The database ${path} is on a read-only file system. Mount that so that it can be written to, or set DATA_DIR to another folder`
}

export function isReadOnly(path: string): boolean {
  return refusalOf(() => accessSync(path, constants.W_OK))?.code === 'EROFS'
}

/** What the file system has against it. */
function refusalOf(work: () => void): NodeJS.ErrnoException | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return error as NodeJS.ErrnoException
  }
}

export function explainDamage(path: string): string {
  return `The database ${path} is damaged and was left as it is. Put a backup in its place, or move it away to start anew: devices bring back what they hold`
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? (error.message.split(',')[0] ?? error.message) : String(error)
}
