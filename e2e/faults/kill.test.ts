import { expect, onTestFinished, test } from 'vitest'
import { quantile } from '../bench/figures.ts'
import { Crowd, perTenth } from './crowd.ts'
import { Trial, until } from './trial.ts'

const clients = Number(process.env.CLIENTS ?? 200)

test.each(['SIGKILL', 'SIGTERM'] as const)(
  `after ${clients} connections end with %s everybody is soon back, not all at once, and nothing saved is lost`,
  async (signal) => {
    const trial = await Trial.start({
      NEW_CONNECTIONS_PER_SECOND: '1000',
      MAX_CONNECTIONS_PER_ADDRESS: String(2 * clients),
    })
    const crowd = await Crowd.gather(trial.url, clients)
    onTestFinished(() => crowd.leave())
    crowd.play(Math.max(50, clients / 10))
    await until(() => crowd.saved > 50, 'changes are saved')

    const before = crowd.doorbell.opened.length
    const killed = performance.now()
    await trial.end(signal)
    const saved = crowd.saved
    await trial.resume()
    const listens = performance.now()
    const { byClock, alone: back } = await crowd.returned(60_000)
    const opened = crowd.doorbell.opened.slice(before)
    const tenths = perTenth(opened)
    await until(() => crowd.saved > saved, 'changes are saved again')
    crowd.rest()
    await until(() => crowd.guests.every(({ inStep }) => inStep), 'everything is saved')
    const lost = await crowd.lost()

    console.info(
      [
        `${signal} under ${clients}: it listened again after ${seconds(listens - killed)} s;`,
        `from then on 95 % were back in ${seconds(quantile(back, 0.95))} s, all in ${seconds(Math.max(...back))} s;`,
        `by the clock, while one process was all of them: ${seconds(quantile(byClock, 0.95))} and ${seconds(Math.max(...byClock))} s;`,
        `${crowd.saved} changes were saved, ${lost.length} of them lost;`,
        `connections per 100 ms: ${tenths.join(' ')}`,
      ].join('\n'),
    )
    expect(lost).toEqual([])
    // Who has tried in vain for a while waits for as long again.
    const outage = listens - killed
    expect(quantile(back, 0.95)).toBeLessThan(Math.max(3000, 2.2 * outage))
    expect(Math.max(...back)).toBeLessThan(Math.max(10_000, 4.5 * outage))
    expect(opened.length).toBeLessThan(clients * 1.1)
    expect(Math.max(...tenths)).toBeLessThan(clients * 0.35)
  },
  300_000,
)

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(1)
}
