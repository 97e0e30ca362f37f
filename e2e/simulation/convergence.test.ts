import { afterAll, beforeAll, expect, test } from 'vitest'
import * as Y from 'yjs'
import { startRelay } from '../../relay/testing.ts'
import { addRecord, addStories, markRemoved, readStories, recordsOf, titleOf } from '../../shared/document.ts'
import { createSessionKeys, keysFor } from '../../shared/keys.ts'
import { recordIdOf } from '../../shared/record.ts'
import { Device, until } from './device.ts'
import { Random } from './random.ts'

const runs = Number(process.env.RUNS ?? 200)
const only = process.env.SEED === undefined ? undefined : Number(process.env.SEED)
const atOnce = 10
const steps = 40

let relay: Awaited<ReturnType<typeof startRelay>>
beforeAll(async () => {
  relay = await startRelay()
})
afterAll(() => relay.stop())

/** What the runs did, so that they cannot pass by doing nothing. */
const done = { edits: 0, pulls: 0, disconnects: 0, reloads: 0, promised: 0 }

test(`devices that lose their connection at random hold the same in the end, and a newcomer too`, async () => {
  const seeds = only === undefined ? Array.from({ length: runs }, (_, at) => at + 1) : [only]
  for (let at = 0; at < seeds.length; at += atOnce) {
    await Promise.all(seeds.slice(at, at + atOnce).map(runOnce))
  }
  if (only !== undefined) return
  expect(done.edits).toBeGreaterThan(runs * 10)
  expect(done.pulls).toBeGreaterThan(runs)
  expect(done.disconnects).toBeGreaterThan(runs)
  expect(done.reloads).toBeGreaterThan(runs / 2)
  expect(done.promised).toBeGreaterThan(runs / 4)
}, 300_000)

async function runOnce(seed: number): Promise<void> {
  const random = new Random(seed)
  const owner = createSessionKeys()
  const keys = [owner, keysFor('member', owner), keysFor('member', owner)]
  const devices = keys.map((own) => new Device(relay.url, own))
  for (const device of devices) device.connect()
  try {
    for (let step = 0; step < steps; step++) {
      await act(random, devices, keys)
      if (random.next() < 0.5) await new Promise((resolve) => setTimeout(resolve, random.below(15)))
    }
    // One device never comes back. What it was told is saved must be there for somebody who comes later all the same.
    const lost = devices.pop() as Device
    if (random.next() < 0.7) {
      lost.connect()
      lost.link.retryNow()
      await until(
        () => lost.caughtUp,
        () => `SEED=${seed}: the device that is about to get lost never caught up`,
      )
    }
    const promised = lost.savedRecords
    lost.stop()
    if (promised.length > 0) done.promised++
    for (const device of devices) {
      device.connect()
      device.link.retryNow()
    }
    await until(
      () =>
        devices.every((device) => device.caughtUp) &&
        new Set(devices.map((device) => device.content)).size === 1,
      () =>
        `SEED=${seed}: devices differ: ${devices.map((device) => `${device.link.state.state}, ${device.link.waiting} waiting`)}`,
    )
    const content = devices[0]?.content
    for (const device of devices) device.stop()
    const newcomer = new Device(relay.url, keysFor('observer', owner))
    devices.push(newcomer)
    newcomer.connect()
    await until(
      () => newcomer.provider.synced,
      () => `SEED=${seed}: the newcomer never caught up`,
    )
    expect(newcomer.content, `SEED=${seed}: the newcomer holds something else`).toBe(content)
    const missing = promised.filter((id) => !recordsOf(newcomer.doc).has(id))
    expect(missing, `SEED=${seed}: said to be saved, and lost`).toEqual([])
  } finally {
    for (const device of devices) device.stop()
  }
}

async function act(random: Random, devices: Device[], keys: ReturnType<typeof keysFor>[]): Promise<void> {
  const place = random.below(devices.length)
  const device = devices[place] as Device
  const chance = random.next()
  if (chance < 0.5) edit(random, device)
  else if (chance < 0.65) {
    done.pulls++
    device.pull()
    device.link.retryNow()
  } else if (chance < 0.8) {
    done.disconnects++
    device.disconnect()
  } else if (chance < 0.85) {
    done.reloads++
    devices[place] = reload(device, keys[place] as ReturnType<typeof keysFor>)
  } else {
    device.connect()
    device.link.retryNow()
  }
}

function edit(random: Random, device: Device): void {
  done.edits++
  const stories = readStories(device.doc)
  const chance = random.next()
  if (stories.length === 0 || chance < 0.3) addStories(device.doc, [{ title: `story ${random.below(1000)}` }])
  else if (chance < 0.6) titleOf(device.doc, random.pick(stories).id)?.insert(0, `${random.below(100)} `)
  else if (chance < 0.7) titleOf(device.doc, random.pick(stories).id)?.delete(0, 1)
  else if (chance < 0.8) markRemoved(device.doc, random.pick(stories).id, true)
  else {
    const bytes = Uint8Array.from({ length: 150 }, () => random.below(256))
    device.ownRecords.push(recordIdOf(bytes))
    addRecord(device.doc, bytes)
  }
}

/** The page is loaded again: a new document from the kept updates, and the kept place in the log. */
function reload(device: Device, keys: ReturnType<typeof keysFor>): Device {
  const again = new Device(relay.url, keys, device.place)
  again.ownRecords.push(...device.ownRecords)
  Y.applyUpdate(again.doc, Y.encodeStateAsUpdate(device.doc))
  device.stop()
  again.connect()
  return again
}
