import { readFileSync, writeFileSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import type { SessionCore } from '../../client/session/core.ts'
import { newFolder } from '../../relay/fixtures.testing.ts'
import { random } from '../../relay/testing.ts'
import { addRecord, addStories, markRemoved, readStories } from '../../shared/document.ts'
import { createSessionKeys, keysFor, type SessionKeys } from '../../shared/keys.ts'
import { Device } from '../simulation/device.ts'
import { seat } from './seated.ts'
import { Trial, until } from './trial.ts'

test('yesterday’s backup under people who went on: within 30 s the log has everything again', async () => {
  const trial = await Trial.start()
  const owner = createSessionKeys()
  const member = keysFor('member', owner)
  const [alice, bob, carol] = [device(trial, owner), device(trial, member), device(trial, member)]
  await work([alice, bob, carol], 10)
  const backups = newFolder()
  expect(await trial.command(['backup', backups])).toMatchObject({ code: 0 })
  await work([alice, bob, carol], 30)
  const [story] = readStories(alice.doc)
  if (story) markRemoved(alice.doc, story.id, true)
  await settled([alice, bob, carol])
  const content = alice.content

  await trial.end('SIGKILL')
  const before = entriesIn(trial.file)
  expect(await trial.command(['restore', backups])).toMatchObject({ code: 0 })
  expect(entriesIn(trial.file)).toBeLessThan(before / 2)
  const restored = performance.now()
  await trial.resume()
  carol.stop() // she does not come back; what was hers the others have
  await whole(trial, keysFor('observer', owner), content)
  console.info(`whole again after ${((performance.now() - restored) / 1000).toFixed(1)} s`)
  expect(performance.now() - restored).toBeLessThan(30_000)
  await until(() => [alice, bob].every(({ link }) => link.waiting === 0), 'nothing waits any more')
})

test('an entry that was damaged on the disk is reported, skipped, and brought back by somebody who has it', async () => {
  const trial = await Trial.start()
  const owner = createSessionKeys()
  const alice = await seat('alice', owner, () => trial.url)
  for (let number = 0; number < 12; number++) {
    addStories(alice.doc, [{ title: `story ${number}` }])
    await until(() => isSaved(alice), 'alice’s story is saved')
  }
  await trial.end('SIGTERM')
  damageEntry(trial.file, 5)
  await trial.resume()
  alice.link?.retryNow()
  await until(() => isSaved(alice), 'alice is back')

  const bob = await seat('bob', keysFor('member', owner), () => trial.url)
  await until(() => trial.said.includes('"event":"damagedRow","table":"entries"}'), 'the relay says so')
  await until(() => isSaved(bob), 'bob has read the log')
  expect(readStories(bob.doc).length).toBeLessThan(12)
  await until(() => readStories(bob.doc).length === 12, 'bob has what was damaged', 40_000)
  await trial.end('SIGKILL')
  await trial.resume()
  const carol = await seat('carol', keysFor('observer', owner), () => trial.url)
  await until(() => readStories(carol.doc).length === 12, 'the log has what was damaged')
}, 90_000)

/** How many the database has had of all sessions: a snapshot that takes their place changes nothing. */
function entriesIn(file: string): number {
  const database = new Sqlite(file, { readonly: true })
  const last = database.prepare<[], number>('SELECT ifnull(max(sequence), 0) FROM entries').pluck().get()
  database.close()
  return Number(last)
}

/** Somebody with an invitation, without rules and screen. */
function device(trial: Trial, keys: SessionKeys): Device {
  const made = new Device(trial.url, keys)
  onTestFinished(() => made.stop())
  made.connect()
  return made
}

async function work(devices: readonly Device[], records: number): Promise<void> {
  for (let number = 0; number < records; number++) {
    for (const { doc } of devices) {
      if (number % 5 === 0) addStories(doc, [{ title: `story ${number}` }])
      addRecord(doc, random(150))
    }
    await settled(devices)
  }
}

async function settled(devices: readonly Device[]): Promise<void> {
  await until(
    () =>
      devices.every(({ caughtUp }) => caughtUp) && new Set(devices.map(({ content }) => content)).size === 1,
    'everybody has the same, and it is saved',
  )
}

/** Newcomers come until one is given everything. */
async function whole(trial: Trial, keys: SessionKeys, content: string): Promise<void> {
  for (;;) {
    const newcomer = new Device(trial.url, keys)
    newcomer.connect()
    await until(() => newcomer.provider.synced, 'a newcomer has read the log')
    const has = newcomer.content === content
    newcomer.stop()
    if (has) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

function isSaved({ link }: SessionCore): boolean {
  return link?.state.state === 'connected' && link.connection !== undefined && link.waiting === 0
}

/** One bit of what is kept of the envelope at this place in the log. */
function damageEntry(file: string, sequence: number): void {
  const database = new Sqlite(file, { readonly: true })
  const kept = database.prepare<[number], Buffer>('SELECT envelope FROM entries WHERE sequence = ?').pluck()
  const envelope = kept.get(sequence)
  database.close()
  const bytes = readFileSync(file)
  const at = envelope ? bytes.indexOf(envelope.subarray(0, 100)) : -1
  if (at < 0) throw new Error('The envelope is not in the file')
  bytes[at + 50] = (bytes[at + 50] ?? 0) ^ 1
  writeFileSync(file, bytes)
}
