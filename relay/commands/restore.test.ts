import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createSessionKeys } from '../../shared/keys.ts'
import { BareClient } from '../connections/bare-client.testing.ts'
import { newFolder } from '../fixtures.testing.ts'
import { startRelayProcess } from '../process.testing.ts'
import { versions } from '../store/database.ts'
import { someDeposit, someEnvelope } from '../testing.ts'
import { backup } from './backup.ts'
import { checkData } from './check.ts'
import { isSound } from './examine.ts'
import { count, fill, openStore, withDatabase } from './kept.testing.ts'
import { newManifest, writeManifest } from './manifest.ts'
import { Pieces } from './pieces.ts'
import { restore } from './restore.ts'

test('what is replaced is kept aside whole, with what a killed relay left in its write-ahead log', async () => {
  const [dataDir, backups] = [newFolder(), newFolder()]
  const store = await openStore(dataDir)
  await fill(store, 2)
  await backup(dataDir, backups, 7)
  await store.close()
  const relay = await startRelayProcess({ DATA_DIR: dataDir })
  onTestFinished(async () => void (await relay.end('SIGKILL')))
  const alice = await BareClient.join(relay.url, createSessionKeys())
  alice.append(someEnvelope())
  await alice.next('saved')
  await relay.end('SIGKILL')
  expect(existsSync(join(dataDir, 'facedown.sqlite-wal'))).toBe(true)
  const { aside } = restore(dataDir, backups)
  expect(count(dataDir, 'sessions')).toBe(2)
  expect(aside).toHaveLength(1)
  expect(count(aside[0] ?? '', 'sessions')).toBe(3)
  await openStore(dataDir)
})

test('a write-ahead log whose database was moved away does not become part of what is restored', async () => {
  const [dataDir, backups, elsewhere] = [newFolder(), newFolder(), newFolder()]
  const store = await openStore(dataDir)
  await fill(store, 2)
  await backup(dataDir, backups, 7)
  await store.close()
  const relay = await startRelayProcess({ DATA_DIR: dataDir })
  onTestFinished(async () => void (await relay.end('SIGKILL')))
  const alice = await BareClient.join(relay.url, createSessionKeys())
  alice.append(someEnvelope())
  await alice.next('saved')
  await relay.end('SIGKILL')
  const path = join(dataDir, 'facedown.sqlite')
  renameSync(path, join(elsewhere, 'facedown.sqlite'))
  const { aside } = restore(dataDir, backups)
  expect(existsSync(`${path}-wal`)).toBe(false)
  expect(existsSync(join(aside[0] ?? '', 'facedown.sqlite-wal'))).toBe(true)
  expect(count(dataDir, 'sessions')).toBe(2)
})

test('a database stays where it is while a relay uses it, or when the backup is of a newer version', async () => {
  const [dataDir, backups] = [newFolder(), newFolder()]
  const store = await openStore(dataDir)
  await fill(store, 2)
  const { name } = await backup(dataDir, backups, 7)
  await fill(store, 1)
  expect(() => restore(dataDir, backups)).toThrow('Another relay uses the data folder')
  await store.close()
  const path = join(backups, `${name}.json`)
  const manifest = JSON.parse(readFileSync(path, 'utf8'))
  manifest.databases[0].schema = versions.length + 1
  writeFileSync(path, JSON.stringify(manifest))
  expect(() => restore(dataDir, backups)).toThrow(
    `(format ${versions.length + 1}). Install that version first`,
  )
  writeFileSync(path, JSON.stringify({ ...manifest, format: 2 }))
  expect(() => restore(dataDir, backups)).toThrow('was made by a newer version of the relay (manifest 2)')
  writeFileSync(path, '{"format":1')
  expect(() => restore(dataDir, backups)).toThrow('The manifest of a backup is damaged')
  manifest.databases[0].path = '../facedown.sqlite'
  writeFileSync(path, JSON.stringify(manifest))
  expect(() => restore(dataDir, backups)).toThrow('The manifest of a backup is damaged')
  expect(count(dataDir, 'sessions')).toBe(3)
})

test('a session that its owner deleted since the backup stays deleted', async () => {
  const [dataDir, backups] = [newFolder(), newFolder()]
  const store = await openStore(dataDir)
  const owner = createSessionKeys()
  const [others] = await fill(store, 1)
  await store.deposit(owner.session, someDeposit())
  await backup(dataDir, backups, 7)
  await store.delete(owner.session)
  await store.close()
  expect(restore(dataDir, backups)).toMatchObject({ deletions: 1, knowsDeletions: true })
  expect(
    withDatabase(dataDir, (database) => database.prepare('SELECT id FROM sessions').pluck().all()),
  ).toEqual([others])
  const again = await openStore(dataDir)
  expect(await again.since(owner.session, new Map(), 0)).toEqual({ outcome: 'deleted' })
})

test('a database that cannot be read any more is replaced, too, and it is said that deletions are not known', async () => {
  const [dataDir, backups] = [newFolder(), newFolder()]
  const store = await openStore(dataDir)
  await fill(store, 2)
  await backup(dataDir, backups, 7)
  await store.close()
  const rubbish = 'neither pages nor rows '.repeat(500)
  writeFileSync(join(dataDir, 'facedown.sqlite'), rubbish)
  const { aside, knowsDeletions } = restore(dataDir, backups)
  expect(knowsDeletions).toBe(false)
  expect(readFileSync(join(aside[0] ?? '', 'facedown.sqlite'), 'utf8')).toBe(rubbish)
  expect(count(dataDir, 'sessions')).toBe(2)
})

test('a backup of an earlier version comes back up to date', async () => {
  const [dataDir, backups, place] = [newFolder(), newFolder(), newFolder()]
  const store = await openStore(dataDir)
  await fill(store, 2)
  await store.close()
  withDatabase(dataDir, (database) => {
    database.exec('ALTER TABLE deposits DROP COLUMN checksum; PRAGMA user_version = 3')
    database.pragma('wal_checkpoint(TRUNCATE)')
  })
  await expect(backup(dataDir, backups, 7)).rejects.toThrow('is of an earlier version (format 3)')
  const kept = new Pieces(backups).keep(join(dataDir, 'facedown.sqlite'))
  const rows = { sessions: 2, entries: 40, snapshots: 2, deposits: 2, releases: 2, deletions: 0 }
  const database = { path: 'facedown.sqlite', schema: 3, sound: true, rows, ...kept }
  writeManifest(backups, newManifest(new Date(), [database]))
  restore(place, backups)
  const [checked] = checkData(place)
  expect(checked?.examination).toMatchObject({ rows, pages: [] })
  expect(checked && isSound(checked.examination)).toBe(true)
})
