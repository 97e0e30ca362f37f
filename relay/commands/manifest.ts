import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DamageError, SetupError } from '../settings/setup-error.ts'
import { databaseName } from '../store/database.ts'
import { version } from '../version.ts'
import { isRegionFolder } from './databases.ts'
import { syncFolder, writeWhole } from './durable.ts'
import { type Counts, tables } from './examine.ts'

/** What a manifest looks like. A program reads what is older, and refuses what is newer. */
const format = 1

export interface KeptDatabase {
  /** In the data folder. */
  readonly path: string
  /** The version of its tables. */
  readonly schema: number
  readonly bytes: number
  readonly sha256: string
  /** What was damaged when it was copied is damaged in the copy. */
  readonly sound: boolean
  readonly rows: Counts
  readonly pieces: readonly string[]
}

/** One backup. It is there with its manifest, which is written last. */
export interface Manifest {
  readonly made: string
  readonly relay: string
  readonly databases: readonly KeptDatabase[]
}

export function newManifest(made: Date, databases: readonly KeptDatabase[]): Manifest {
  return { made: made.toISOString(), relay: version, databases }
}

export function nameOf({ made }: Manifest): string {
  return made.replace(/[:.]/g, '-')
}

export function writeManifest(backups: string, manifest: Manifest): void {
  writeWhole(join(backups, `${nameOf(manifest)}.json`), formatManifest(manifest))
  syncFolder(backups)
}

export function formatManifest(manifest: Manifest): Buffer<ArrayBuffer> {
  return Buffer.from(JSON.stringify({ format, ...manifest }))
}

/** Names of all backups in a folder, the newest first. */
export function backupsIn(backups: string): string[] {
  if (!existsSync(backups)) return []
  return readdirSync(backups)
    .flatMap((file) => backupNamed(file) ?? [])
    .sort()
    .reverse()
}

/** Now, or just after the newest of these backups where the clock is behind that: by their names the newest are restored and stay. */
export function momentAfter([newest = '']: readonly string[], now: Date): Date {
  const last = Date.parse(newest.replace(/(T\d\d)-(\d\d)-(\d\d)-(\d{3}Z)$/, '$1:$2:$3.$4'))
  return last >= now.getTime() ? new Date(last + 1) : now
}

/** Which backup has its manifest in a file of this name. */
export function backupNamed(file: string): string | undefined {
  return /^(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z)\.json$/.exec(file)?.[1]
}

export function removeManifest(backups: string, name: string): void {
  rmSync(join(backups, `${name}.json`))
}

/** Throws a `SetupError` that says why it cannot be used. */
export function readManifest(backups: string, name: string): Manifest {
  const path = join(backups, `${name}.json`)
  if (!existsSync(path)) throw new SetupError(`There is no backup ${name} in ${backups}`)
  return parseManifest(readFileSync(path, 'utf8'), name, path)
}

/** The same for what was read from `path`. */
export function parseManifest(text: string, name: string, path: string): Manifest {
  const read = parseJson(text)
  if (isObject(read) && typeof read.format === 'number' && read.format > format) {
    throw new SetupError(
      `The backup ${name} was made by a newer version of the relay (manifest ${read.format})`,
    )
  }
  if (!isManifest(read)) {
    throw new DamageError(
      `The manifest of a backup is damaged: ${path}. Without that file the other backups can be used`,
    )
  }
  return { made: read.made, relay: read.relay, databases: read.databases }
}

function isManifest(value: unknown): value is Manifest {
  return (
    isObject(value) &&
    value.format === format &&
    typeof value.made === 'string' &&
    typeof value.relay === 'string' &&
    Array.isArray(value.databases) &&
    value.databases.every(isKept)
  )
}

function isKept(value: unknown): value is KeptDatabase {
  if (!isObject(value) || !isObject(value.rows) || !Array.isArray(value.pieces)) return false
  const { path, schema, bytes, sha256, sound, rows, pieces } = value
  return (
    isDatabasePath(path) &&
    isCount(schema) &&
    isCount(bytes) &&
    isHash(sha256) &&
    typeof sound === 'boolean' &&
    pieces.every(isHash) &&
    tables.every((table) => isCount(rows[table]))
  )
}

/** It becomes a place to write to. */
function isDatabasePath(path: unknown): boolean {
  if (typeof path !== 'string') return false
  const [name, folder, ...rest] = path.split('/').reverse()
  return name === databaseName && rest.length === 0 && (folder === undefined || isRegionFolder(folder))
}

function isHash(value: unknown): boolean {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // damaged, as what is not a manifest is
  }
}
