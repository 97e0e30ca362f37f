/** A real Prometheus, with the rules that operators load, looks at relays to which things really happen. */
import { expect, onTestFinished, test } from 'vitest'
import { newFolder } from '../../relay/fixtures.testing.ts'
import { alertNames, Prometheus } from './prometheus.ts'
import { cannotBeProvokedHere, fires, provocations } from './provocations.ts'

test('every alert fires when what it is for really happens', async () => {
  const prometheus = await Prometheus.start(newFolder())
  onTestFinished(() => prometheus.stop())
  const began = performance.now()
  const took: string[] = []
  const fired = async (alert: string, relay: string) => {
    await fires(prometheus, `${alert} ${relay}`)
    took.push(`${alert} (${relay}) after ${Math.round((performance.now() - began) / 1000)} s`)
  }
  await Promise.all(
    provocations.flatMap((provocation) => [
      provocation.provoke(prometheus),
      ...provocation.alerts.map((alert) => fired(alert, provocation.relay)),
    ]),
  )
  console.info(took.join('\n'))
  const provokedNames = new Set(provocations.flatMap(({ alerts }) => alerts))
  expect([...provokedNames, ...cannotBeProvokedHere].sort()).toEqual(alertNames().sort())
}, 240_000)
