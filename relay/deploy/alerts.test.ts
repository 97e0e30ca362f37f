/** Every alert is silent while all is well, and fires when what it is for is provoked, by the words of `promtool test rules`. */
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { Meters } from '../operators/meters.ts'
import { startRelay, temporaryFolder } from '../testing.ts'

const rules = fileURLToPath(new URL('./alerts.yaml', import.meta.url))
const dashboard = fileURLToPath(new URL('./grafana.json', import.meta.url))
const handbook = readFileSync(new URL('../OPERATING.md', import.meta.url), 'utf8')
const folder = temporaryFolder()
const where = { instance: 'relay-1:8787', job: 'facedown' }
const only = { instance: where.instance }

/** A value a minute: from, how much is added each time, and how often. */
type Values = string
type Series = Readonly<Record<string, Values>>

/** A relay that does what it should under load. */
const healthy: Series = {
  up: '1x60',
  process_start_time_seconds: '1700000000x60',
  process_open_fds: '800x60',
  process_max_fds: '65536x60',
  facedown_connections: '700x60',
  facedown_connections_limit: '20000x60',
  'facedown_appends_total{outcome="saved"}': '0+60000x60',
  'facedown_appends_total{outcome="full"}': '0x60',
  'facedown_appends_total{outcome="unreachable"}': '0x60',
  'facedown_reports_total{event="storeStalled"}': '0x60',
  'facedown_reports_total{event="storeRestarting"}': '0x60',
  'facedown_reports_total{event="damagedRow"}': '0x60',
  'facedown_reports_total{event="damagedDatabase"}': '0x60',
  'facedown_reports_total{event="mended"}': '0x60',
  'facedown_reports_total{event="failed"}': '0x60',
  'facedown_refusals_total{reason="full"}': '0x60',
  'facedown_refusals_total{reason="address"}': '0x60',
  'facedown_refusals_total{reason="origin"}': '0+1x60',
  'facedown_refusals_total{reason="tooSlow"}': '0+1x60',
  facedown_disk_free_bytes: '20000000000x60',
  facedown_disk_bytes: '50000000000x60',
  facedown_write_ahead_log_bytes: '16777216x60',
  'facedown_saved_seconds_bucket{le="0.05"}': '0+59990x60',
  'facedown_saved_seconds_bucket{le="2.5"}': '0+60000x60',
  'facedown_saved_seconds_bucket{le="+Inf"}': '0+60000x60',
  'facedown_fan_out_seconds_bucket{le="0.001"}': '0+59990x60',
  'facedown_fan_out_seconds_bucket{le="0.5"}': '0+60000x60',
  'facedown_fan_out_seconds_bucket{le="+Inf"}': '0+60000x60',
  nodejs_eventloop_lag_p99_seconds: '0.012x60',
  facedown_silent_shards: '0x60',
  'facedown_region_heard{region="us"}': '1x60',
}

interface Dashboard {
  readonly panels: readonly {
    readonly id: number
    readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>
  }[]
}

interface Provoked {
  /** What is otherwise than on a healthy relay. */
  readonly series: Series
  /** Before this minute it is silent. */
  readonly silentAt: string
  readonly at: string
  readonly labels: Readonly<Record<string, string>>
  readonly summary: string
}

const provoked: Readonly<Record<string, Provoked>> = {
  FacedownGone: {
    series: { up: '1x9 0x50' },
    silentAt: '10m',
    at: '12m',
    labels: { ...where, severity: 'page' },
    summary: 'The relay relay-1:8787 does not answer',
  },
  FacedownRestarts: {
    series: { process_start_time_seconds: '1700000000x4 1700000300x4 1700000600x4 1700000900x40' },
    silentAt: '12m',
    at: '16m',
    labels: { ...where, severity: 'ticket' },
    summary: 'The relay relay-1:8787 has started 3 times in half an hour',
  },
  FacedownChangesNotKept: {
    series: { 'facedown_appends_total{outcome="full"}': '0x9 1+3x50' },
    silentAt: '9m',
    at: '13m',
    labels: { ...only, outcome: 'full', severity: 'page' },
    summary: 'The relay relay-1:8787 refuses changes: full',
  },
  FacedownStoreStalls: {
    series: { 'facedown_reports_total{event="storeStalled"}': '0x9 1x50' },
    silentAt: '9m',
    at: '11m',
    labels: { ...only, severity: 'page' },
    summary: 'The store of relay-1:8787 stood still for 10 s or had to start again',
  },
  FacedownStoresSilent: {
    series: { facedown_silent_shards: '0x9 32x50' },
    silentAt: '10m',
    at: '12m',
    labels: { ...where, severity: 'page' },
    summary: 'No store answers relay-1:8787 for 32 of 64 shards',
  },
  FacedownRegionCut: {
    series: { 'facedown_region_heard{region="us"}': '1x9 0x50' },
    silentAt: '14m',
    at: '16m',
    labels: { ...where, region: 'us', severity: 'page' },
    summary: 'relay-1:8787 hears nothing of the region us',
  },
  FacedownDatabaseDamaged: {
    series: { 'facedown_reports_total{event="damagedRow"}': '0x9 2x50' },
    silentAt: '9m',
    at: '11m',
    labels: { ...only, severity: 'page' },
    summary: 'The database of relay-1:8787 has been damaged',
  },
  FacedownDiskFills: {
    series: { facedown_disk_free_bytes: '5000000000x9 4294967296x50' },
    silentAt: '4m',
    at: '20m',
    labels: { ...where, severity: 'page' },
    summary: 'The disk of relay-1:8787 has 4GiB left',
  },
  FacedownFilesRunOut: {
    series: { process_open_fds: '30000x9 58982.4x50' },
    silentAt: '12m',
    at: '16m',
    labels: { ...where, severity: 'page' },
    summary: 'relay-1:8787 uses 90% of the files and sockets it may open',
  },
  FacedownNearlyFull: {
    series: { facedown_connections: '10000x9 18000x50' },
    silentAt: '12m',
    at: '16m',
    labels: { ...where, severity: 'ticket' },
    summary: 'relay-1:8787 has 90% of the connections it may have',
  },
  FacedownTurnsPeopleAway: {
    series: { 'facedown_refusals_total{reason="address"}': '0x9 0+10x50' },
    silentAt: '11m',
    at: '25m',
    labels: { ...only, reason: 'address', severity: 'ticket' },
    summary: 'relay-1:8787 turns people away: address',
  },
  FacedownReadersTooSlow: {
    series: { 'facedown_refusals_total{reason="tooSlow"}': '0x9 0+10x50' },
    silentAt: '11m',
    at: '25m',
    labels: { ...only, severity: 'ticket' },
    summary: 'relay-1:8787 keeps ending connections that cannot keep up',
  },
  FacedownSavesSlowly: {
    series: { 'facedown_saved_seconds_bucket{le="0.05"}': '0x60' },
    silentAt: '2m',
    at: '15m',
    labels: { ...only, severity: 'ticket' },
    summary: 'At relay-1:8787 one change in a hundred takes 2.475s to be saved',
  },
  FacedownFanOutSlow: {
    series: { 'facedown_fan_out_seconds_bucket{le="0.001"}': '0x60' },
    silentAt: '2m',
    at: '15m',
    labels: { ...only, severity: 'ticket' },
    summary: 'At relay-1:8787 one change in a hundred takes 495ms to be handed on',
  },
  FacedownEventLoopLags: {
    series: { nodejs_eventloop_lag_p99_seconds: '0.012x9 0.5x50' },
    silentAt: '12m',
    at: '16m',
    labels: { ...where, severity: 'ticket' },
    summary: 'At relay-1:8787 everything waits up to 500ms for its turn',
  },
  FacedownWriteAheadLogGrows: {
    series: { facedown_write_ahead_log_bytes: '16777216x9 1073741824x50' },
    silentAt: '15m',
    at: '25m',
    labels: { ...where, severity: 'ticket' },
    summary: 'The write-ahead log of relay-1:8787 has 1GiB and does not shrink',
  },
  FacedownFailed: {
    series: { 'facedown_reports_total{event="failed"}': '0x9 1x50' },
    silentAt: '9m',
    at: '11m',
    labels: { ...only, severity: 'ticket' },
    summary: 'The relay relay-1:8787 met an error that it does not know',
  },
}

afterAll(() => rmSync(folder, { recursive: true }))

test('the rules are rules', () => {
  expect(promtool('check', 'rules', rules)).toContain(`SUCCESS: ${alerts().length} rules found`)
})

test('every alert has a test, and a section of the handbook that its link leads to', () => {
  expect(alerts().sort()).toEqual(Object.keys(provoked).sort())
  for (const name of alerts()) {
    const section = new RegExp(`\n### ${name}\n([\\s\\S]*?)(?=\n##|$)`).exec(handbook)?.[1] ?? ''
    for (const part of ['**Means.**', '**Look at.**', '**Do.**']) expect(section, name).toContain(part)
    expect(readFileSync(rules, 'utf8')).toContain(`runbook_url: relay/OPERATING.md#${name.toLowerCase()}\n`)
  }
})

test('every alert is silent on a healthy relay, before, and fires once it is provoked', () => {
  const quiet = {
    input_series: seriesOf(healthy),
    alert_rule_test: alerts().flatMap((alertname) =>
      ['1m', '10m', '30m', '59m'].map((eval_time) => ({ eval_time, alertname, exp_alerts: [] })),
    ),
  }
  const loud = Object.entries(provoked).map(([alertname, { series, silentAt, at, labels, summary }]) => ({
    input_series: seriesOf({ ...healthy, ...series }),
    alert_rule_test: [
      { eval_time: silentAt, alertname, exp_alerts: [] },
      {
        eval_time: at,
        alertname,
        exp_alerts: [{ exp_labels: labels, exp_annotations: annotations(alertname, summary) }],
      },
    ],
  }))
  const tests = [quiet, ...loud].map((one) => ({ interval: '1m', ...one }))
  expect(promtool('test', 'rules', written('tests.yaml', { rule_files: [rules], tests }))).toContain(
    'SUCCESS',
  )
})

test('what does not fire is noticed', () => {
  const tests = [
    {
      interval: '1m',
      input_series: seriesOf(healthy),
      alert_rule_test: [{ eval_time: '30m', alertname: 'FacedownGone', exp_alerts: [{ exp_labels: where }] }],
    },
  ]
  const file = written('wrong.yaml', { rule_files: [rules], tests })
  expect(spawnSync('promtool', ['test', 'rules', file]).status).toBe(1)
})

test('alerts and dashboard ask for nothing that no relay exports', async () => {
  const known = await exportedNames()
  const asked = [...expressionsOf(rules), ...expressionsOf(dashboard)].flatMap((expression) =>
    [...expression.matchAll(/\b(?:facedown|nodejs|process)_\w+/g)].map(([name]) => name),
  )
  expect(asked.length).toBeGreaterThan(30)
  // Only Linux counts open files.
  const elsewhere = process.platform === 'linux' ? [] : ['process_open_fds', 'process_max_fds']
  // Only those of a region have these, see `services.test.ts`.
  const ofRegions = ['facedown_silent_shards', 'facedown_stream_lag_messages', 'facedown_region_heard']
  const unknown = asked.filter((name) => !known.has(name) && ![...elsewhere, ...ofRegions].includes(name))
  expect(unknown).toEqual([])
})

test('every figure of the relay is somewhere on the dashboard', async () => {
  const text = expressionsOf(dashboard).join('\n')
  const own = [...(await exportedNames())]
    .map((name) => name.replace(/_(bucket|sum|count)$/, ''))
    .filter((name) => /^facedown/.test(name))
  expect(own.filter((name) => !text.includes(name))).toEqual([])
})

test('no two panels of the dashboard share a place or a number', () => {
  const { panels }: Dashboard = JSON.parse(readFileSync(dashboard, 'utf8'))
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
  )
  expect(new Set(cells).size).toBe(cells.length)
  expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBeLessThanOrEqual(24)
})

test('what the dashboard asks is understood by Prometheus', () => {
  const expressions = expressionsOf(dashboard).map((expr) =>
    expr.replaceAll('$__rate_interval', '5m').replaceAll('$__range', '1h'),
  )
  const rulesOf = expressions.map((expr, at) => ({ record: `panel:${at}`, expr }))
  const file = written('dashboard.yaml', { groups: [{ name: 'dashboard', rules: rulesOf }] })
  expect(promtool('check', 'rules', file)).toContain(`SUCCESS: ${expressions.length} rules found`)
})

async function exportedNames(): Promise<Set<string>> {
  const meters = new Meters()
  meters.watchProcess()
  const relay = await startRelay({ meters })
  const text = await meters.text()
  await relay.stop()
  const kinds = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)]
  return new Set(
    kinds.flatMap(([, name = '', kind]) =>
      kind === 'histogram' ? ['bucket', 'sum', 'count'].map((part) => `${name}_${part}`) : [name],
    ),
  )
}

function alerts(): string[] {
  return [...readFileSync(rules, 'utf8').matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name)
}

function expressionsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  if (file === rules) return [...text.matchAll(/ expr: (.*)/g)].map(([, expression = '']) => expression)
  return [...text.matchAll(/"expr": (".*")/g)].map(([, expression = '""']) => JSON.parse(expression))
}

function annotations(alert: string, summary: string) {
  return { summary, runbook_url: `relay/OPERATING.md#${alert.toLowerCase()}` }
}

function seriesOf(series: Series) {
  const labels = Object.entries(where).map(([name, value]) => `${name}="${value}"`)
  return Object.entries(series).map(([name, values]) => ({
    series: name.includes('{') ? name.replace('}', `,${labels}}`) : `${name}{${labels}}`,
    values,
  }))
}

/** JSON is YAML. */
function written(name: string, content: object): string {
  const file = join(folder, name)
  writeFileSync(file, JSON.stringify(content))
  return file
}

function promtool(...words: string[]): string {
  const { status, stdout, stderr, error } = spawnSync('promtool', words, { encoding: 'utf8' })
  if (error) throw new Error('promtool is missing. Get it as root with: apt-get install -y prometheus')
  expect(status, `${stdout}${stderr}`).toBe(0)
  return stdout
}
