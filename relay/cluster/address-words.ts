/**
 * The addresses in NATS_URL as anybody may read them: a user, a password or a token before one is left out. A comma may belong to a
 * password, so what comes before such a one is left out, too.
 */
export function addressWords(servers: string): string {
  const at = servers.lastIndexOf('@')
  return at < 0 ? servers : `…${servers.slice(at)}`
}
