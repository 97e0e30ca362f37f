import type { Database } from 'better-sqlite3'

/** Each is moved on its own, and with it the page that points to it. */
const pagesAtOnce = 50
/** Such a part of the file stays free for what comes next: it would only grow again. */
const spare = 1 / 10

/**
 * Gives some of the free pages back to the disk: whether there may be more. A database that was made without
 * `auto_vacuum = INCREMENTAL` gives none back, and fills them again.
 */
export function giveBackSome(database: Database): boolean {
  const free = freePages(database)
  const pages = Number(database.pragma('page_count', { simple: true }))
  const surplus = Math.floor(free - pages * spare)
  if (surplus < 1) return false
  database.pragma(`incremental_vacuum(${Math.min(surplus, pagesAtOnce)})`)
  return freePages(database) < free
}

function freePages(database: Database): number {
  return Number(database.pragma('freelist_count', { simple: true }))
}
