import { expect, onTestFinished, test } from 'vitest'
import { Crowd } from './crowd.ts'
import { Trial, until } from './trial.ts'

const stoppedFor = Number(process.env.STOPPED ?? 12)
/** What a client needs to notice that nothing comes any more. */
const noticedAfter = 37

test(`a relay that stands still for ${stoppedFor} s loses nothing that was saved`, {
  timeout: 200_000,
}, async () => {
  const trial = await Trial.start()
  onTestFinished(() => trial.signal('SIGCONT'))
  const crowd = await Crowd.gather(trial.url, 12)
  onTestFinished(() => crowd.leave())
  crowd.play(50)
  await until(() => crowd.saved > 50, 'changes are saved')
  trial.signal('SIGSTOP')
  await new Promise((resolve) => setTimeout(resolve, 500)) // what was on its way
  const saved = crowd.saved
  await new Promise((resolve) => setTimeout(resolve, stoppedFor * 1000))
  expect(crowd.saved).toBe(saved)
  if (stoppedFor >= noticedAfter) {
    expect(crowd.guests.map(({ link }) => link.state.state)).toEqual(crowd.guests.map(() => 'offline'))
  }
  trial.signal('SIGCONT')
  const goesOn = performance.now()
  await until(() => crowd.saved > saved, 'changes are saved again')
  crowd.rest()
  await until(() => crowd.guests.every(({ inStep }) => inStep), 'everybody is in step', 60_000)
  console.info(`in step ${((performance.now() - goesOn) / 1000).toFixed(1)} s after it went on`)
  if (stoppedFor < noticedAfter) expect(performance.now() - goesOn).toBeLessThan(10_000)
  expect(await crowd.lost()).toEqual([])
  expect(crowd.saved).toBeGreaterThan(saved + stoppedFor * 10)
})
