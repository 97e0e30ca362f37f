import Sqlite from 'better-sqlite3'
import { expect, test } from 'vitest'
import { failureOf } from './failure.ts'

function ofFiles(code: string, path?: string): Error {
  return Object.assign(new Error(`${code}: in the system’s words`), { code, syscall: 'open', path })
}

test('what a file system or a database refuses is a sentence that says what to do', () => {
  expect(failureOf(ofFiles('EACCES', '/backups'))).toEqual({
    code: 1,
    words: '/backups belongs to somebody else. Run this as the user who starts the relay, who has to own it',
  })
  expect(failureOf(ofFiles('ENOSPC'))).toMatchObject({
    code: 1,
    words: expect.stringMatching(/^The disk is full\. Make room, then try again/),
  })
  expect(failureOf(new Sqlite.SqliteError('database or disk is full', 'SQLITE_FULL'))).toMatchObject({
    code: 1,
    words: expect.stringMatching(/^The disk is full\. Make room, then try again/),
  })
  expect(failureOf(new Sqlite.SqliteError('malformed', 'SQLITE_CORRUPT_INDEX'))).toMatchObject({
    code: 2,
    words: expect.stringContaining('facedown check says what can be read'),
  })
})

test('a bug is no failure of whoever gave the command', () => {
  expect(failureOf(new TypeError('undefined is not a function'))).toBeUndefined()
})
