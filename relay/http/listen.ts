import { lookup } from 'node:dns/promises'
import { createServer, type Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Limits } from '../connections/limits.ts'
import type { Config } from '../settings/config.ts'
import { SetupError } from '../settings/setup-error.ts'

type Fetch = Parameters<typeof getRequestListener>[0]

/** The settings an operator has to change when it does not listen. */
export interface ListenNames {
  readonly host: string
  readonly port: string
}

/** A server for each address of the host: `localhost` has two, and browsers differ in which one they try first. */
export async function listen(
  fetch: Fetch,
  { host, port }: Pick<Config, 'host' | 'port'>,
  { idleMs }: Pick<Limits, 'idleMs'>,
  names: ListenNames = { host: 'HOST', port: 'PORT' },
): Promise<Server[]> {
  const addresses = await lookup(host, { all: true, order: 'ipv4first' }).catch(() => {
    throw new SetupError(`${names.host} must be an address of this computer, but it is "${host}"`)
  })
  const servers: Server[] = []
  for (const { address } of addresses) {
    const at = addressOf(servers[0]) ?? port
    const server = await listenOn(fetch, address, at, idleMs).catch((error: NodeJS.ErrnoException) => {
      // Many computers name ::1 without having it.
      if (servers.length > 0 && error.code !== 'EADDRINUSE') return undefined
      for (const other of servers) other.close()
      throw new SetupError(explain(error, host, at, names))
    })
    if (server) servers.push(server)
  }
  return servers
}

function listenOn(fetch: Fetch, address: string, port: number, idleMs: number): Promise<Server> {
  const server = createServer(
    { maxHeaderSize: 8192, headersTimeout: 5000, requestTimeout: 10_000, connectionsCheckingInterval: 1000 },
    getRequestListener(fetch, { overrideGlobalObjects: false }),
  )
  server.setTimeout(idleMs)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, address, () => {
      server.off('error', reject)
      resolve(server)
    })
  })
}

function addressOf(server: Server | undefined): number | undefined {
  const address = server?.address()
  return typeof address === 'object' ? address?.port : undefined
}

function explain(error: NodeJS.ErrnoException, host: string, port: number, names: ListenNames): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `${names.port} ${port} is in use by another program. Stop that, or set ${names.port} to another number`
    case 'EACCES':
      return `${names.port} ${port} needs more rights than this user has. Set ${names.port} to 1024 or more`
    case 'EADDRNOTAVAIL':
      return `${names.host} must be an address of this computer, but it is "${host}"`
    default:
      return `The relay cannot listen on ${host}, port ${port} (${error.message})`
  }
}
