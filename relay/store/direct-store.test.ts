import Sqlite from 'better-sqlite3'
import { expect, test } from 'vitest'
import { createSessionKeys } from '../../shared/keys.ts'
import { newFolder } from '../fixtures.testing.ts'
import { someEnvelope } from '../testing.ts'
import { prepare } from './database.ts'
import { DirectStore } from './direct-store.testing.ts'
import { checksumOf } from './hash.ts'
import { createPlace } from './place.testing.ts'
import { storeContract } from './store.contract.ts'
import { entryKinds } from './store.ts'

storeContract('a store without a thread', () => {
  return createPlace(newFolder(), async (options, report) => {
    return new DirectStore(options, (notice) => {
      if (notice.type === 'damagedRow') report({ event: 'damagedRow', table: notice.table })
    })
  })
})

test('a store opens on a disk that refuses, and works once that is over', async () => {
  const options = { dataDir: '', region: 'local', sessionMaxBytes: 1 << 20, sessionIdleDays: 90 }
  const database = new Sqlite(':memory:')
  const open = { database, origin: prepare(database, options.region), close: () => void database.close() }
  database.pragma('query_only = 1')
  const store = new DirectStore(options, undefined, open)
  const { session } = createSessionKeys()
  const envelope = someEnvelope()
  const checksum = checksumOf(envelope)
  const entry = { sequence: 1, previous: 0, checksum, kind: entryKinds.change, envelope }
  expect(await store.append(session, entry)).toMatchObject({ outcome: 'refused' })
  expect(await store.check()).toMatchObject({ outcome: 'refused' })
  expect(await store.since(session, new Map(), 0)).toMatchObject({ outcome: 'page', entries: [] })
  database.pragma('query_only = 0')
  expect(await store.append(session, entry)).toMatchObject({ outcome: 'saved' })
  expect(await store.since(session, new Map(), 0)).toMatchObject({ outcome: 'page', entries: [{ kind: 0 }] })
})
