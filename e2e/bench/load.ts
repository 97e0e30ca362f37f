/**
 * The load: teams of sockets on one server, changes of about 150 bytes from random ones, each to be seen by the others of
 * its team. Runs as a process of its own and obeys its parent: connect, play, stop.
 */
import { createPrivateKey, randomBytes, sign } from 'node:crypto'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { answer, updateFrame } from '../../client/link/provider-frames.ts'
import { createSessionKeys, helloStatement, roleSeed, type SessionKeys } from '../../shared/keys.ts'
import { decodeFromRelay, encodeFromClient, protocolVersion, subprotocol } from '../../shared/wire.ts'

export type Dialect = 'plain' | 'yjs' | 'facedown'
export type Order =
  | {
      readonly do: 'connect'
      readonly port: number
      readonly dialect: Dialect
      readonly teams: number
      readonly size: number
    }
  | { readonly do: 'play'; readonly seconds: number; readonly perSecond: number }
  | { readonly do: 'stop' }

export interface Played {
  readonly sent: number
  readonly received: number
  readonly saved: number
  /** Milliseconds from send to receipt. */
  readonly p50: number
  readonly p99: number
  readonly savedP50: number
  readonly savedP99: number
}

const changeBytes = 150
/** In front of the time stamp inside a change. */
const marker = Buffer.from('@time@')
/** Loopback has many addresses; a relay allows each only so many connections. */
const addresses = 40

interface Player {
  readonly socket: WebSocket
  readonly change: () => Uint8Array
}

const players: Player[] = []
let latencies: number[] = []
let savedAfter: number[] = []
let received = 0
let saved = 0

process.on('message', async (order: Order) => {
  if (order.do === 'connect') process.send?.(await connectAll(order))
  else if (order.do === 'play') process.send?.(await play(order.seconds, order.perSecond))
  else process.exit(0)
})

async function connectAll(order: Extract<Order, { do: 'connect' }>): Promise<{ connected: number }> {
  const { port, dialect, teams, size } = order
  const pending: (() => Promise<Player>)[] = []
  for (let team = 0; team < teams; team++) {
    const keys = dialect === 'facedown' ? createSessionKeys() : undefined
    for (let seat = 0; seat < size; seat++) {
      const number = team * size + seat
      pending.push(() =>
        connectOne(port, dialect, keys ? `sync/${keys.session}` : `team-${team}`, keys, number),
      )
    }
  }
  for (let at = 0; at < pending.length; at += 50) {
    players.push(...(await Promise.all(pending.slice(at, at + 50).map((connect) => connect()))))
  }
  return { connected: players.length }
}

function connectOne(
  port: number,
  dialect: Dialect,
  path: string,
  keys: SessionKeys | undefined,
  number: number,
): Promise<Player> {
  const origin = `http://127.0.0.1:${port}`
  const socket = new WebSocket(
    `ws://127.0.0.1:${port}/${path}`,
    dialect === 'facedown' ? [subprotocol] : [],
    {
      origin,
      perMessageDeflate: false,
      localAddress: `127.0.0.${2 + (number % addresses)}`,
    },
  )
  socket.binaryType = 'nodebuffer'
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.on('close', (code, reason) => reject(new Error(`Closed with ${code}: ${reason}`)))
    if (dialect === 'facedown' && keys) {
      const player = facedownPlayer(socket)
      const key = privateKeyOf(roleSeed(keys))
      socket.on('message', (bytes: Buffer) => {
        hear(bytes)
        const message = bytes[0] === 66 ? undefined : decodeFromRelay(bytes)
        if (message?.type === 'challenge') {
          const signature = sign(null, helloStatement(message.nonce, keys.session, origin), key)
          socket.send(
            encodeFromClient({
              type: 'hello',
              version: protocolVersion,
              role: keys.role,
              publicKeys: keys.publicKeys,
              signature,
              generation: 0,
              cursor: new Map(),
            }),
          )
        } else if (message?.type === 'caughtUp') resolve(player)
        else if (message?.type === 'saved') player.saved(message.ref)
      })
    } else {
      socket.on('message', hear)
      socket.on('open', () => resolve({ socket, change: dialect === 'yjs' ? yjsChange() : plainChange }))
      if (dialect === 'yjs') socket.once('message', () => socket.send(answer(Uint8Array.of(0, 0))))
    }
  })
}

function facedownPlayer(socket: WebSocket) {
  let ref = 0
  const sentAt = new Map<number, number>()
  return {
    socket,
    change: () => {
      sentAt.set(++ref, performance.now())
      return encodeFromClient({ type: 'append', ref, envelope: plainChange() })
    },
    saved: (done: number) => {
      saved++
      savedAfter.push(performance.now() - (sentAt.get(done) ?? 0))
      sentAt.delete(done)
    },
  }
}

function plainChange(): Uint8Array {
  return Buffer.concat([randomBytes(changeBytes - marker.length - 16), stamp()])
}

function yjsChange(): () => Uint8Array {
  const doc = new Y.Doc()
  let update: Uint8Array = new Uint8Array()
  doc.on('update', (made: Uint8Array) => {
    update = made
  })
  return () => {
    doc
      .getMap('cards')
      .set(String(doc.clientID), `${'x'.repeat(changeBytes - 60)}${stamp().toString('latin1')}`)
    return updateFrame(update)
  }
}

function stamp(): Buffer {
  return Buffer.concat([marker, Buffer.from(performance.now().toFixed(3).padStart(16, '0'))])
}

function hear(bytes: Buffer): void {
  const at = bytes.indexOf(marker)
  if (at < 0) return
  received++
  latencies.push(
    performance.now() - Number(bytes.toString('latin1', at + marker.length, at + marker.length + 16)),
  )
}

async function play(seconds: number, perSecond: number): Promise<Played> {
  latencies = []
  savedAfter = []
  received = 0
  saved = 0
  let sent = 0
  const start = performance.now()
  while (performance.now() - start < seconds * 1000) {
    const due = Math.floor(((performance.now() - start) / 1000) * perSecond)
    for (; sent < due; sent++) {
      const player = players[Math.floor(Math.random() * players.length)] as Player
      player.socket.send(player.change())
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await new Promise((resolve) => setTimeout(resolve, 500)) // what is still on the way
  return {
    sent,
    received,
    saved,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    savedP50: quantile(savedAfter, 0.5),
    savedP99: quantile(savedAfter, 0.99),
  }
}

function quantile(values: number[], share: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** PKCS #8 of an Ed25519 seed (RFC 8410 section 7). */
function privateKeyOf(seed: Uint8Array) {
  const head = Buffer.from('302e020100300506032b657004220420', 'hex')
  return createPrivateKey({ key: Buffer.concat([head, seed]), format: 'der', type: 'pkcs8' })
}
