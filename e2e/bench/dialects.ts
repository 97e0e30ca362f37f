import { createPrivateKey, randomBytes, sign } from 'node:crypto'
import * as encoding from 'lib0/encoding'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { answer, updateFrame } from '../../client/link/provider-frames.ts'
import { envelopeOverhead, paddedSize } from '../../shared/envelope.ts'
import { helloStatement, roleSeed, type SessionKeys } from '../../shared/keys.ts'
import { decodeFromRelay, encodeFromClient, protocolVersion, subprotocol } from '../../shared/wire.ts'

export type Dialect = 'plain' | 'yjs' | 'hocuspocus' | 'facedown'

export interface Place {
  readonly port: number
  readonly dialect: Dialect
  /** A session, or what another server calls a room. */
  readonly room: SessionKeys | string
  /** Of the player, among all. */
  readonly number: number
}

export interface Player {
  readonly socket: WebSocket
  /** The frame of a new change. */
  readonly change: () => Uint8Array
  /** The frame of something that nobody keeps. */
  readonly signal: () => Uint8Array
}

/** What all players heard. */
export interface Heard {
  /** From a change's sending to its receipt, in milliseconds. */
  latencies: number[]
  savedAfter: number[]
  frames: number
  bytes: number
}

const changeBytes = 150
/** What becomes of it when it is encrypted. */
const envelopeBytes = paddedSize(changeBytes + envelopeOverhead)
/** In front of the time stamp inside a change. */
const marker = Buffer.from('@time@')
/** Loopback has many addresses; a relay allows each only so many connections. */
const addresses = 40

export function addressOf(number: number): string {
  return `127.0.0.${2 + (number % addresses)}`
}

/** Resolves once the player has got what there is. */
export function open(place: Place, heard: Heard): Promise<Player> {
  const { port, dialect, room, number } = place
  const origin = `http://127.0.0.1:${port}`
  const path = typeof room === 'string' ? room : `sync/${room.session}`
  const socket = new WebSocket(
    `ws://127.0.0.1:${port}/${path}`,
    dialect === 'facedown' ? [subprotocol] : [],
    { origin, perMessageDeflate: false, localAddress: addressOf(number) },
  )
  socket.binaryType = 'nodebuffer'
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.on('close', (code, reason) => {
      const error = new Error(`Closed with ${code}: ${reason}`)
      reject(error)
      if (code >= 4000) throw error // what is not heard any more would be measured as cheap
    })
    socket.on('message', (bytes: Buffer) => hear(bytes, heard))
    if (typeof room !== 'string') return facedown(socket, origin, room, heard, resolve)
    if (dialect === 'hocuspocus') return hocuspocus(socket, room, resolve)
    const player = { socket, change: dialect === 'yjs' ? yjsChange() : plainChange, signal: plainSignal }
    socket.on('open', () => resolve(player))
    if (dialect === 'yjs') socket.once('message', () => socket.send(answer(Uint8Array.of(0, 0))))
  })
}

function facedown(
  socket: WebSocket,
  origin: string,
  keys: SessionKeys,
  heard: Heard,
  resolve: (player: Player) => void,
): void {
  let ref = 0
  const sentAt = new Map<number, number>()
  const change = () => {
    sentAt.set(++ref, performance.now())
    return encodeFromClient({ type: 'append', ref, envelope: plainChange(envelopeBytes) })
  }
  const signal = () => encodeFromClient({ type: 'signal', to: 0, envelope: randomBytes(envelopeBytes) })
  const key = privateKeyOf(roleSeed(keys))
  socket.on('message', (bytes: Buffer) => {
    const message = bytes[0] === 66 ? undefined : decodeFromRelay(bytes)
    if (message?.type === 'challenge') {
      const hello = {
        type: 'hello',
        version: protocolVersion,
        role: keys.role,
        publicKeys: keys.publicKeys,
        signature: sign(null, helloStatement(message.nonce, keys.session, origin), key),
        generation: 0,
        cursor: new Map(),
      } as const
      socket.send(encodeFromClient(hello))
    } else if (message?.type === 'caughtUp') resolve({ socket, change, signal })
    else if (message?.type === 'saved') {
      heard.savedAfter.push(performance.now() - (sentAt.get(message.ref) ?? 0))
      sentAt.delete(message.ref)
    }
  })
}

/** Its frames begin with the name of the document; without its own provider, as that one speaks. */
function hocuspocus(socket: WebSocket, name: string, resolve: (player: Player) => void): void {
  const [syncing, authenticating, token] = [0, 2, 0]
  const named = (kind: number, write: (encoder: encoding.Encoder) => void) =>
    encoding.encode((encoder) => {
      encoding.writeVarString(encoder, name)
      encoding.writeVarUint(encoder, kind)
      write(encoder)
    })
  const change = yjsUpdates()
  const step = (kind: number, bytes: Uint8Array) =>
    named(syncing, (encoder) => {
      encoding.writeVarUint(encoder, kind)
      encoding.writeVarUint8Array(encoder, bytes)
    })
  socket.on('open', () =>
    socket.send(
      named(authenticating, (encoder) => {
        encoding.writeVarUint(encoder, token)
        encoding.writeVarString(encoder, '')
      }),
    ),
  )
  socket.once('message', () => {
    socket.send(step(0, Uint8Array.of(0)))
    resolve({ socket, change: () => step(2, change()), signal: plainSignal })
  })
}

function plainChange(bytes = changeBytes): Uint8Array {
  return Buffer.concat([randomBytes(bytes - marker.length - 16), stamp()])
}

function plainSignal(): Uint8Array {
  return randomBytes(changeBytes)
}

function yjsChange(): () => Uint8Array {
  const change = yjsUpdates()
  return () => updateFrame(change())
}

function yjsUpdates(): () => Uint8Array {
  const doc = new Y.Doc()
  let update: Uint8Array = new Uint8Array()
  doc.on('update', (made: Uint8Array) => {
    update = made
  })
  return () => {
    doc
      .getMap('cards')
      .set(String(doc.clientID), `${'x'.repeat(changeBytes - 60)}${stamp().toString('latin1')}`)
    return update
  }
}

function stamp(): Buffer {
  return Buffer.concat([marker, Buffer.from(performance.now().toFixed(3).padStart(16, '0'))])
}

function hear(bytes: Buffer, heard: Heard): void {
  heard.frames++
  heard.bytes += bytes.length
  const at = bytes.indexOf(marker)
  if (at < 0) return
  const sent = Number(bytes.toString('latin1', at + marker.length, at + marker.length + 16))
  heard.latencies.push(performance.now() - sent)
}

/** PKCS #8 of an Ed25519 seed (RFC 8410 section 7). */
export function privateKeyOf(seed: Uint8Array) {
  const head = Buffer.from('302e020100300506032b657004220420', 'hex')
  return createPrivateKey({ key: Buffer.concat([head, seed]), format: 'der', type: 'pkcs8' })
}
