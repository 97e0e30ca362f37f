import { expect, test } from 'vitest'
import { readConfig } from './config.ts'

test('without any setting the relay is at http://localhost:8787 and keeps its data beside it', () => {
  expect(readConfig({})).toMatchObject({
    host: 'localhost',
    port: 8787,
    dataDir: './data',
    region: 'local',
    origins: undefined,
    trustProxy: false,
    sessionMaxBytes: 16_777_216,
    sessionIdleDays: 90,
  })
})

test('an empty setting is none', () => {
  expect(readConfig({ PORT: '', ORIGINS: '' })).toMatchObject({ port: 8787, origins: undefined })
})

test('origins are exact', () => {
  expect(readConfig({ ORIGINS: 'https://poker.example, http://localhost:5173' }).origins).toEqual([
    'https://poker.example',
    'http://localhost:5173',
  ])
})

test('regions have addresses, which end with a slash as those of folders do', () => {
  const REGIONS = 'east=https://east.example.org/poker, west=http://localhost:8788'
  expect(readConfig({ REGION: 'west', REGIONS }).regions).toEqual([
    { name: 'east', url: 'https://east.example.org/poker/' },
    { name: 'west', url: 'http://localhost:8788/' },
  ])
})

test('a store keeps all shards unless it is told which', () => {
  expect(readConfig({}).shards.size).toBe(64)
  const NATS_URL = '127.0.0.1:4222'
  expect([...readConfig({ NATS_URL, SHARDS: '0-2, 40' }).shards]).toEqual([0, 1, 2, 40])
})

test.each([
  [
    { REGIONS: 'east' },
    'REGIONS must list regions like east=https://east.example.org, separated by commas, but it has "east"',
  ],
  [{ REGION: 'west', REGIONS: 'east=https://east.example' }, 'REGIONS must list this region, west, too'],
  [{ SHARDS: '60-64' }, 'SHARDS must list numbers from 0 to 63, such as 0-31 or 0-7,40, but it has "60-64"'],
  [{ PORT: '80a' }, 'PORT must be a whole number from 1 to 65535, but it is "80a"'],
  [{ PORT: '0' }, 'PORT must be a whole number from 1 to 65535, but it is "0"'],
  [{ PORT: '8787.5' }, 'PORT must be a whole number from 1 to 65535, but it is "8787.5"'],
  [
    { REGION: 'EU West' },
    'REGION must be 1 to 16 of the characters a-z, 0-9 and -, beginning with a letter or digit, but it is "EU West"',
  ],
  [
    { ORIGINS: 'https://poker.example/' },
    'ORIGINS must list addresses like https://poker.example.org, separated by commas, but it has "https://poker.example/"',
  ],
  [
    { ORIGINS: '*' },
    'ORIGINS must list addresses like https://poker.example.org, separated by commas, but it has "*"',
  ],
  [{ ROLE: 'leader' }, 'ROLE must be both, relay or store, but it is "leader"'],
  [{ ROLE: 'store' }, "ROLE store needs NATS_URL, the address of the region's NATS, such as 127.0.0.1:4222"],
  [
    { SHARDS: '0-31' },
    "SHARDS needs NATS_URL, the address of the region's NATS: a process alone keeps all sessions",
  ],
  [
    { BEGIN_EMPTY: '1' },
    "BEGIN_EMPTY needs NATS_URL, the address of the region's NATS: a process alone asks no other store for sessions",
  ],
  [{ TRUST_PROXY: 'yes' }, 'TRUST_PROXY must be 1 (yes) or 0 (no), but it is "yes"'],
  [{ METRICS_PORT: '8787' }, 'METRICS_PORT must be another port than PORT, but both are 8787'],
  [{ METRICS_HOST: '0.0.0.0' }, 'METRICS_HOST needs METRICS_PORT, the port to listen on there'],
  [{ METRICS_TOKEN: 'short' }, 'METRICS_TOKEN must be 16 to 256 letters, digits and signs, without spaces'],
  [{ SESSION_IDLE_DAYS: '-1' }, 'SESSION_IDLE_DAYS must be a whole number from 1 to 36500, but it is "-1"'],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318' },
    'OTEL_EXPORTER_OTLP_ENDPOINT must be an address like http://localhost:4318, but it is "localhost:4318"',
  ],
  [
    { OTEL_TRACES_SAMPLER_ARG: '1.5' },
    'OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, but it is "1.5"',
  ],
  [{ OTEL_TRACES_SAMPLER: 'jaeger_remote' }, 'but it is "jaeger_remote"'],
])('%j stops the start', (environment, sentence) => {
  expect(() => readConfig(environment)).toThrow(sentence)
})

test.each([
  [{ PROT: '80' }, 'PROT is no setting of the relay. Write PORT, or take PROT away'],
  [{ port: '80' }, 'port is no setting of the relay. Write PORT, or take port away'],
  [{ DATADIR: '/x' }, 'DATADIR is no setting of the relay. Write DATA_DIR, or take DATADIR away'],
  [{ 'data-dir': '/x' }, 'data-dir is no setting of the relay. Write DATA_DIR, or take data-dir away'],
  [{ ORIGIN: 'https://poker.example' }, 'Write ORIGINS, or take ORIGIN away'],
  [{ TRUSTED_PROXY: '1', TRUST_PROXY: '0' }, 'Write TRUST_PROXY, or take TRUSTED_PROXY away'],
  [{ MAX_CONECTIONS: '5' }, 'Write MAX_CONNECTIONS, or take MAX_CONECTIONS away'],
  [{ SESSION_MAX_BYTE: '5' }, 'Write SESSION_MAX_BYTES, or take SESSION_MAX_BYTE away'],
  [{ OTEL_EXPORTER_OLTP_ENDPOINT: 'http://x' }, 'Write OTEL_EXPORTER_OTLP_ENDPOINT, or take'],
])('%j is nearly a setting and stops the start', (environment, sentence) => {
  expect(() => readConfig(environment)).toThrow(sentence)
})

test('what others have in their environment is none of ours', () => {
  const names =
    'HOME HOSTNAME HOSTTYPE MODE PATH PWD MAIL LOGNAME SHELL TERM TMPDIR LANG LC_ALL XDG_DATA_DIRS XDG_DATA_HOME AWS_REGION REGION_NAME HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy NODE_ENV NODE_OPTIONS KUBERNETES_PORT KUBERNETES_SERVICE_HOST NATS_PORT NATS_SERVICE_HOST NATS_PORT_4222_TCP FACEDOWN_PORT FACEDOWN_SERVICE_HOST FACEDOWN_SERVICE_PORT SSH_CONNECTION npm_config_user_agent INVOCATION_ID JOURNAL_STREAM OTEL_EXPORTER_OTLP_TIMEOUT OTEL_EXPORTER_OTLP_PROTOCOL OTEL_EXPORTER_OTLP_TRACES_ENDPOINT OTEL_METRICS_EXPORTER OTEL_RESOURCE_ATTRIBUTES META_DIR DATA_DSN MAPS_URL'
  const environment = Object.fromEntries(names.split(' ').map((name) => [name, 'x']))
  expect(readConfig(environment)).toEqual(readConfig({}))
})

test('a misspelt setting that says nothing is nothing, and so is one that Windows repeats', () => {
  expect(readConfig({ PROT: '', Port: '80', PORT: '80' }).port).toBe(80)
})

test.each([
  'nats',
  '127.0.0.1:4222',
  'one:4222, two:4223',
  'nats://one.example:4222/',
  'tls://relay:s3cret@one',
  'relay:a/b:c@one:4222',
  '::1',
  '[::1]:4222',
])('NATS_URL may be %s', (NATS_URL) => {
  expect(readConfig({ NATS_URL }).natsUrl).toBe(NATS_URL)
})

test.each([
  'nats//east',
  'nats:/east',
  'http://127.0.0.1:4222',
  'ws://one:4222',
  '127.0.0.1:422x',
  '127.0.0.1:99999',
  '127.0.0.1:0',
  '127.0.0.1:',
  'one:4222/path',
  ':4222',
  'a b',
  '[::g]:4222',
  '',
])('NATS_URL with the address "%s" stops the start', (wrong) => {
  const sentence = `NATS_URL must list addresses such as 127.0.0.1:4222 or user:password@10.0.0.1:4222, separated by commas, but it has "${wrong}"`
  expect(() => readConfig({ NATS_URL: `one:4222, ${wrong}` })).toThrow(sentence)
})

test.each(['relay:s3cret@one:422x', 'relay:se,cr3t@one', 'relay:s3cret@'])(
  'a password in a NATS_URL that does not fit is not repeated',
  (NATS_URL) => {
    expect(() => readConfig({ NATS_URL })).toThrow(/^NATS_URL must list .*separated by commas$/)
  },
)

test('a token that does not fit is not repeated', () => {
  expect(() => readConfig({ METRICS_TOKEN: 'a secret with spaces' })).toThrow(/without spaces$/)
})

test('headers for the collector are read as OpenTelemetry writes them, and what does not fit is not repeated', () => {
  const OTEL_EXPORTER_OTLP_HEADERS = 'authorization=Bearer%20abc=, x-team = blue'
  expect(readConfig({ OTEL_EXPORTER_OTLP_HEADERS }).otlpHeaders).toEqual({
    authorization: 'Bearer abc=',
    'x-team': 'blue',
  })
  for (const wrong of ['secret', 'a=%', '=b', 'a=b%0Ac']) {
    expect(() => readConfig({ OTEL_EXPORTER_OTLP_HEADERS: wrong })).toThrow(
      /^OTEL_EXPORTER_OTLP_HEADERS must list headers like authorization=Bearer%20abc, separated by commas$/,
    )
  }
})
