import { expect, inject, onTestFinished, test } from 'vitest'
import { quantile } from '../bench/figures.ts'
import { Crowd } from '../faults/crowd.ts'
import { until } from '../faults/trial.ts'
import { RegionProcesses } from './region.ts'

const clients = Number(process.env.CLIENTS ?? 100)
const patience = 60_000 + clients * 100

test(
  `while every relay and store of a region is replaced under ${clients} connections, nobody connects again more than once or waits for long, and nothing saved is lost`,
  async () => {
    const region = await RegionProcesses.start('upgraded', {
      built: inject('builtRelay'),
      spares: 2,
      settings: { NEW_CONNECTIONS_PER_SECOND: '5000', MAX_CONNECTIONS_PER_ADDRESS: '20000' },
    })
    onTestFinished(() => region.stop())
    const crowd = await Crowd.gather(region.url.slice(0, -1), clients)
    onTestFinished(() => crowd.leave())
    crowd.play(Math.max(50, clients / 10))
    await until(() => crowd.saved > 50, 'changes are saved')

    const began = performance.now()
    for (const relay of region.spares) await relay.resume()
    await Promise.all(region.relays.map((relay) => relay.stop('SIGTERM')))
    const relaysTook = performance.now() - began
    for (const store of region.stores) {
      await store.stop('SIGTERM')
      await store.resume()
    }
    const took = performance.now() - began
    const saved = crowd.saved
    await until(() => crowd.saved > saved, 'changes are saved')
    crowd.rest()
    await until(() => crowd.guests.every(({ inStep }) => inStep), 'everything is saved', patience)
    const lost = await crowd.lost()

    const outages = crowd.guests.flatMap((guest) => guest.outages)
    const often = Math.max(...crowd.guests.map((guest) => guest.outages.length))
    console.info(
      [
        `Two relays and two stores replaced under ${clients} connections in ${seconds(took)} s (the relays in ${seconds(relaysTook)} s):`,
        `${outages.length} times somebody connected again, nobody more than ${often} times;`,
        `without a connection p50 ${seconds(quantile(outages, 0.5))} s, p95 ${seconds(quantile(outages, 0.95))} s, at most ${seconds(Math.max(...outages))} s;`,
        `${crowd.saved} changes were saved, ${lost.length} of them lost`,
      ].join('\n'),
    )
    expect(lost).toEqual([])
    expect(outages).toHaveLength(clients)
    expect(often).toBe(1)
    expect(quantile(outages, 0.95)).toBeLessThan(2000)
  },
  4 * patience,
)

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(2)
}
