/** How version 1 of the wire reads and writes numbers, text and ids. */
import { createHash, createPublicKey, verify } from 'node:crypto'

export class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes)
  }

  byte(): number {
    return this.take(1).readUInt8()
  }

  /** Seven bits a byte, lowest first. */
  uint(): number {
    for (let value = 0, factor = 1; ; factor *= 128) {
      const byte = this.byte()
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
  }

  text(): string {
    return this.take(this.uint()).toString()
  }

  take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw new Error('The frame is too short')
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  rest(): Buffer {
    return this.take(this.#bytes.length - this.#at)
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new Error('The frame is too long')
  }
}

/** Numbers are bytes; `uint` makes those of larger ones. */
export function frame(...parts: readonly (number | Uint8Array)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'number' ? Uint8Array.of(part) : part)))
}

export function uint(value: number): Buffer {
  const bytes: number[] = []
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left])
    bytes.push((left % 128) + 128)
  }
}

export function sha256(...parts: readonly Uint8Array[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest()
}

export function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const letters = bits.match(/.{1,5}/g) ?? []
  return letters
    .map((five) => 'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(five.padEnd(5, '0'), 2)])
    .join('')
}

export function sessionOf(publicKeys: Uint8Array): Buffer {
  return sha256(Buffer.from('facedown.v1 session'), publicKeys).subarray(0, 16)
}

export function helloStatement(nonce: Uint8Array, session: Uint8Array, origin: string): Buffer {
  return Buffer.concat([Buffer.from('facedown.v1 hello'), nonce, session, Buffer.from(origin)])
}

export function isSigned(statement: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  const x = Buffer.from(publicKey).toString('base64url')
  return verify(
    null,
    statement,
    createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }),
    signature,
  )
}
