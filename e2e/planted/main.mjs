/**
 * `npm run test:planted`: plants one mistake after the other in a copy of the sources, and sees the test for it fail.
 * BUGS=cut,jitter takes those whose name contains one of the words; BUGS=check:cluster those that only the checker can notice.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { bugs } from './bugs.mjs'
import { clusterBugs } from './cluster-bugs.mjs'

const top = join(import.meta.dirname, '../..')
const left = new Set(['.git', 'node_modules', 'dist', 'data', 'test-results', 'playwright-report'])
const words = process.env.BUGS?.split(',') ?? ['']
const chosen = [...bugs, ...clusterBugs].filter(({ name }) => words.some((word) => name.includes(word)))

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
  const see = () => (run ? test(run) : check())
  const command = run?.join(' ') ?? 'check:cluster'
  if (!passes.has(command)) passes.set(command, see() === 'passed')
  writeFileSync(
    path,
    sound.replace(text, () => instead),
  )
  const planted = see()
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

/** Builds the relay of the copy, and has the checker look at a cluster of it. */
function check() {
  const node = (...words) =>
    spawnSync(process.execPath, words, {
      cwd: copy,
      encoding: 'utf8',
      env: { ...process.env, OPERATIONS: '600', FAULTS: '26', PATIENCE: '60' },
      timeout: 600_000,
    })
  const vite = join(top, 'node_modules/vite/bin/vite.js')
  if (node(vite, 'build', '--ssr', '--logLevel', 'warn').status !== 0) return 'broken'
  for (const part of ['client', 'status']) {
    const built = join(copy, 'dist', part)
    if (!existsSync(built)) symlinkSync(join(top, 'dist', part), built)
  }
  const { status, stdout } = node('--import', 'tsx', 'e2e/cluster/checker.ts')
  const findings = stdout.split('\n').filter((line) => line.startsWith('from '))
  for (const finding of findings) console.log(`  ${finding}`)
  if (findings.length === 0) return 'broken'
  return status === 0 ? 'passed' : 'failed'
}
