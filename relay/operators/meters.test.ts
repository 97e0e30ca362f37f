import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createSessionKeys } from '../../shared/keys.ts'
import type { Bus, Delivered, Subscriber } from '../bus/bus.ts'
import { MeasuredBus } from '../bus/measured-bus.ts'
import { deaf, someEnvelope, startRelay } from '../testing.ts'
import { Meters } from './meters.ts'
import { watchDatabase } from './watch-database.ts'

/** Whatever is exported must be here, with the labels it may have: none of them can tell a session or a person apart. */
const known: Record<string, readonly string[]> = {
  facedown_appends_total: ['outcome'],
  facedown_catch_up_bytes: ['le'],
  facedown_catch_up_seconds: ['le'],
  facedown_commit_changes: ['le'],
  facedown_commit_seconds: ['le'],
  facedown_connections: [],
  facedown_connections_limit: [],
  facedown_database_bytes: [],
  facedown_disk_bytes: [],
  facedown_disk_free_bytes: [],
  facedown_fan_out_seconds: ['le'],
  facedown_info: ['region', 'role', 'version'],
  facedown_last_backup_timestamp_seconds: [],
  facedown_log_readings_total: ['from'],
  facedown_refusals_total: ['reason'],
  facedown_reports_total: ['event'],
  facedown_rooms: [],
  facedown_saved_seconds: ['le'],
  facedown_slow_readers: [],
  facedown_write_ahead_log_bytes: [],
}

test('what a relay exports is a closed list of names and labels', async () => {
  const meters = new Meters()
  const relay = await startRelay({ meters })
  meters.appended({ outcome: 'refused', reason: 'full' }, 1)
  meters.refused('tooFast')
  const text = await meters.text()
  await relay.stop()
  expect(labelsIn(text)).toEqual(known)
})

test('what the process exports begins with process or nodejs', async () => {
  const meters = new Meters()
  meters.watchProcess()
  const names = Object.keys(labelsIn(await meters.text())).filter((name) => !(name in known))
  expect(names).toContain('nodejs_eventloop_lag_p99_seconds')
  expect(names).toContain('process_resident_memory_bytes')
  expect(names.filter((name) => !/^(process|nodejs)_/.test(name))).toEqual([])
})

test('Prometheus has nothing to say against names and units', async () => {
  const meters = new Meters()
  const relay = await startRelay({ meters })
  const input = await meters.text()
  await relay.stop()
  const { status, error, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' })
  if (error) throw new Error('promtool is missing. Get it as root with: apt-get install -y prometheus')
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})

test('names say their unit', () => {
  for (const [name, labels] of Object.entries(known)) {
    if (labels.includes('le')) expect(name).toMatch(/_(seconds|bytes|changes)$/)
    else if (labels.length > 0) expect(name).toMatch(/_(total|info)$/)
    else expect(name).not.toMatch(/_(total|seconds_total|ms|kilobytes|kb)$/)
  }
})

test('a figure told apart by a label forgets what is there no more', async () => {
  const meters = new Meters()
  let lag: [string, number][] = [
    ['eu', 3],
    ['us', 5],
  ]
  meters.watchEach('facedown_example_entries', 'An example', 'region', () => lag)
  expect(await meters.text()).toContain('facedown_example_entries{region="us"} 5')
  lag = [['eu', 4]]
  const text = await meters.text()
  expect(text).toContain('facedown_example_entries{region="eu"} 4')
  expect(text).not.toContain('region="us"')
})

test('a change that others hear later is timed until then, and one nobody hears is not', async () => {
  const { session } = createSessionKeys()
  const fannedOut: number[] = []
  const appended: Delivered['outcome'][] = []
  const [far, say] = farBus()
  const bus = new MeasuredBus(far, {
    fannedOut: (ms) => fannedOut.push(ms),
    appended: ({ outcome }) => appended.push(outcome),
  })
  bus.subscribe(session, deaf)
  const envelope = someEnvelope()
  const first = bus.append(session, 1, envelope)
  expect(fannedOut).toEqual([])
  say.heard(1, someEnvelope()) // one that came before, and was not followed
  expect(fannedOut).toEqual([])
  say.heard(1, envelope.slice())
  expect(fannedOut).toHaveLength(1)
  say.heard(1, envelope)
  say.heard(2, envelope)
  expect(fannedOut).toHaveLength(1)
  say.concluded({ outcome: 'saved', compact: undefined })
  await first
  const unheard = bus.append(session, 1, envelope)
  say.concluded({ outcome: 'refused', reason: 'unreachable' })
  await unheard
  say.heard(1, envelope)
  expect(fannedOut).toHaveLength(1)
  expect(appended).toEqual(['saved', 'refused'])
})

/** A bus whose entries come back when the test says so. */
function farBus(): [
  Bus,
  { heard(author: number, envelope: Uint8Array): void; concluded(delivered: Delivered): void },
] {
  let subscriber: Subscriber = deaf
  let conclude: (delivered: Delivered) => void = () => {}
  const bus: Bus = {
    subscribe: (_, subscribed) => {
      subscriber = subscribed
      return () => {}
    },
    append: () => new Promise((resolve) => (conclude = resolve)),
    release: async () => ({ outcome: 'deleted' }),
    signal: () => {},
    join: () => {},
    leave: () => {},
    present: () => [],
    doubt: () => {},
    delete: async () => ({ outcome: 'deleted' }),
    settled: async () => {},
    close: () => {},
  }
  const heard = (author: number, envelope: Uint8Array) => subscriber.entry(author, undefined, envelope, 0)
  return [bus, { heard, concluded: (delivered) => conclude(delivered) }]
}

/** By metric: the names of its labels. A histogram is one metric. */
function labelsIn(text: string): Record<string, string[]> {
  const kinds = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => [name, kind]))
  const found: Record<string, Set<string>> = {}
  for (const [, series = '', labels = ''] of text.matchAll(/^(?!#)([a-z0-9_]+)(?:\{(.*)\})? /gm)) {
    const name = kinds.has(series) ? series : series.replace(/_(bucket|sum|count)$/, '')
    const set = found[name] ?? new Set()
    found[name] = set
    for (const [, label = ''] of labels.matchAll(/([a-z_]+)="/g)) set.add(label)
  }
  return Object.fromEntries(Object.entries(found).map(([name, set]) => [name, [...set].sort()]))
}

test('a data folder that was taken away is no reason to fail', async () => {
  const meters = new Meters()
  watchDatabase(meters, '/nowhere/at/all')
  expect(await meters.text()).toMatch(/^facedown_disk_free_bytes nan$/im)
  expect(await meters.text()).toContain('facedown_database_bytes 0')
  expect(await meters.figure('facedown_disk_free_bytes')).toBeNull()
})

test('the handbook explains every figure of the relay', () => {
  const handbook = readFileSync(new URL('../OPERATING.md', import.meta.url), 'utf8')
  expect(Object.keys(known).filter((name) => !new RegExp(`\`${name}[\`{]`).test(handbook))).toEqual([])
})
