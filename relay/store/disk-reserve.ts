import { statfsSync } from 'node:fs'

/** What has to stay free on the disk of the database. */
export class DiskReserve {
  readonly #dataDir: string
  readonly #bytes: number

  constructor({ dataDir, diskReserve }: { readonly dataDir: string; readonly diskReserve?: number }) {
    this.#dataDir = dataDir
    this.#bytes = diskReserve ?? 0
  }

  /** Less than that is left, or will be after so many bytes more. It takes microseconds to ask, where a commit takes milliseconds. */
  isTouched(more = 0): boolean {
    if (this.#bytes === 0 && more === 0) return false
    try {
      const { bavail, bsize } = statfsSync(this.#dataDir)
      return bavail * bsize - more < this.#bytes
    } catch {
      return false // the folder was taken away, for which nothing is committed
    }
  }
}
