import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newFolder } from '../../relay/fixtures.testing.ts'
import { startupFailure } from '../../relay/process.testing.ts'
import { fileSystemOf, mayMount } from './small-disk.ts'
import { Trial } from './trial.ts'

test.runIf(mayMount)('a data folder on a read-only file system is said to be that', async () => {
  const DATA_DIR = fileSystemOf('8m')
  const mount = (how: string) => execFileSync('mount', ['-o', `remount,${how}`, DATA_DIR])
  mount('ro')
  expect(await startupFailure({ DATA_DIR })).toEqual({
    code: 1,
    words: `DATA_DIR must be a folder that can be written to, but EROFS: read-only file system: ${DATA_DIR}.\n`,
  })
  mount('rw')
  const trial = await Trial.start({}, DATA_DIR)
  await trial.end('SIGTERM')
  mount('ro')
  const place = join(DATA_DIR, 'facedown.sqlite')
  const words = `The database ${place} is on a read-only file system. Mount that so that it can be written to, or set DATA_DIR to another folder.\n`
  expect(await startupFailure({ DATA_DIR })).toEqual({ code: 1, words })
  for (const command of [['stats'], ['check'], ['backup', newFolder()]])
    expect(await trial.command(command)).toEqual({ code: 1, said: words })
})
