import type { Cursor } from '../../shared/cursor.ts'
import { helloStatement, roleSeed, type SessionKeys, sign } from '../../shared/keys.ts'
import { type FromClient, protocolVersion } from '../../shared/wire.ts'
import type { LinkOptions } from './link-options.ts'

interface Greeting extends Pick<LinkOptions, 'sign'> {
  readonly keys: SessionKeys
  /** The page's origin. */
  readonly origin: string
  readonly generation: number
  readonly cursor: Cursor
}

/** Answers a relay's challenge: proves the role, and says from where the log is to be read. */
export function greet(
  nonce: Uint8Array,
  { keys, origin, generation, cursor, sign: signAside }: Greeting,
  send: (hello: FromClient) => void,
): void {
  const statement = helloStatement(nonce, keys.session, origin)
  const seed = roleSeed(keys)
  const sendWith = (signature: Uint8Array) =>
    send({
      type: 'hello',
      version: protocolVersion,
      role: keys.role,
      publicKeys: keys.publicKeys,
      signature,
      generation,
      cursor,
    })
  if (!signAside) return sendWith(sign(statement, seed))
  signAside(statement, seed).then((signature) => sendWith(signature ?? sign(statement, seed)))
}
