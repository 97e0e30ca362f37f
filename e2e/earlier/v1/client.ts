/**
 * A client as version 1 of the wire was first spoken: it proves its role, reads a log and sends what was recorded. It stays as it is,
 * and uses nothing of the client of today, or it would not be an earlier one.
 */
import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign } from 'node:crypto'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { base32, frame, helloStatement, Reader, sessionOf, uint } from './bytes.ts'
import { readCursor } from './relay.ts'

export class EarlierClient {
  readonly doc = new Y.Doc()
  /** Refs of what the relay said is saved. */
  readonly saved = new Set<number>()
  readonly unsaved = new Set<number>()
  readonly present = new Set<number>()
  /** How often keys were released. */
  released = 0
  caughtUp: { readonly resumed: boolean; readonly isKept: boolean; readonly entries: number } | undefined
  closed: { readonly code: number; readonly words: string } | undefined
  /** The place in the log, as the relay gave it. */
  cursor: Buffer = frame(0)
  readonly #socket: WebSocket
  readonly #contentKey: Buffer
  readonly #session: Buffer
  #entries = 0

  constructor(url: string, ownerSecret: Uint8Array, cursor = frame(0)) {
    const member = derive(ownerSecret, 'member')
    const observer = derive(member, 'observer')
    const [owners, members, observers] = [
      keyOf(ownerSecret, 'owner'),
      keyOf(member, 'member'),
      keyOf(observer, 'observer'),
    ] as const
    const publicKeys = Buffer.concat([owners, members, observers].map(publicBytes))
    this.#contentKey = derive(observer, 'content')
    this.#session = sessionOf(publicKeys)
    const address = `${url.replace('http', 'ws')}/sync/${base32(this.#session)}`
    this.#socket = new WebSocket(address, 'facedown.v1', { origin: url, perMessageDeflate: false })
    this.#socket.on('message', (bytes: Buffer) => {
      const message = new Reader(bytes)
      const kind = message.byte()
      if (kind !== 64) return this.#hear(kind, message)
      const statement = helloStatement(message.take(32), this.#session, url)
      message.end()
      this.send(frame(1, 1, 1, publicKeys, sign(null, statement, members), 0, cursor))
    })
    this.#socket.on('close', (code, words) => {
      this.closed = { code, words: String(words) }
    })
    this.#socket.on('error', () => {
      // its close follows
    })
  }

  send(bytes: Uint8Array): void {
    this.#socket.send(bytes)
    const message = new Reader(bytes)
    if (message.byte() !== 2) return
    message.uint()
    this.#apply(message.rest()) // an author does not hear it again
  }

  leave(): void {
    this.#socket.close()
  }

  /** Throws at anything that version 1 does not have. */
  #hear(kind: number, message: Reader): void {
    switch (kind) {
      case 66:
        this.#note(message)
        this.#entries++
        return this.#apply(message.rest())
      case 67:
        this.#note(message)
        this.caughtUp = {
          isKept: message.byte() === 1,
          resumed: message.byte() === 1,
          entries: this.#entries,
        }
        return message.end()
      case 68:
        this.saved.add(message.uint())
        this.#note(message)
        if (message.byte() === 1 && message.byte() === 1) message.take(16)
        return message.end()
      case 69:
        this.unsaved.add(message.uint())
        message.byte()
        return message.end()
      case 70:
        message.uint()
        message.rest()
        return
      case 71:
        this.present.add(message.uint())
        return message.end()
      case 72:
        this.present.delete(message.uint())
        return message.end()
      case 73:
        this.#note(message)
        readCursor(message)
        return message.end()
      case 74:
        message.uint()
        message.text()
        return message.end()
      case 75:
        message.uint()
        return message.end()
      case 76:
        this.#note(message)
        this.released++
        message.take(16 + 176 + 16)
        for (let keys = message.uint(); keys > 0; keys--) message.take(16 + 32)
        return message.end()
      default:
        throw new Error(`Version 1 has no frame of kind ${kind}`)
    }
  }

  #note(message: Reader): void {
    const places = readCursor(message)
    if (places.size === 0) return
    const parts = [...places].flatMap(([origin, { sequence, mark }]) => [
      uint(origin.length),
      Buffer.from(origin),
      uint(sequence),
      mark,
    ])
    this.cursor = frame(uint(places.size), ...parts)
  }

  #apply(envelope: Buffer): void {
    const associated = frame(1, 1, this.#session)
    const plain = xchacha20poly1305(this.#contentKey, envelope.subarray(0, 24), associated).decrypt(
      envelope.subarray(24),
    )
    const length = Buffer.from(plain).readUInt32BE()
    const content = new Reader(plain.subarray(4, 4 + length))
    if (content.uint() !== 0 || content.uint() !== 1) throw new Error('It was sent in parts')
    Y.applyUpdate(this.doc, content.rest())
  }
}

function derive(secret: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), `facedown.v1 ${purpose}`, 32))
}

/** As PKCS #8 wraps the seed of an Ed25519 key (RFC 8410). */
function keyOf(secret: Uint8Array, role: string): KeyObject {
  const seed = derive(secret, `${role} key`)
  const key = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
}

function publicBytes(key: KeyObject): Buffer {
  return Buffer.from(String(createPublicKey(key).export({ format: 'jwk' }).x), 'base64url')
}
