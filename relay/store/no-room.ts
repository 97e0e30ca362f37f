/** A disk has no room for what somebody may still have. */
export class NoRoom extends Error {}

/** What Node, its file systems' quotas and SQLite say of a disk that is full. */
const codes: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'SQLITE_FULL']

export function isForRoom(error: unknown): boolean {
  return error instanceof NoRoom || (error instanceof Error && 'code' in error && codes.includes(error.code))
}
