import { NoAnswer } from './examine.ts'

/** Why nothing can be kept on this device. */
export type Trouble = 'full' | 'unavailable' | 'silent' | 'broken'

export function troubleOf(error: unknown): Trouble {
  if (error instanceof NoAnswer) return 'silent'
  const name = error instanceof Error || error instanceof DOMException ? error.name : ''
  if (name === 'QuotaExceededError') return 'full'
  if (name === 'SecurityError' || name === 'InvalidStateError') return 'unavailable'
  return globalThis.indexedDB ? 'broken' : 'unavailable' // only here: looking at it may throw that same error
}

/**
 * Makes every write transaction of a database handle wait for the disk (Chrome commits "relaxed" otherwise), and tells
 * when one begins and ends and when the handle dies: because the browser took the database, or somebody deletes or
 * upgrades it.
 */
export function watchWrites(
  db: IDBDatabase,
  report: { started: () => void; ended: (error: unknown) => void; lost: (how: 'taken' | 'closed') => void },
): void {
  const transaction = db.transaction.bind(db)
  db.transaction = (stores, mode, options) => {
    if (mode !== 'readwrite') return transaction(stores, mode, options)
    const write = transaction(stores, mode, { ...options, durability: 'strict' })
    report.started()
    write.addEventListener('complete', () => report.ended(undefined))
    write.addEventListener('abort', () => report.ended(write.error ?? new Error('The write was given up')))
    // Before it reaches the library, whose promise nobody catches. The transaction ends with it anyway.
    write.addEventListener('error', (event) => event.stopPropagation(), true)
    return write
  }
  db.addEventListener('close', () => report.lost('taken'))
  db.addEventListener('versionchange', () => {
    db.close() // do not stand in the way
    report.lost('closed')
  })
}
