/** Why nothing can be kept on this device. */
export type Trouble = 'full' | 'unavailable' | 'broken'

export function troubleOf(error: unknown): Trouble {
  if (typeof indexedDB === 'undefined') return 'unavailable'
  const name = error instanceof Error || error instanceof DOMException ? error.name : ''
  if (name === 'QuotaExceededError') return 'full'
  return name === 'SecurityError' || name === 'InvalidStateError' ? 'unavailable' : 'broken'
}

/**
 * Makes every write transaction of a database handle wait for the disk (Chrome commits "relaxed" otherwise), and tells
 * when one begins and ends and when the handle dies.
 */
export function watchWrites(
  db: IDBDatabase,
  report: { started: () => void; ended: (error: unknown) => void; lost: () => void },
): void {
  const transaction = db.transaction.bind(db)
  db.transaction = (stores, mode, options) => {
    if (mode !== 'readwrite') return transaction(stores, mode, options)
    const write = transaction(stores, mode, { ...options, durability: 'strict' })
    report.started()
    write.addEventListener('complete', () => report.ended(undefined))
    write.addEventListener('abort', () => report.ended(write.error ?? new Error('The write was given up')))
    return write
  }
  db.addEventListener('close', () => report.lost())
  db.addEventListener('versionchange', () => {
    db.close() // somebody deletes or upgrades the database: do not stand in the way
    report.lost()
  })
}
