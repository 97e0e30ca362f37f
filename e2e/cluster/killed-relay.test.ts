import { once } from 'node:events'
import { get } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, inject, onTestFinished, test } from 'vitest'
import { quantile } from '../bench/figures.ts'
import { Crowd } from '../faults/crowd.ts'
import { until } from '../faults/trial.ts'
import type { RelayProcess } from '../relay.ts'
import { RegionProcesses } from './region.ts'

const clients = Number(process.env.CLIENTS ?? 120)
const patience = 60_000 + clients * 30
const token = 'whoever-asks-in-this-test'

test(
  `one of three relays is killed under ${clients} connections: all of its people are back within 10 s, nobody else notices, and nothing saved is lost`,
  async () => {
    const region = await RegionProcesses.start('killed', {
      built: inject('builtRelay'),
      relays: 3,
      settings: {
        NEW_CONNECTIONS_PER_SECOND: '5000',
        MAX_CONNECTIONS_PER_ADDRESS: '20000',
        METRICS_TOKEN: token,
      },
    })
    onTestFinished(() => region.stop())
    const front = `http://127.0.0.1:${new URL(region.url).port}`
    // The balancer takes so many requests from one address in 10 s.
    const crowd = await Crowd.gather(front, clients, Math.floor(clients / 500))
    onTestFinished(() => crowd.leave())
    crowd.play(Math.max(50, clients / 20))
    await until(() => crowd.saved > 50, 'changes are saved')
    const crowded = await Promise.all(
      region.relays.map(async (relay) => ({ relay, here: await connectionsOf(relay) })),
    )
    // Where sessions go is chance, and with few of them some relay may have hardly anybody.
    const [most] = crowded.sort((a, b) => b.here - a.here)
    if (!most) throw new Error('There are relays')
    const { relay: killed, here } = most
    expect(here).toBeGreaterThanOrEqual(clients / 3)

    const before = crowd.doorbell.opened.length
    await killed.stop('SIGKILL')
    const outages = () => crowd.guests.flatMap((guest) => guest.outages)
    await until(() => outages().length >= here, 'everybody is back', patience)
    const { saved } = crowd
    await until(() => crowd.saved > saved, 'changes are saved')
    crowd.rest()
    await until(() => crowd.guests.every(({ inStep }) => inStep), 'everything is saved', patience)
    const lost = await crowd.lost()

    const opened = crowd.doorbell.opened.length - before
    const longest = Math.max(...outages())
    console.info(
      [
        `One of three relays killed under ${clients} connections, ${here} of them there:`,
        `without a connection p50 ${seconds(quantile(outages(), 0.5))} s, p95 ${seconds(quantile(outages(), 0.95))} s, at most ${seconds(longest)} s;`,
        `${opened} connections were made again;`,
        `${crowd.saved} changes were saved, ${lost.length} of them lost`,
      ].join('\n'),
    )
    expect(lost).toEqual([])
    expect(longest).toBeLessThan(10_000)
    expect(outages().length).toBeLessThan(here * 1.1 + 1)
    expect(opened).toBeLessThan(here * 1.1 + 1)
  },
  4 * patience,
)

test('one of two relays is killed: until the balancer has noticed it turns nobody away', async () => {
  const region = await RegionProcesses.start('survivor', { built: inject('builtRelay') })
  onTestFinished(() => region.stop())
  const front = `http://127.0.0.1:${new URL(region.url).port}`
  const crowd = await Crowd.gather(front, 60)
  onTestFinished(() => crowd.leave())

  // The second time everybody is at one relay, and goes to one where nobody is.
  for (const relay of region.relays) {
    await relay.stop('SIGKILL')
    const answers = Array.from({ length: 100 }, async (_, at) => {
      await wait(at * 10)
      return statusOf(`${front}/assets/${at}`)
    })
    expect((await Promise.all(answers)).filter((status) => status !== 404)).toEqual([])
    await until(() => crowd.guests.every(({ inStep }) => inStep), 'everybody is back')
    await relay.resume()
    await until(() => region.balancer.missed === 0, 'the balancer sees both')
  }
})

/** By a connection of its own: on one that was used before, a balancer leaves it to the browser to ask again. */
async function statusOf(url: string): Promise<number | undefined> {
  const [answer] = await once(get(url, { agent: false }), 'response')
  answer.resume()
  return answer.statusCode
}

async function connectionsOf(relay: RelayProcess): Promise<number> {
  const headers = { authorization: `Bearer ${token}` }
  const text = await (await fetch(`${relay.direct}metrics`, { headers })).text()
  return Number(/^facedown_connections (\d+)$/m.exec(text)?.[1])
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(2)
}
