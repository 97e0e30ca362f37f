/** The peer: @y/websocket-server as its own start script runs it, documents in memory. */
import { createServer } from 'node:http'
import { setupWSConnection } from '@y/websocket-server/utils'
import { WebSocketServer } from 'ws'

const server = createServer()
new WebSocketServer({ server, perMessageDeflate: false }).on('connection', setupWSConnection)
server.listen(Number(process.env.PORT), '127.0.0.1', 4096)
