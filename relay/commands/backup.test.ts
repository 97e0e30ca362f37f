import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject, onTestFinished, test, vi } from 'vitest'
import { newFolder } from '../fixtures.testing.ts'
import { startRelayProcess } from '../process.testing.ts'
import { lockFile } from '../store/folder-lock.ts'
import { version } from '../version.ts'
import { backup } from './backup.ts'
import { checkBackups, checkData } from './check.ts'
import { isSound } from './examine.ts'
import { count, fill, openStore, withDatabase } from './kept.testing.ts'
import { restore } from './restore.ts'

test('a backup of a store that goes on writing has everything that was saved before it began', async () => {
  const [dataDir, backups, place] = [newFolder(), newFolder(), newFolder()]
  const store = await openStore(dataDir)
  await fill(store)
  const meanwhile = fill(store, 30)
  const { manifest, examinations } = await backup(dataDir, backups, 7)
  await meanwhile
  expect(examinations.every(isSound)).toBe(true)
  const [kept] = manifest.databases
  expect(kept).toMatchObject({ path: 'facedown.sqlite', sound: true })
  expect(kept?.rows.sessions).toBeGreaterThanOrEqual(3)
  restore(place, backups)
  expect(count(place, 'sessions')).toBe(kept?.rows.sessions)
  expect(count(place, 'entries')).toBe(kept?.rows.entries)
  expect(checkData(place).every(({ examination }) => isSound(examination))).toBe(true)
})

test('a second backup keeps only what is new, and shares the rest', async () => {
  const [dataDir, backups] = [newFolder(), newFolder()]
  const store = await openStore(dataDir)
  await fill(store, 40, 200)
  const first = await backup(dataDir, backups, 7)
  await fill(store, 1, 20)
  const second = await backup(dataDir, backups, 7)
  const bytes = second.manifest.databases.reduce((sum, kept) => sum + kept.bytes, 0)
  expect(first.newBytes).toBeGreaterThan(8_000_000)
  expect(second.newBytes).toBeLessThan(bytes / 4)
  expect(checkBackups(backups)).toHaveLength(2)
})

test('a clock that was ahead once, or is behind, makes no older backup the newest', async () => {
  const [dataDir, backups, place] = [newFolder(), newFolder(), newFolder()]
  const store = await openStore(dataDir)
  await fill(store, 1)
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2099-01-01T00:00Z') })
  onTestFinished(() => void vi.useRealTimers())
  expect(await backup(dataDir, backups, 2)).toMatchObject({ isClockBehind: false })
  vi.setSystemTime(new Date('2026-05-04T12:00Z'))
  for (let more = 0; more < 2; more++) {
    await fill(store, 1)
    const { isClockBehind, removed } = await backup(dataDir, backups, 2)
    expect({ isClockBehind, removed }).toEqual({ isClockBehind: true, removed: more })
  }
  expect(readFileSync(join(dataDir, 'last-backup'), 'utf8')).toBe('2026-05-04T12:00:00.000Z\n')
  restore(place, backups)
  expect(count(place, 'sessions')).toBe(3)
})

test('only so many backups stay, with the pieces they need', async () => {
  const [dataDir, backups] = [newFolder(), newFolder()]
  const store = await openStore(dataDir)
  await fill(store)
  const names: string[] = []
  for (let number = 0; number < 4; number++) {
    await fill(store, 1, 100)
    names.push((await backup(dataDir, backups, 2)).name)
  }
  expect(checkBackups(backups)).toEqual(
    names
      .slice(2)
      .reverse()
      .map((name) => ({ name, damagedPieces: 0, sound: true })),
  )
  const needed = new Set(
    names.slice(2).flatMap((name) => {
      const { databases } = JSON.parse(readFileSync(join(backups, `${name}.json`), 'utf8'))
      return databases.flatMap(({ pieces }: { pieces: string[] }) => pieces)
    }),
  )
  expect(new Set(piecesIn(backups))).toEqual(needed)
})

test('a backup of what is damaged says so, and removes no earlier one', async () => {
  const [dataDir, backups] = [newFolder(), newFolder()]
  const store = await openStore(dataDir)
  await fill(store)
  const { name } = await backup(dataDir, backups, 1)
  await store.close()
  withDatabase(dataDir, (database) => database.exec(`UPDATE snapshots SET envelope = x'00'`))
  const { examinations, removed } = await backup(dataDir, backups, 1)
  expect(examinations[0]?.damaged.snapshots).toBe(3)
  expect(removed).toBe(0)
  const checked = checkBackups(backups)
  expect(checked.map(({ sound }) => sound)).toEqual([false, true])
  expect(() => restore(newFolder(), backups)).toThrow('choose an earlier backup')
  restore(newFolder(), backups, name)
})

test('a piece that the disk changed is named, and the next backup mends it', async () => {
  const [dataDir, backups] = [newFolder(), newFolder()]
  await fill(await openStore(dataDir))
  await backup(dataDir, backups, 7)
  const [piece = ''] = piecesIn(backups)
  const path = join(backups, 'pieces', piece.slice(0, 2), piece)
  const bytes = readFileSync(path)
  bytes[1000] = (bytes[1000] ?? 0) ^ 1
  writeFileSync(path, bytes)
  expect(checkBackups(backups)).toMatchObject([{ damagedPieces: 1 }])
  expect(() => restore(newFolder(), backups)).toThrow('A piece of the backup is damaged')
  await backup(dataDir, backups, 7)
  expect(checkBackups(backups)).toMatchObject([{ damagedPieces: 0 }, { damagedPieces: 0 }])
})

test('wherever a backup is killed, no half of one is taken for a whole one', async () => {
  const [dataDir, backups] = [newFolder(), newFolder()]
  const store = await openStore(dataDir)
  await fill(store, 20, 200)
  let [killed, finished] = [0, 0]
  for (const fact of [hasScratch, hasPieces(3), hasPieces(8), hasPieces(14), () => false]) {
    const command = run(['backup', backups], dataDir)
    const ended = once(command, 'exit')
    while (command.exitCode === null && !fact(backups)) await new Promise((resolve) => setTimeout(resolve, 1))
    command.kill('SIGKILL')
    await ended
    if (command.signalCode === 'SIGKILL') killed++
    else finished++
    for (const { name, damagedPieces } of checkBackups(backups))
      expect([name, damagedPieces]).toEqual([name, 0])
    expect(checkBackups(backups)).toHaveLength(finished)
  }
  expect(killed).toBeGreaterThan(0)
  expect(finished).toBeGreaterThan(0)
  const { name } = await backup(dataDir, backups, 1)
  expect(checkBackups(backups)).toEqual([{ name, damagedPieces: 0, sound: true }])
  expect(readdirSync(backups).sort()).toEqual([`${name}.json`, 'backup.lock', 'pieces'])
}, 120_000)

test('two backups to one folder do not go on at once', async () => {
  const [dataDir, backups] = [newFolder(), newFolder()]
  await fill(await openStore(dataDir))
  const unlock = lockFile(join(backups, 'backup.lock'))
  await expect(backup(dataDir, backups, 7)).rejects.toThrow(`Another backup to ${backups} is under way`)
  unlock?.()
  await backup(dataDir, backups, 7)
})

test('a region’s store, which has a database for each stream, is kept and restored with all of them', async () => {
  const [dataDir, backups, place] = [newFolder(), newFolder(), newFolder()]
  for (const [stream, sessions] of [
    ['eu-mabc12', 2],
    ['eu-mxyz89', 3],
  ] as const) {
    mkdirSync(join(dataDir, stream))
    await fill(await openStore(join(dataDir, stream)), sessions)
  }
  const { manifest } = await backup(dataDir, backups, 7)
  expect(manifest.databases.map(({ path, rows }) => [path, rows.sessions])).toEqual([
    ['eu-mabc12/facedown.sqlite', 2],
    ['eu-mxyz89/facedown.sqlite', 3],
  ])
  restore(place, backups)
  expect(count(join(place, 'eu-mxyz89'), 'sessions')).toBe(3)
})

test('the commands say what they did, and end with a number that programs understand', async () => {
  const [dataDir, backups] = [newFolder(), newFolder()]
  const relay = await startRelayProcess({ DATA_DIR: dataDir })
  onTestFinished(async () => void (await relay.end('SIGKILL')))
  expect(await said(['backup', backups], dataDir)).toMatchObject({
    code: 0,
    words: expect.stringMatching(/^Backup 20.* is in .*: \d/),
  })
  expect(await said(['check', backups], dataDir)).toMatchObject({
    code: 0,
    words: expect.stringMatching(/^20\S+: whole\.\n$/),
  })
  expect(await said(['check'], dataDir)).toEqual({ code: 0, words: 'facedown.sqlite: nothing: all whole.\n' })
  expect(await said(['restore', backups], dataDir)).toEqual({
    code: 1,
    words: `Another relay uses the data folder ${dataDir}. Stop it, or set DATA_DIR to another folder.\n`,
  })
  expect(await said(['backup'], dataDir)).toEqual({
    code: 1,
    words: 'facedown backup needs a folder, or s3://bucket/folder.\n',
  })
  expect(await said(['reveal'], dataDir)).toMatchObject({
    code: 1,
    words: expect.stringMatching(/^There is no command "reveal"/),
  })
  expect(await said(['stats', '--keep', '3'], dataDir)).toMatchObject({
    code: 1,
    words: expect.stringMatching(/has no option --keep/),
  })
  expect(await said(['check'], join(dataDir, 'none'))).toMatchObject({
    code: 1,
    words: expect.stringMatching(
      /^There is no folder .*\. Set DATA_DIR to the data folder of your relay\.\n$/,
    ),
  })
  expect(await said(['start', '--port', '80'], dataDir)).toEqual({
    code: 1,
    words: "Unknown option '--port'. See facedown --help.\n",
  })
  expect(await said(['start', '--help'], dataDir)).toMatchObject({
    code: 0,
    words: expect.stringContaining('MAX_CONNECTIONS'),
  })
  expect(await said(['--version'], dataDir)).toEqual({ code: 0, words: `${version}\n` })
  expect(await said(['--help'], dataDir)).toMatchObject({
    code: 0,
    words: expect.stringMatching(/^facedown start/),
  })
  expect(existsSync(join(dataDir, 'last-backup'))).toBe(true)
  await relay.end('SIGTERM')
  writeFileSync(
    join(dataDir, 'facedown.sqlite'),
    'no database, and longer than its first hundred bytes'.repeat(9),
  )
  expect(await said(['check'], dataDir)).toMatchObject({
    code: 2,
    words: expect.stringMatching(/is damaged and was left as it is/),
  })
})

function piecesIn(backups: string): string[] {
  const folder = join(backups, 'pieces')
  return existsSync(folder) ? readdirSync(folder).flatMap((part) => readdirSync(join(folder, part))) : []
}

function hasScratch(backups: string): boolean {
  return readdirSync(backups).some((name) => name.startsWith('unfinished-'))
}

function hasPieces(least: number): (backups: string) => boolean {
  return (backups) => piecesIn(backups).length >= least
}

function run(words: readonly string[], dataDir: string): ChildProcess {
  const program = join(inject('builtRelay'), '../facedown.js')
  const env = { PATH: process.env.PATH, DATA_DIR: dataDir }
  return spawn(process.execPath, [program, ...words], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function said(
  words: readonly string[],
  dataDir: string,
): Promise<{ code: number | null; words: unknown }> {
  const command = run(words, dataDir)
  let all = ''
  for (const stream of [command.stdout, command.stderr]) stream?.on('data', (text) => (all += text))
  await once(command, 'close')
  return { code: command.exitCode, words: all }
}
