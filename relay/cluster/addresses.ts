import type { ConnectionOptions } from '@nats-io/transport-node'
import { SetupError } from '../settings/setup-error.ts'

interface Address {
  readonly host: string
  /** `user:password@` or `token@`, without the sign. */
  readonly login: string | undefined
}

/**
 * NATS_URL as the client takes it, which knows of hosts and ports alone. Whoever is named before one address logs in at all of
 * them, as the servers of a cluster tell of each other without it, and `tls://` before one insists on TLS at all. Throws a `SetupError` where two are named.
 */
export function loginTo(
  servers: string,
): Pick<ConnectionOptions, 'servers' | 'user' | 'pass' | 'token' | 'tls'> {
  const addresses = servers.split(',').map(parseAddress)
  const [login, another] = new Set(addresses.flatMap(({ login }) => login ?? []))
  if (another !== undefined) {
    throw new SetupError(
      'NATS_URL has two users. Name the same one before each address, and write , : @ / and % in passwords as %2C %3A %40 %2F and %25',
    )
  }
  return {
    servers: addresses.map(({ host }) => host),
    ...(login === undefined ? {} : credentials(login)),
    // Otherwise the client would log in without TLS where a server offers none.
    ...(addresses.some(({ host }) => /^tls:/i.test(host)) ? { tls: {} } : {}),
  }
}

/**
 * The addresses in NATS_URL as anybody may read them: a user, a password or a token before one is left out. A comma may belong to a
 * password, so what comes before such a one is left out, too.
 */
export function addressWords(servers: string): string {
  const at = servers.lastIndexOf('@')
  return at < 0 ? servers : `…${servers.slice(at)}`
}

function parseAddress(address: string): Address {
  const [, scheme = '', login, host = ''] = /^\s*(\w+:\/\/)?(?:(.*)@)?(.*?)\/?\s*$/.exec(address) ?? []
  return { host: scheme + host, login }
}

function credentials(login: string): Pick<ConnectionOptions, 'user' | 'pass' | 'token'> {
  const [first = '', ...rest] = login.split(':')
  if (rest.length === 0) return { token: decoded(first) }
  return { user: decoded(first), pass: decoded(rest.join(':')) }
}

/** A password with a percent sign that is no escape is taken as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
