/** A real Prometheus, with the rules that operators load, looks at a relay to which nothing happens. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { newFolder } from '../../relay/fixtures.testing.ts'
import { play, Team } from '../faults/team.ts'
import { Trial } from '../faults/trial.ts'
import { Prometheus } from './prometheus.ts'

const minutes = Number(process.env.MINUTES ?? 0.25)

test(
  `no alert says anything about a relay that bears its load well for ${minutes} min`,
  async () => {
    const prometheus = await Prometheus.start(newFolder())
    onTestFinished(() => prometheus.stop())
    const trial = await Trial.start({ NEW_CONNECTIONS_PER_SECOND: '1000' }, folderInMemory())
    prometheus.watch('healthy', trial.url)
    const teams = await Promise.all(Array.from({ length: 20 }, () => Team.join(trial.url)))
    onTestFinished(() => {
      for (const team of teams) team.leave()
    })
    const heard = new Set<string>()
    const timer = setInterval(async () => {
      for (const alert of await prometheus.firing()) heard.add(alert)
    }, 500)
    onTestFinished(() => clearInterval(timer))
    await play(teams, minutes * 60, 100)
    expect(await prometheus.samples('healthy')).toBeGreaterThan(minutes * 60 * 0.6)
    expect([...heard]).toEqual([])
  },
  minutes * 120_000 + 60_000,
)

/** Where the system has one: the disk of a machine that tests share stands still for a second now and then. */
function folderInMemory(): string {
  const memory = '/dev/shm'
  const folder = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'facedown-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}
