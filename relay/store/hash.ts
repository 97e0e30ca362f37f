import { hash } from 'node:crypto'
import { markBytes } from '../../shared/cursor.ts'

/** How much of an envelope's SHA-256 is kept beside it: its checksum, and how a repeated envelope is recognised. */
export const checksumBytes = 16

/** The one place where the relay hashes envelopes; `envelopeHash` of `shared` gives the same, four times slower. */
export function checksumOf(envelope: Uint8Array): Buffer {
  return hash('sha256', envelope, 'buffer').subarray(0, checksumBytes)
}

/** Over its names, too: under another one it would be released as a wrong key. */
export function depositChecksum(round: Uint8Array, seal: Uint8Array, key: Uint8Array): Buffer {
  return checksumOf(Buffer.concat([round, seal, key]))
}

/** What a position in the log is recognised by. */
export function markOf(checksum: Uint8Array): Uint8Array {
  return checksum.subarray(0, markBytes)
}
