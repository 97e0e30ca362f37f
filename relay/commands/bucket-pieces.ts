import { createHash, hash } from 'node:crypto'
import { DamageError } from '../settings/setup-error.ts'
import { type Bucket, inParallel } from './bucket.ts'
import { type Cut, piecesOf } from './pieces.ts'

const day = 86_400_000

/** The pieces of backups, named and laid out in a bucket as they are in a folder. */
export class BucketPieces {
  readonly #bucket: Bucket
  /** How long each is that the bucket has. */
  readonly #sizes: Map<string, number>

  private constructor(bucket: Bucket, sizes: Map<string, number>) {
    this.#bucket = bucket
    this.#sizes = sizes
  }

  static async open(bucket: Bucket): Promise<BucketPieces> {
    const sizes = new Map<string, number>()
    for await (const { name, bytes } of bucket.list('pieces/')) sizes.set(pieceNamed(name), bytes)
    return new BucketPieces(bucket, sizes)
  }

  /** Cuts up a file, of which a few pieces are in memory at a time. All of it is in the bucket when this resolves. */
  async keep(path: string): Promise<Cut> {
    const pieces: string[] = []
    const whole = createHash('sha256')
    const sizes = this.#sizes
    let bytes = 0
    let newBytes = 0
    function* newPieces(): Generator<{ readonly name: string; readonly piece: Buffer<ArrayBuffer> }> {
      for (const piece of piecesOf(path)) {
        const name = hash('sha256', piece)
        whole.update(piece)
        pieces.push(name)
        bytes += piece.length
        if (sizes.get(name) === piece.length) continue
        sizes.set(name, piece.length)
        newBytes += piece.length
        yield { name, piece }
      }
    }
    await inParallel(newPieces(), ({ name, piece }) => this.#bucket.put(pathOf(name), piece))
    return { pieces, sha256: whole.digest('hex'), bytes, newBytes }
  }

  /** How many of these were not there. */
  lacks(pieces: Iterable<string>): number {
    return [...new Set(pieces)].filter((name) => !this.#sizes.has(name)).length
  }

  async isWhole(name: string): Promise<boolean> {
    const piece = await this.#bucket.get(pathOf(name))
    return piece !== undefined && hash('sha256', piece) === name
  }

  /** Throws a `DamageError` for one that is missing or not what it was. */
  async read(name: string): Promise<Buffer> {
    const piece = await this.#bucket.get(pathOf(name))
    const { words } = this.#bucket.address
    if (!piece) throw new DamageError(`A piece of the backup is missing: ${pathOf(name)} in ${words}`)
    if (hash('sha256', piece) === name) return piece
    throw new DamageError(`A piece of the backup is damaged: ${pathOf(name)} in ${words}`)
  }

  /**
   * Removes what no backup needs any more, and what an interrupted one left. Nobody can lock a bucket, so what is younger than a day stays: it
   * may be of a backup from elsewhere that has no manifest yet.
   */
  async keepOnly(needed: ReadonlySet<string>): Promise<void> {
    const old: string[] = []
    for await (const { name, at } of this.#bucket.list('pieces/')) {
      if (!needed.has(pieceNamed(name)) && at < Date.now() - day) old.push(name)
    }
    await inParallel(old, (name) => this.#bucket.remove(name))
  }
}

export function pathOf(piece: string): string {
  return `pieces/${piece.slice(0, 2)}/${piece}`
}

function pieceNamed(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
