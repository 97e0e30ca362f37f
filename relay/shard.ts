import { idBytes, type SessionId } from '../shared/id.ts'

/** Into so many shards sessions are divided. The number is part of every subject and every store's settings, so it never changes. */
export const shardCount = 64

export function shardOf(session: SessionId): number {
  return (idBytes(session)[0] ?? 0) % shardCount
}
