import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newFolder } from '../fixtures.testing.ts'
import { systemCallsOf, systemCallsWhileServing } from './system-calls.testing.ts'

const units = ['facedown.service', 'facedown-backup.service', 'facedown-backup.timer']
const isLinux = process.platform === 'linux'

test.runIf(isLinux)('systemd understands the units', () => {
  const folder = newFolder()
  for (const unit of units) {
    const text = read(unit).replaceAll('/usr/bin/node', process.execPath)
    writeFileSync(join(folder, unit), text)
  }
  const dropIns = join(folder, 'facedown-backup.service.d')
  mkdirSync(dropIns)
  writeFileSync(
    join(dropIns, 'bucket.conf'),
    read('facedown-backup.bucket.conf').replaceAll('/usr/bin/node', process.execPath),
  )
  const words = ['verify', '--man=no', ...units.map((unit) => join(folder, unit))]
  const { status, stderr } = spawnSync('systemd-analyze', words, { encoding: 'utf8' })
  expect([status, stderr]).toEqual([0, ''])
})

test.runIf(isLinux).each([
  ['facedown.service', 1.5],
  ['facedown-backup.service', 0.7],
])('%s leaves an attacker little: its exposure is at most %d of 10', (unit, most) => {
  const said = execFileSync('systemd-analyze', ['security', '--offline=true', `relay/deploy/${unit}`], {
    encoding: 'utf8',
  })
  const level = /Overall exposure level for \S+: (\d+\.\d)/.exec(said)?.[1]
  expect(Number(level)).toBeLessThanOrEqual(most)
})

test.runIf(isLinux)('a relay asks nothing of the kernel that its unit forbids', async () => {
  const allowed = new Set(systemCallsOf('@default'))
  for (const [, no, sets = ''] of read('facedown.service').matchAll(/^SystemCallFilter=(~?)(.*)$/gm)) {
    for (const name of sets.split(' ').flatMap(systemCallsOf)) {
      if (no) allowed.delete(name)
      else allowed.add(name)
    }
  }
  allowed.add('fchown') // SQLite asks for it as root only, which the unit is not
  const asked = await systemCallsWhileServing()
  expect(asked.size).toBeGreaterThan(30)
  expect([...asked].filter((name) => !allowed.has(name))).toEqual([])
})

function read(unit: string): string {
  return readFileSync(join(import.meta.dirname, unit), 'utf8')
}
