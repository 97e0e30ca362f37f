import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import type { Report, Reporter } from '../operators/report.ts'
import type { Store } from './store.ts'
import type { CheckedTable, StoreOptions } from './store-protocol.ts'

/** What a store keeps its logs in, and what can happen to that. */
export interface Place {
  open(options?: { readonly sessionMaxBytes: number }): Promise<Store>
  /** Remembers everything as it is, with no store open. */
  copy(): void
  /** Puts everything back as it was at the copy, with no store open. */
  restore(): void
  /** Changes a byte of the only entry, the newest snapshot or the only deposit, with no store open. */
  damage(table: CheckedTable): void
  /** Whether the bytes are anywhere in its files. */
  holds(bytes: Uint8Array): boolean
  /** How many rows were reported as damaged. */
  reported(): number
}

/** A data folder, and what may happen to it. */
export function createPlace(
  dataDir: string,
  open: (options: StoreOptions, report: Reporter) => Promise<Store>,
): Place {
  const file = join(dataDir, 'facedown.sqlite')
  const reports: Report[] = []
  return {
    open: ({ sessionMaxBytes } = { sessionMaxBytes: 16 << 20 }) =>
      open({ dataDir, region: 'local', sessionMaxBytes, sessionIdleDays: 90 }, (report) =>
        reports.push(report),
      ),
    copy: () => cpSync(file, `${file}.copy`),
    restore: () => cpSync(`${file}.copy`, file),
    damage: (table) => {
      const database = new Sqlite(file)
      const [column, where] =
        table === 'deposits'
          ? ['key', '']
          : ['envelope', `WHERE sequence = (SELECT max(sequence) FROM ${table})`]
      const content = database.prepare<[], Buffer>(`SELECT ${column} FROM ${table} ${where}`).pluck()
      const damaged = Buffer.from(content.get() ?? [])
      damaged[20] = (damaged[20] ?? 0) ^ 1
      database.prepare(`UPDATE ${table} SET ${column} = ? ${where}`).run(damaged)
      database.close()
    },
    holds: (bytes) =>
      readdirSync(dataDir).some((name) => readFileSync(join(dataDir, name)).includes(Buffer.from(bytes))),
    reported: () => reports.filter(({ event }) => event === 'damagedRow').length,
  }
}
