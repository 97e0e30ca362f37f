import { type Asker, releaseStatement } from '../../shared/escrow.ts'
import { idBytes, type SessionId } from '../../shared/id.ts'
import {
  deleteStatement,
  helloStatement,
  isSoundKey,
  type Role,
  roles,
  sessionIdOf,
} from '../../shared/keys.ts'
import { membershipStatement } from '../../shared/record.ts'
import { type FromClient, protocolVersion } from '../../shared/wire.ts'
import { verifies } from './signature.ts'

export type Hello = Extract<FromClient, { type: 'hello' }>

/**
 * The role somebody proved, from arithmetic alone: the session's id is the hash of the keys that may use it. Sessions
 * that do not exist and sessions that are not theirs get the same answer in the same time.
 */
export function checkHello(
  hello: Hello,
  session: SessionId,
  nonce: Uint8Array,
  origin: string,
): Role | 'version' | 'forbidden' {
  if (hello.version !== protocolVersion) return 'version'
  const belongs = sessionIdOf(hello.publicKeys) === session
  const at = roles.indexOf(hello.role) * 32
  const publicKey = hello.publicKeys.subarray(at, at + 32)
  const proven = verifies(helloStatement(nonce, session, origin), publicKey, hello.signature)
  return belongs && proven ? hello.role : 'forbidden'
}

/** Whether the owner of the session signed that it be deleted. */
export function checkDeletion(session: SessionId, publicKeys: Uint8Array, signature: Uint8Array): boolean {
  return verifies(deleteStatement(session), publicKeys.subarray(0, 32), signature)
}

/** Whether a participant of the session asks, by name: nobody has keys released unseen. */
export function checkAsker(
  session: SessionId,
  publicKeys: Uint8Array,
  round: Uint8Array,
  { author, membership, reveal, signature }: Asker,
): boolean {
  const member = publicKeys.subarray(32, 64)
  return (
    isSoundKey(idBytes(author)) &&
    verifies(membershipStatement(session, author), member, membership) &&
    verifies(releaseStatement(session, round, reveal), idBytes(author), signature)
  )
}
