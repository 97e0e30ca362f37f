import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { newFolder } from '../fixtures.testing.ts'
import { freePort } from '../free-port.testing.ts'
import { backup } from './backup.ts'
import { damagePage, fill, openStore } from './kept.testing.ts'

const database = 'facedown.sqlite'

/** A data folder whose relay has ended. */
async function newDataDir(sessions = 3): Promise<string> {
  const dataDir = newFolder()
  const store = await openStore(dataDir)
  await fill(store, sessions)
  await store.close()
  return dataDir
}

/** What a command says and ends with. */
function facedown(dataDir: string, ...words: string[]): Promise<{ code: number; said: string }> {
  return facedownWith({ DATA_DIR: dataDir }, ...words)
}

function facedownWith(
  environment: Record<string, string>,
  ...words: string[]
): Promise<{ code: number; said: string }> {
  const program = join(inject('builtRelay'), '../facedown.js')
  const env = { PATH: process.env.PATH, ...environment }
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...words], { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, said: stdout + stderr })
    })
  })
}

test('statistics of a damaged database are a sentence about what can be done', async () => {
  const dataDir = await newDataDir(10)
  damagePage(dataDir, 'entries')
  const path = join(dataDir, database)
  expect(await facedown(dataDir, 'stats')).toEqual({
    code: 2,
    said: `The database ${path} is damaged and cannot be counted. facedown check says what can still be read; to go back to a backup: facedown restore.\n`,
  })
})

test.each(['stats', 'check', 'backup'])(
  '%s says of a database that cannot be opened that it is damaged',
  async (command) => {
    const [dataDir, backups] = [await newDataDir(), newFolder()]
    const path = join(dataDir, database)
    const words = command === 'backup' ? [command, backups] : [command]
    const said = `The database ${path} is damaged and was left as it is. Put a backup in its place, or move it away to start anew: devices bring back what they hold.\n`
    const whole = readFileSync(path)
    writeFileSync(path, Buffer.concat([Buffer.alloc(4096, 0xee), whole.subarray(4096)]))
    expect(await facedown(dataDir, ...words)).toEqual({ code: 2, said })
    writeFileSync(path, whole)
    truncateSync(path, 8192)
    expect(await facedown(dataDir, ...words)).toEqual({ code: 2, said })
    truncateSync(path, 0)
    expect(await facedown(dataDir, ...words)).toEqual({ code: 2, said })
    expect(readdirSync(backups).filter((name) => name.startsWith('unfinished-'))).toEqual([])
  },
)

test('a file where a folder belongs is named', async () => {
  const [dataDir, file] = [await newDataDir(), join(newFolder(), 'file')]
  writeFileSync(file, '')
  const said = `${file} is a file, and a folder is needed.\n`
  expect(await facedown(file, 'stats')).toEqual({ code: 1, said })
  expect(await facedown(dataDir, 'check', file)).toEqual({ code: 1, said })
  expect(await facedown(dataDir, 'restore', file)).toEqual({ code: 1, said })
})

test('a backup whose manifest is damaged is something damaged, and the sentence says what can be done with it', async () => {
  const [dataDir, backups] = [await newDataDir(), newFolder()]
  const { name } = await backup(dataDir, backups, 7)
  const path = join(backups, `${name}.json`)
  writeFileSync(path, '{"format":1')
  expect(await facedown(dataDir, 'check', backups)).toEqual({
    code: 2,
    said: `The manifest of a backup is damaged: ${path}. Without that file the other backups can be used.\n`,
  })
})

test('commands need no more settings than their own, and do not mind those that would stop a relay', async () => {
  const DATA_DIR = await newDataDir()
  const others = { REGIONS: 'east=https://east.example', ROLE: 'store', PORT: '80a' }
  expect(await facedownWith({ ...others, DATA_DIR, NATS_URL: 'nats//east' }, 'stats')).toMatchObject({
    code: 0,
  })
  const NATS_URL = `127.0.0.1:${await freePort()}`
  expect(await facedownWith({ ...others, NATS_URL }, 'who')).toEqual({
    code: 1,
    said: `NATS does not answer at NATS_URL ${NATS_URL}.\n`,
  })
  const said = 'DATADIR is no setting of the relay. Write DATA_DIR, or take DATADIR away.\n'
  expect(await facedownWith({ DATADIR: DATA_DIR }, 'stats')).toEqual({ code: 1, said })
})
