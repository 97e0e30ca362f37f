import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newFolder } from '../fixtures.testing.ts'
import { copyApart } from './copy-thread.ts'
import { databaseName, openDatabase } from './database.ts'

test('what SQLite says in a thread is heard outside, with its code and where it happened', async () => {
  const [dataDir, to] = [newFolder(), join(newFolder(), 'copy')]
  openDatabase(dataDir, 'east').close()
  writeFileSync(to, 'no database, and longer than a page of one has to be'.repeat(100))
  const failure = await copyApart({ from: join(dataDir, databaseName), to }).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'SQLITE_NOTADB', message: expect.stringContaining('not a database') })
  expect(failure).toHaveProperty('stack', expect.stringContaining('not a database'))
})
