import type { Cursor } from '../../shared/cursor.ts'
import { helloStatement, roleSeed, type SessionKeys, sign } from '../../shared/keys.ts'
import { type FromClient, protocolVersion } from '../../shared/wire.ts'

interface Greeting {
  readonly keys: SessionKeys
  /** The page's origin. */
  readonly origin: string
  readonly generation: number
  readonly cursor: Cursor
}

/** What answers a relay's challenge: it proves the role, and says from where the log is to be read. */
export function hello(
  nonce: Uint8Array,
  { keys, origin, generation, cursor }: Greeting,
): Extract<FromClient, { type: 'hello' }> {
  return {
    type: 'hello',
    version: protocolVersion,
    role: keys.role,
    publicKeys: keys.publicKeys,
    signature: sign(helloStatement(nonce, keys.session, origin), roleSeed(keys)),
    generation,
    cursor,
  }
}
