import Sqlite from 'better-sqlite3'
import { DamageError, SetupError } from '../settings/setup-error.ts'
import { isCorrupt } from '../store/corrupt.ts'

/** What a command ends with. */
export const codes = { done: 0, couldNot: 1, damaged: 2 } as const

/** A sentence without its full stop, and what to end with; undefined for a bug. */
export function failureOf(error: unknown): { readonly words: string; readonly code: number } | undefined {
  if (error instanceof SetupError) {
    return { words: error.message, code: error instanceof DamageError ? codes.damaged : codes.couldNot }
  }
  if (error instanceof Sqlite.SqliteError) {
    const words = `${wordsOfSqlite(error.code)} (${error.code}: ${error.message})`
    return { words, code: isCorrupt(error) ? codes.damaged : codes.couldNot }
  }
  return isOfFiles(error) ? { words: wordsOfFiles(error), code: codes.couldNot } : undefined
}

function wordsOfSqlite(code: string): string {
  if (code.startsWith('SQLITE_CORRUPT')) return 'A database is damaged. facedown check says what can be read'
  if (code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_SHMSIZE')
    return 'The disk is full. Make room, then try again'
  if (code.startsWith('SQLITE_BUSY')) return 'Somebody else uses the database. Try again'
  return 'A database cannot be used'
}

function isOfFiles(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error
}

function wordsOfFiles({ code, path, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ENOTDIR':
      return `${path} is a file, and a folder is needed`
    case 'EACCES':
    case 'EPERM':
      return `${path} belongs to somebody else. Run this as the user who starts the relay, who has to own it`
    case 'ENOSPC':
    case 'EDQUOT':
      return `The disk is full. Make room, then try again (${message})`
    default:
      return message
  }
}
