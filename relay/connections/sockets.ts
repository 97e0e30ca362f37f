import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { frameLimits } from '../../shared/wire.ts'
import type { Surroundings } from './connection.ts'
import type { Connections, Refusal } from './connections.ts'
import { Socket } from './socket.ts'
import { chooseVersion, readUpgrade } from './upgrade.ts'

const serverOptions = {
  noServer: true,
  WebSocket: Socket,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: frameLimits.snapshot,
  maxFragments: 256,
  maxBufferedChunks: 4096,
  closeTimeout: 3000,
  handleProtocols: (offered: Set<string>) => chooseVersion(offered) ?? false,
}

/** Takes in whoever asks this server for a WebSocket. */
export function acceptSockets(
  server: Server,
  connections: Connections,
  surroundings: Surroundings,
  { origins }: { readonly origins: readonly string[] | undefined },
): void {
  const webSockets = new WebSocketServer(serverOptions)
  server.on('upgrade', (request, socket, head) => {
    const address = connections.admit(request)
    if (address === 503) return refuseUpgrade(socket, '503 Service Unavailable')
    if (address === 429) return refuseUpgrade(socket, '429 Too Many Requests')
    const upgrade = readUpgrade(request, origins)
    if (upgrade === 404) return refuseUpgrade(socket, '404 Not Found')
    if (upgrade === 400) return refuseUpgrade(socket, '400 Bad Request')
    const { session, origin, isOriginServed, isVersionSpoken, trace } = upgrade
    socket.cork() // the answer and the challenge leave in one piece
    webSockets.handleUpgrade(request, socket, head, (opened) => {
      const refusal = connections.refusal(isOriginServed, isVersionSpoken)
      if (refusal) return refuseSocket(opened, refusal)
      opened.registry = connections
      opened.address = address
      connections.add(opened)
      opened.begin(session, origin, surroundings, trace)
    })
    socket.uncork()
  })
}

/** A browser shows a page only how a WebSocket was closed, never why it was not opened. */
function refuseSocket(socket: Socket, { code, words, frame }: Refusal): void {
  socket.send(frame)
  socket.close(code, words)
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.on('error', () => socket.destroy())
  socket.once('finish', () => socket.destroy()) // whoever does not end it, too, has it no longer
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
