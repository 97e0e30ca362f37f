/** Every frame between client and relay: `kind byte • fields`. `protocol.md` gives the same as formulas with examples. */
import {
  type Decoder,
  decodeExactly,
  type Encoder,
  encode,
  putByte,
  putBytes,
  putText,
  putUint,
  takeByte,
  takeBytes,
  takeRest,
  takeText,
  takeUint,
} from './codec.ts'
import { type Cursor, putCursor, takeCursor } from './cursor.ts'
import { envelopeLimits } from './envelope.ts'
import {
  type Asker,
  boxKeyBytes,
  type Deposit,
  mostReplaced,
  nameBytes,
  putAsker,
  takeAsker,
} from './escrow.ts'
import { type Role, roles } from './keys.ts'

export const subprotocol = 'facedown.v1'
export const protocolVersion = 1

/** The number of one socket in its room, given by the relay; 0 stands for everybody. */
export type ConnectionId = number

/** The id of a snapshot: the first 16 bytes of the SHA-256 of its envelope. */
const snapshotIdBytes = 16

/** Bytes a frame may have on top of its envelope. */
const frameOverhead = 2048

/** The largest frames, in bytes. */
export const frameLimits = {
  beforeHello: 4096,
  append: envelopeLimits.change + frameOverhead,
  snapshot: envelopeLimits.snapshot + frameOverhead,
} as const

export type FromClient =
  | {
      readonly type: 'hello'
      readonly version: number
      readonly role: Role
      readonly publicKeys: Uint8Array
      readonly signature: Uint8Array
      /** 0 for the current snapshot, 1 for the one before, which a client asks for when it cannot read the current one. */
      readonly generation: number
      readonly cursor: Cursor
    }
  | { readonly type: 'append'; readonly ref: number; readonly envelope: Uint8Array }
  | { readonly type: 'signal'; readonly to: ConnectionId; readonly envelope: Uint8Array }
  | {
      readonly type: 'snapshot'
      readonly covers: Cursor
      /** Undefined for the first snapshot. */
      readonly replaces: Uint8Array | undefined
      readonly envelope: Uint8Array
    }
  /** The owner's signature over `deleteStatement`. */
  | { readonly type: 'delete'; readonly signature: Uint8Array }
  /** A key for the store to keep until the round is released. Answered like an append. */
  | ({ readonly type: 'deposit'; readonly ref: number } & Deposit)
  /** Has the store append the keys of a round to the log, for everybody and once for all. */
  | { readonly type: 'release'; readonly ref: number; readonly round: Uint8Array; readonly asker: Asker }

export type FromRelay =
  | { readonly type: 'challenge'; readonly nonce: Uint8Array }
  | {
      readonly type: 'snapshot'
      readonly id: Uint8Array
      readonly covers: Cursor
      readonly envelope: Uint8Array
    }
  /** The cursor holds the place of this entry, or nothing while the log cannot be reached. */
  | { readonly type: 'entry'; readonly cursor: Cursor; readonly envelope: Uint8Array }
  | {
      readonly type: 'caughtUp'
      readonly cursor: Cursor
      readonly log: 'kept' | 'unreachable'
      readonly resumed: boolean
    }
  | {
      readonly type: 'saved'
      readonly ref: number
      readonly cursor: Cursor
      /** The log has grown long: the client may upload a snapshot that replaces this one (undefined: none yet). */
      readonly compact: { readonly replaces: Uint8Array | undefined } | undefined
    }
  /** The change is not in the log; the client keeps it and tries again. */
  | { readonly type: 'unsaved'; readonly ref: number; readonly reason: UnsavedReason }
  | { readonly type: 'signal'; readonly from: ConnectionId; readonly envelope: Uint8Array }
  | { readonly type: 'joined'; readonly connection: ConnectionId }
  | { readonly type: 'left'; readonly connection: ConnectionId }
  /** Nothing happened for a while; everything up to the cursor is saved, and up to `elsewhere` in another region, too. */
  | { readonly type: 'keepalive'; readonly cursor: Cursor; readonly elsewhere: Cursor }
  | { readonly type: 'refuse'; readonly code: number; readonly words: string }
  | { readonly type: 'goingAway'; readonly retryAfter: number }
  /** An entry made by a store: what `decodeReleased` reads. */
  | { readonly type: 'released'; readonly cursor: Cursor; readonly body: Uint8Array }

/** `closed`: the round's keys were released, or another key has the seal's name. */
const unsavedReasons = ['unreachable', 'full', 'quota', 'observer', 'closed'] as const
export type UnsavedReason = (typeof unsavedReasons)[number]

const clientKinds = {
  hello: 1,
  append: 2,
  signal: 3,
  snapshot: 4,
  delete: 5,
  deposit: 6,
  release: 7,
} as const
const relayKinds = {
  challenge: 64,
  snapshot: 65,
  entry: 66,
  caughtUp: 67,
  saved: 68,
  unsaved: 69,
  signal: 70,
  joined: 71,
  left: 72,
  keepalive: 73,
  refuse: 74,
  goingAway: 75,
  released: 76,
} as const

export function encodeFromClient(message: FromClient): Uint8Array {
  return encode((encoder) => putFromClient(encoder, message))
}

/** Undefined for anything that is not exactly one frame of a client. */
export function decodeFromClient(frame: Uint8Array): FromClient | undefined {
  return decodeExactly(frame, takeFromClient)
}

export function encodeFromRelay(message: FromRelay): Uint8Array {
  return encode((encoder) => putFromRelay(encoder, message))
}

/** Undefined for anything that is not exactly one frame of a relay. */
export function decodeFromRelay(frame: Uint8Array): FromRelay | undefined {
  return decodeExactly(frame, takeFromRelay)
}

function putFromClient(encoder: Encoder, message: FromClient): void {
  putByte(encoder, clientKinds[message.type])
  switch (message.type) {
    case 'hello':
      putUint(encoder, message.version)
      putByte(encoder, roles.indexOf(message.role))
      putBytes(encoder, message.publicKeys)
      putBytes(encoder, message.signature)
      putByte(encoder, message.generation)
      return putCursor(encoder, message.cursor)
    case 'append':
      putUint(encoder, message.ref)
      return putBytes(encoder, message.envelope)
    case 'signal':
      putUint(encoder, message.to)
      return putBytes(encoder, message.envelope)
    case 'snapshot':
      putCursor(encoder, message.covers)
      putOptional(encoder, message.replaces)
      return putBytes(encoder, message.envelope)
    case 'delete':
      return putBytes(encoder, message.signature)
    case 'deposit':
      putUint(encoder, message.ref)
      putBytes(encoder, message.round)
      putBytes(encoder, message.seal)
      putBytes(encoder, message.key)
      putUint(encoder, message.replaces.length)
      for (const key of message.replaces) putBytes(encoder, key)
      return
    case 'release':
      putUint(encoder, message.ref)
      putBytes(encoder, message.round)
      return putAsker(encoder, message.asker)
  }
}

function takeFromClient(decoder: Decoder): FromClient {
  const kind = takeByte(decoder)
  switch (kind) {
    case clientKinds.hello:
      return {
        type: 'hello',
        version: takeUint(decoder),
        role: oneOf(roles, takeByte(decoder)),
        publicKeys: takeBytes(decoder, 96),
        signature: takeBytes(decoder, 64),
        generation: takeByte(decoder),
        cursor: takeCursor(decoder),
      }
    case clientKinds.append:
      return { type: 'append', ref: takeUint(decoder), envelope: takeRest(decoder) }
    case clientKinds.signal:
      return { type: 'signal', to: takeUint(decoder), envelope: takeRest(decoder) }
    case clientKinds.snapshot:
      return {
        type: 'snapshot',
        covers: takeCursor(decoder),
        replaces: takeOptional(decoder),
        envelope: takeRest(decoder),
      }
    case clientKinds.delete:
      return { type: 'delete', signature: takeBytes(decoder, 64) }
    case clientKinds.deposit:
      return {
        type: 'deposit',
        ref: takeUint(decoder),
        round: takeBytes(decoder, nameBytes).slice(),
        seal: takeBytes(decoder, nameBytes).slice(),
        key: takeBytes(decoder, boxKeyBytes).slice(),
        replaces: takeKeysReplaced(decoder),
      }
    case clientKinds.release:
      return {
        type: 'release',
        ref: takeUint(decoder),
        round: takeBytes(decoder, nameBytes).slice(),
        asker: takeAsker(decoder),
      }
    default:
      throw new Error('No such kind')
  }
}

function putFromRelay(encoder: Encoder, message: FromRelay): void {
  putByte(encoder, relayKinds[message.type])
  switch (message.type) {
    case 'challenge':
      return putBytes(encoder, message.nonce)
    case 'snapshot':
      putBytes(encoder, message.id)
      putCursor(encoder, message.covers)
      return putBytes(encoder, message.envelope)
    case 'entry':
      putCursor(encoder, message.cursor)
      return putBytes(encoder, message.envelope)
    case 'caughtUp':
      putCursor(encoder, message.cursor)
      putByte(encoder, message.log === 'kept' ? 1 : 0)
      return putByte(encoder, message.resumed ? 1 : 0)
    case 'saved':
      putUint(encoder, message.ref)
      putCursor(encoder, message.cursor)
      putByte(encoder, message.compact ? 1 : 0)
      if (message.compact) putOptional(encoder, message.compact.replaces)
      return
    case 'unsaved':
      putUint(encoder, message.ref)
      return putByte(encoder, unsavedReasons.indexOf(message.reason))
    case 'signal':
      putUint(encoder, message.from)
      return putBytes(encoder, message.envelope)
    case 'joined':
    case 'left':
      return putUint(encoder, message.connection)
    case 'keepalive':
      putCursor(encoder, message.cursor)
      return putCursor(encoder, message.elsewhere)
    case 'refuse':
      putUint(encoder, message.code)
      return putText(encoder, message.words)
    case 'goingAway':
      return putUint(encoder, message.retryAfter)
    case 'released':
      putCursor(encoder, message.cursor)
      return putBytes(encoder, message.body)
  }
}

function takeFromRelay(decoder: Decoder): FromRelay {
  const kind = takeByte(decoder)
  switch (kind) {
    case relayKinds.challenge:
      return { type: 'challenge', nonce: takeBytes(decoder, 32) }
    case relayKinds.snapshot:
      return {
        type: 'snapshot',
        id: takeBytes(decoder, snapshotIdBytes),
        covers: takeCursor(decoder),
        envelope: takeRest(decoder),
      }
    case relayKinds.entry:
      return { type: 'entry', cursor: takeCursor(decoder), envelope: takeRest(decoder) }
    case relayKinds.caughtUp:
      return {
        type: 'caughtUp',
        cursor: takeCursor(decoder),
        log: takeFlag(decoder) ? 'kept' : 'unreachable',
        resumed: takeFlag(decoder),
      }
    case relayKinds.saved:
      return {
        type: 'saved',
        ref: takeUint(decoder),
        cursor: takeCursor(decoder),
        compact: takeFlag(decoder) ? { replaces: takeOptional(decoder) } : undefined,
      }
    case relayKinds.unsaved:
      return { type: 'unsaved', ref: takeUint(decoder), reason: oneOf(unsavedReasons, takeByte(decoder)) }
    case relayKinds.signal:
      return { type: 'signal', from: takeUint(decoder), envelope: takeRest(decoder) }
    case relayKinds.joined:
      return { type: 'joined', connection: takeUint(decoder) }
    case relayKinds.left:
      return { type: 'left', connection: takeUint(decoder) }
    case relayKinds.keepalive:
      return { type: 'keepalive', cursor: takeCursor(decoder), elsewhere: takeCursor(decoder) }
    case relayKinds.refuse:
      return { type: 'refuse', code: takeUint(decoder), words: takeText(decoder, 1000) }
    case relayKinds.goingAway:
      return { type: 'goingAway', retryAfter: takeUint(decoder) }
    case relayKinds.released:
      return { type: 'released', cursor: takeCursor(decoder), body: takeRest(decoder) }
    default:
      throw new Error('No such kind')
  }
}

/** `optional(id) := byte(0) | byte(1) • bytes(id, 16)` */
function putOptional(encoder: Encoder, id: Uint8Array | undefined): void {
  putByte(encoder, id ? 1 : 0)
  if (id) putBytes(encoder, id)
}

function takeOptional(decoder: Decoder): Uint8Array | undefined {
  return takeFlag(decoder) ? takeBytes(decoder, snapshotIdBytes) : undefined
}

function takeKeysReplaced(decoder: Decoder): Uint8Array[] {
  const count = takeUint(decoder)
  if (count > mostReplaced) throw new Error('Too many keys')
  return Array.from({ length: count }, () => takeBytes(decoder, boxKeyBytes).slice())
}

function takeFlag(decoder: Decoder): boolean {
  const flag = takeByte(decoder)
  if (flag > 1) throw new Error('Not a flag')
  return flag === 1
}

function oneOf<Value>(values: readonly Value[], at: number): Value {
  const value = values[at]
  if (value === undefined) throw new Error('No such choice')
  return value
}
