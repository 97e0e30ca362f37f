/**
 * `npm run test:planted`: plants one mistake after the other in a copy of the sources, and sees the test for it fail.
 * BUGS=cut,jitter takes those whose name contains one of the words.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { bugs } from './bugs.mjs'

const top = join(import.meta.dirname, '../..')
const left = new Set(['.git', 'node_modules', 'dist', 'data', 'test-results', 'playwright-report'])
const words = process.env.BUGS?.split(',') ?? ['']
const chosen = bugs.filter(({ name }) => words.some((word) => name.includes(word)))

for (const { name, file, text } of chosen) {
  const found = readFileSync(join(top, file), 'utf8').split(text).length - 1
  if (found !== 1) throw new Error(`"${name}": its text stands ${found} times in ${file} instead of once`)
}

const copy = mkdtempSync(join(tmpdir(), 'facedown-planted-'))
process.once('exit', () => rmSync(copy, { recursive: true, force: true }))
process.once('SIGINT', () => process.exit(130))
cpSync(top, copy, { recursive: true, filter: (path) => path === top || !left.has(basename(path)) })
symlinkSync(join(top, 'node_modules'), join(copy, 'node_modules'))

const passes = new Map()
let noticed = 0
for (const { name, file, text, instead, run } of chosen) {
  const path = join(copy, file)
  const sound = readFileSync(path, 'utf8')
  const command = run.join(' ')
  if (!passes.has(command)) passes.set(command, test(run) === 'passed')
  writeFileSync(
    path,
    sound.replace(text, () => instead),
  )
  const planted = test(run)
  writeFileSync(path, sound)
  const isNoticed = passes.get(command) && planted === 'failed'
  if (isNoticed) noticed++
  const found = passes.get(command) ? planted : 'fails without it'
  console.log(`${isNoticed ? 'noticed    ' : `NOT NOTICED (${found})`} ${name}`)
}
console.log(`${noticed} of ${chosen.length}`)
process.exitCode = noticed === chosen.length ? 0 : 1

/** `broken` when there was not even a test that ran. */
function test(run) {
  const vitest = join(top, 'node_modules/vitest/vitest.mjs')
  const { status, stdout } = spawnSync(process.execPath, [vitest, 'run', '--project', ...run], {
    cwd: copy,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
    timeout: 300_000,
  })
  if (status === 0) return /Tests .*\d+ passed/.test(stdout) ? 'passed' : 'broken'
  return /Tests .*\d+ failed/.test(stdout) ? 'failed' : 'broken'
}
