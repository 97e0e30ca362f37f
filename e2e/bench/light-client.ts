import { type KeyObject, sign } from 'node:crypto'
import { connect } from 'node:net'
import { helloStatement, type SessionKeys } from '../../shared/keys.ts'
import { decodeFromRelay, encodeFromClient, protocolVersion, subprotocol } from '../../shared/wire.ts'

const endOfHead = Buffer.from('\r\n\r\n')
const entry = 0x42
const close = 0x88

/**
 * Joins over a bare TCP socket and looks at no more than it has to, so that a storm of them is not held up by its own core.
 * Resolves with the number of changes in the log once it has been read; rejects when the relay closes it.
 */
export function joinLightly(
  port: number,
  keys: SessionKeys,
  key: KeyObject,
  localAddress: string,
): Promise<number> {
  const origin = `http://127.0.0.1:${port}`
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  socket.write(
    [
      `GET /sync/${keys.session} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`,
      `Sec-WebSocket-Protocol: ${subprotocol}`,
      `Origin: ${origin}`,
      '\r\n',
    ].join('\r\n'),
  )
  return new Promise((resolve, reject) => {
    let rest: Buffer = Buffer.alloc(0)
    let isOpen = false
    let entries = 0
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('The relay closed it')))
    socket.on('data', (piece: Buffer) => {
      rest = rest.length > 0 ? Buffer.concat([rest, piece]) : piece
      if (!isOpen) {
        const end = rest.indexOf(endOfHead)
        if (end < 0) return
        if (!rest.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101'))) return reject(new Error(`${rest}`))
        isOpen = true
        rest = rest.subarray(end + endOfHead.length)
      }
      for (let frame = firstFrame(rest); frame; frame = firstFrame(rest)) {
        rest = rest.subarray(frame.end)
        const { payload } = frame
        if (frame.kind === close) return reject(new Error(`Closed: ${payload.subarray(2)}`))
        if (payload[0] === entry) {
          entries++
          continue
        }
        const message = decodeFromRelay(payload)
        if (message?.type === 'caughtUp') resolve(entries)
        if (message?.type !== 'challenge') continue
        const signature = sign(null, helloStatement(message.nonce, keys.session, origin), key)
        const { role, publicKeys } = keys
        const hello = { version: protocolVersion, role, publicKeys, signature } as const
        socket.write(framed(encodeFromClient({ type: 'hello', ...hello, generation: 0, cursor: new Map() })))
      }
    })
  })
}

/** Undefined until all of it is here. `kind` is the first byte (RFC 6455, section 5.2). */
function firstFrame(bytes: Buffer): { kind: number; payload: Buffer; end: number } | undefined {
  if (bytes.length < 4) return undefined
  const [kind = 0, length = 0] = bytes
  const start = length < 126 ? 2 : length === 126 ? 4 : 10
  if (bytes.length < start) return undefined
  const size = length < 126 ? length : length === 126 ? bytes.readUInt16BE(2) : bytes.readUInt32BE(6)
  const end = start + size
  return bytes.length < end ? undefined : { kind, payload: bytes.subarray(start, end), end }
}

/** With a mask of zeros, which changes nothing. */
function framed(payload: Uint8Array): Buffer {
  const head = Buffer.from([0x82, 0x80 | 126, payload.length >> 8, payload.length & 255, 0, 0, 0, 0])
  return Buffer.concat([head, payload])
}
