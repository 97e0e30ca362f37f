import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../testing.ts'

const commits = 20

const program = `
  import { openDatabase } from './relay/store/database.ts'
  const { database, close } = openDatabase(process.env.DATA_DIR, 'local')
  for (let commit = 0; commit < ${commits}; commit++) {
    database.prepare("UPDATE facts SET value = value + 1 WHERE name = 'check'").run()
  }
  process.stdout.write('done')
  process.exit()
`

/** Elsewhere `sqlite-store.test.ts` asks SQLite itself. */
const onlyLinux = 'This check is for Linux only: no other system has strace'

test('the kernel is asked to write each commit to the disk, after a reopening too', ({ skip }) => {
  if (process.platform !== 'linux') {
    console.info(onlyLinux)
    skip(onlyLinux)
  }
  const folder = temporaryFolder()
  const trace = join(folder, 'trace')
  const DATA_DIR = join(folder, 'data')
  for (let opening = 0; opening < 2; opening++) {
    const traced = ['-f', '-e', 'trace=fsync,fdatasync', '-o', trace]
    const node = [process.execPath, '--import', 'tsx', '--input-type=module', '--eval', program]
    const ran = spawnSync('strace', [...traced, ...node], {
      cwd: join(import.meta.dirname, '../..'),
      env: { PATH: process.env.PATH, DATA_DIR },
      encoding: 'utf8',
    })
    if (ran.error) throw new Error('This test needs strace. Get it as root with: apt-get install -y strace')
    expect(ran.stdout + ran.stderr).toBe('done')
    const asked = readFileSync(trace, 'utf8').match(/f(data)?sync\(\d+\)\s+= 0/g) ?? []
    expect(asked.length).toBeGreaterThanOrEqual(commits)
  }
  rmSync(folder, { recursive: true })
})
