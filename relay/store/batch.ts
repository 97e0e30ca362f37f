import { checksumBytes } from './hash.ts'
import { type EntryKind, entryKinds } from './store.ts'

/** One entry on its way between the relay's thread and the store's. */
export interface Row {
  readonly session: string
  readonly sequence: number
  readonly previous: number
  readonly checksum: Uint8Array
  readonly kind: EntryKind
  readonly envelope: Uint8Array
}

const sessionChars = 26
const rowHead = sessionChars + 8 + 8 + checksumBytes + 1 + 4

/**
 * Many rows in one buffer of their own, to be transferred instead of copied:
 * `row := session(26) • float64(sequence) • float64(previous) • checksum(16) • byte(kind) • uint32(length) • envelope`
 */
export function packRows(rows: readonly Row[]): ArrayBuffer {
  let size = 0
  for (const row of rows) size += rowHead + row.envelope.length
  const packed = new ArrayBuffer(size)
  const bytes = Buffer.from(packed)
  let at = 0
  for (const row of rows) {
    bytes.write(row.session, at, sessionChars, 'latin1') // empty in an answer, whose rows are all of one session
    at = bytes.writeDoubleLE(row.sequence, at + sessionChars)
    at = bytes.writeDoubleLE(row.previous, at)
    bytes.set(row.checksum, at)
    at = bytes.writeUInt8(row.kind, at + checksumBytes)
    at = bytes.writeUInt32LE(row.envelope.length, at)
    bytes.set(row.envelope, at)
    at += row.envelope.length
  }
  return packed
}

/** Views into the buffer, nothing is copied. */
export function unpackRows(packed: ArrayBuffer): Row[] {
  const bytes = Buffer.from(packed)
  const rows: Row[] = []
  for (let at = 0; at < bytes.length; ) {
    const session = bytes.toString('latin1', at, at + sessionChars)
    at += sessionChars
    const sequence = bytes.readDoubleLE(at)
    const previous = bytes.readDoubleLE(at + 8)
    const checksum = bytes.subarray(at + 16, at + 16 + checksumBytes)
    at += 16 + checksumBytes
    const kind = bytes.readUInt8(at) === entryKinds.released ? entryKinds.released : entryKinds.change
    const length = bytes.readUInt32LE(at + 1)
    at += 5
    rows.push({ session, sequence, previous, checksum, kind, envelope: bytes.subarray(at, at + length) })
    at += length
  }
  return rows
}
