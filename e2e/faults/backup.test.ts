import Sqlite from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { newFolder } from '../../relay/fixtures.testing.ts'
import type { SessionId } from '../../shared/id.ts'
import { play, Team } from './team.ts'
import { Trial, until } from './trial.ts'

test('a backup while 1,000 changes a second arrive is whole and has every change that was saved before', async () => {
  const trial = await Trial.start({ NEW_CONNECTIONS_PER_SECOND: '1000' })
  const teams: Team[] = []
  for (let number = 0; number < 60; number++) teams.push(await Team.join(trial.url, 2))
  onTestFinished(() => {
    for (const team of teams) team.leave()
  })
  const playing = play(teams, 8, 1000)
  const backups = newFolder()
  await until(() => sum(teams.map(savedUpTo)) > 2000, 'the first changes are saved')
  const before = new Map(teams.map((team) => [team.keys.session, savedUpTo(team)]))
  const { code, said } = await trial.command(['backup', backups])
  expect([code, said]).toEqual([0, expect.stringContaining('all whole.')])
  const atEnd = sum(teams.map(savedUpTo))
  await playing
  await until(() => teams.every(({ answered }) => answered), 'everything is saved')
  expect(atEnd).toBeGreaterThan(sum([...before.values()]))

  const place = newFolder()
  expect(await trial.command(['restore', backups], place)).toMatchObject({ code: 0 })
  expect(await trial.command(['check'], place)).toMatchObject({ code: 0 })
  const restored = entriesIn(`${place}/facedown.sqlite`)
  const missing = [...before].filter(([session, upTo]) => (restored.get(session) ?? 0) < upTo)
  expect(missing).toEqual([])
  console.info(`saved before: ${sum([...before.values()])}, in the backup: ${sum([...restored.values()])}`)
}, 240_000)

/** A log of a new session counts from 1, so the place of the last is how many there are. */
function savedUpTo({ people }: Team): number {
  const cursors = people.flatMap(({ frames }) => {
    const saved = frames.findLast((frame) => frame.type === 'saved')
    return saved ? [...saved.cursor.values()] : []
  })
  return Math.max(0, ...cursors.map(({ sequence }) => sequence))
}

/** How far each log goes without a gap. */
function entriesIn(file: string): Map<SessionId, number> {
  const database = new Sqlite(file, { readonly: true })
  const logs = database
    .prepare<[], { id: SessionId; count: number; last: number }>(
      `SELECT id, count(*) AS count, max(sequence) AS last FROM entries JOIN sessions ON key = session GROUP BY id`,
    )
    .all()
  database.close()
  expect(logs.filter(({ count, last }) => count !== last)).toEqual([])
  return new Map(logs.map(({ id, last }) => [id, last]))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
