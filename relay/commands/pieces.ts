import { createHash, hash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { DamageError } from '../settings/setup-error.ts'
import { createBreathing } from './breathe.ts'
import { syncFolder, writeWhole } from './durable.ts'

/**
 * Small enough that a day's changes touch few of them, large enough that a database of gigabytes has some ten thousand.
 * Pages of SQLite keep their places, so what did not change since the last backup is the same piece.
 */
export const pieceBytes = 1 << 18

export interface Cut {
  /** SHA-256 of each piece, in order. */
  readonly pieces: readonly string[]
  readonly sha256: string
  readonly bytes: number
  /** What was not there from earlier backups. */
  readonly newBytes: number
}

/** Files named by the SHA-256 of what is in them, so that backups share what is the same. */
export class Pieces {
  readonly #folder: string

  constructor(backups: string) {
    this.#folder = join(backups, 'pieces')
  }

  /** Cuts up a file. All of it is on the disk when this returns. */
  keep(path: string): Cut {
    const pieces: string[] = []
    const whole = createHash('sha256')
    const touched = new Set<string>()
    let bytes = 0
    let newBytes = 0
    const breathe = createBreathing(2)
    for (const piece of piecesOf(path)) {
      breathe()
      const name = hash('sha256', piece)
      whole.update(piece)
      pieces.push(name)
      bytes += piece.length
      if (this.#isWhole(name)) continue
      const folder = join(this.#folder, name.slice(0, 2))
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      writeWhole(join(folder, name), piece)
      touched.add(folder)
      newBytes += piece.length
    }
    for (const folder of touched) syncFolder(folder)
    if (touched.size > 0) syncFolder(this.#folder)
    return { pieces, sha256: whole.digest('hex'), bytes, newBytes }
  }

  /** Puts a file together again. Throws a `DamageError` where a piece is missing or not what it was. */
  join({ pieces, sha256 }: Pick<Cut, 'pieces' | 'sha256'>, path: string): void {
    const file = openSync(path, 'wx', 0o600)
    try {
      const whole = createHash('sha256')
      for (const name of pieces) {
        const piece = this.#read(name)
        whole.update(piece)
        for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at)
      }
      if (whole.digest('hex') !== sha256)
        throw new DamageError('The backup is not what was made: its SHA-256 differs')
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
  }

  /** How many of these are missing or damaged. */
  damaged(pieces: Iterable<string>): number {
    let damaged = 0
    for (const name of new Set(pieces)) if (!this.#isWhole(name)) damaged++
    return damaged
  }

  /** Removes what no backup needs any more, and what an interrupted one left. */
  keepOnly(needed: ReadonlySet<string>): void {
    if (!existsSync(this.#folder)) return
    for (const folder of readdirSync(this.#folder)) {
      for (const name of readdirSync(join(this.#folder, folder))) {
        if (!needed.has(name)) rmSync(join(this.#folder, folder, name))
      }
    }
  }

  /** Read again, so that the next backup mends what a disk did to an earlier one. */
  #isWhole(name: string): boolean {
    const path = this.#pathOf(name)
    return existsSync(path) && hash('sha256', readFileSync(path)) === name
  }

  #read(name: string): Buffer {
    const path = this.#pathOf(name)
    if (!existsSync(path)) throw new DamageError(`A piece of the backup is missing: ${path}`)
    const piece = readFileSync(path)
    if (hash('sha256', piece) !== name) throw new DamageError(`A piece of the backup is damaged: ${path}`)
    return piece
  }

  #pathOf(name: string): string {
    return join(this.#folder, name.slice(0, 2), name)
  }
}

export function* piecesOf(path: string): Generator<Buffer<ArrayBuffer>> {
  const file = openSync(path, 'r')
  try {
    for (;;) {
      const piece = Buffer.allocUnsafe(pieceBytes)
      const length = readSync(file, piece)
      if (length === 0) return
      yield piece.subarray(0, length)
    }
  } finally {
    closeSync(file)
  }
}
