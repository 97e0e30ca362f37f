/**
 * A relay as version 1 of the wire was first spoken, in memory. It stays as it is, and uses nothing of the relay of today, or it
 * would not be an earlier one.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import { base32, frame, helloStatement, isSigned, Reader, sessionOf, sha256, uint } from './bytes.ts'

const origin = 'first.relay'

interface Place {
  readonly kind: 66 | 76
  readonly cursor: Buffer
  readonly body: Buffer
}

interface Client {
  readonly number: number
  readonly socket: WebSocket
}

interface Session {
  readonly log: Place[]
  readonly clients: Set<Client>
  /** Keys of boxes by the seals' names, by the round's. */
  readonly keys: Map<string, Map<string, Buffer>>
}

export class EarlierRelay {
  readonly url: string
  /** Every frame that came after a hello, as hexadecimal digits. */
  readonly heard: string[] = []
  readonly #server: Server
  readonly #sessions = new Map<string, Session>()
  #clients = 0

  private constructor(server: Server, port: number) {
    this.#server = server
    this.url = `http://127.0.0.1:${port}`
    const sockets = new WebSocketServer({
      server,
      handleProtocols: (offered) => offered.has('facedown.v1') && 'facedown.v1',
    })
    sockets.on('connection', (socket, request) => this.#greet(socket, request))
  }

  static async start(): Promise<EarlierRelay> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    return new EarlierRelay(server, typeof address === 'object' ? (address?.port ?? 0) : 0)
  }

  stop(): void {
    for (const { clients } of this.#sessions.values()) for (const { socket } of clients) socket.terminate()
    this.#server.close().closeAllConnections()
  }

  #greet(socket: WebSocket, { url = '', headers }: IncomingMessage): void {
    const id = url.slice('/sync/'.length)
    const nonce = randomBytes(32)
    socket.send(frame(64, nonce))
    socket.once('message', (bytes: Buffer) => {
      const hello = new Reader(bytes)
      const [kind, version, role] = [hello.byte(), hello.uint(), hello.byte()]
      const publicKeys = hello.take(96)
      const signature = hello.take(64)
      const generation = hello.byte()
      const places = readCursor(hello)
      hello.end()
      const session = sessionOf(publicKeys)
      const statement = helloStatement(nonce, session, headers.origin ?? '')
      const isProven = isSigned(statement, signature, publicKeys.subarray(role * 32, role * 32 + 32))
      if (kind !== 1 || version !== 1 || generation > 1 || base32(session) !== id || !isProven)
        return socket.close(4403, 'This invitation does not open this session.')
      this.#enter(id, socket, places)
    })
  }

  #enter(
    id: string,
    socket: WebSocket,
    places: ReadonlyMap<string, { sequence: number; mark: Buffer }>,
  ): void {
    const session = this.#sessions.get(id) ?? { log: [], clients: new Set(), keys: new Map() }
    this.#sessions.set(id, session)
    const place = places.get(origin)
    const known = place && session.log[place.sequence - 1]
    const resumes = known?.cursor.subarray(-8).equals(place?.mark ?? Buffer.alloc(0)) ?? false
    for (const { kind, cursor, body } of session.log.slice(resumes ? place?.sequence : 0))
      socket.send(frame(kind, cursor, body))
    const client = { number: ++this.#clients, socket }
    for (const other of session.clients) socket.send(frame(71, uint(other.number)))
    socket.send(frame(67, endOf(session), 1, resumes ? 1 : 0))
    this.#others(session, client, frame(71, uint(client.number)))
    session.clients.add(client)
    socket.on('message', (bytes: Buffer) => this.#take(session, client, bytes))
    socket.on('close', () => {
      session.clients.delete(client)
      this.#others(session, client, frame(72, uint(client.number)))
    })
  }

  #take(session: Session, client: Client, bytes: Buffer): void {
    this.heard.push(bytes.toString('hex'))
    const message = new Reader(bytes)
    const kind = message.byte()
    if (kind === 4) return // snapshots only keep logs short
    const first = message.uint() // a ref, or whom a signal is for
    switch (kind) {
      case 2:
        this.#others(session, client, this.#append(session, 66, message.rest()))
        break
      case 3: {
        const signal = frame(70, uint(client.number), message.rest())
        for (const { number, socket } of session.clients)
          if (number !== client.number && (first === 0 || first === number)) socket.send(signal)
        return
      }
      case 6: {
        const [round, seal, key] = [message.take(16), message.take(16), message.take(32)]
        const replaced = Array.from({ length: message.uint() }, () => message.take(32))
        message.end()
        const keys = session.keys.get(round.toString('hex')) ?? new Map<string, Buffer>()
        session.keys.set(round.toString('hex'), keys)
        for (const [name, known] of keys) if (replaced.some((other) => other.equals(known))) keys.delete(name)
        keys.set(seal.toString('hex'), key)
        break
      }
      case 7: {
        const [round, asker] = [message.take(16), message.take(176)]
        message.end()
        const keys = [...(session.keys.get(round.toString('hex')) ?? [])].sort()
        const pairs = keys.map(([seal, key]) => Buffer.concat([Buffer.from(seal, 'hex'), key]))
        const body = frame(round, asker, randomBytes(16), uint(pairs.length), ...pairs)
        const released = this.#append(session, 76, body)
        client.socket.send(released)
        this.#others(session, client, released)
        break
      }
      default:
        return client.socket.close(4400, 'Not a frame.')
    }
    client.socket.send(frame(68, uint(first), endOf(session), 0))
  }

  #append(session: Session, kind: 66 | 76, body: Buffer): Buffer {
    const at = [uint(origin.length), Buffer.from(origin), uint(session.log.length + 1)] as const
    const cursor = frame(1, ...at, sha256(body).subarray(0, 8))
    session.log.push({ kind, cursor, body })
    return frame(kind, cursor, body)
  }

  #others({ clients }: Session, client: Client, bytes: Buffer): void {
    for (const other of clients) if (other !== client) other.socket.send(bytes)
  }
}

function endOf({ log }: Session): Buffer {
  return log.at(-1)?.cursor ?? frame(0)
}

export function readCursor(reader: Reader): Map<string, { sequence: number; mark: Buffer }> {
  const places = new Map<string, { sequence: number; mark: Buffer }>()
  for (let count = reader.uint(); count > 0; count--)
    places.set(reader.text(), { sequence: reader.uint(), mark: reader.take(8) })
  return places
}
