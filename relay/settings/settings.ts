import { natsAddresses, regionAddresses, regionForm, shardNumbers } from './region-settings.ts'
import {
  choice,
  flag,
  matching,
  numberOrNone,
  origins,
  type Setting,
  text,
  textOrNone,
  wholeNumber,
} from './setting.ts'
import { addressOrNone, headersOrNone, share } from './trace-settings.ts'

/**
 * Everything an operator can set, in the order it is shown. A setting is one entry here and nothing else: its name in the
 * code, `Config`, `--help`, the handbook and what is refused at the start all come from it.
 */
export const settings = {
  host: text('HOST', {
    otherwise: 'localhost',
    bounds: 'an address of this computer',
    meaning: 'Address to listen on; `0.0.0.0` for every network of the machine',
  }),
  port: wholeNumber('PORT', { otherwise: 8787, least: 1, most: 65_535, meaning: 'Port to listen on' }),
  dataDir: text('DATA_DIR', {
    otherwise: './data',
    bounds: 'a folder on a local disk',
    meaning: 'Folder of the database, for one process alone',
  }),
  region: matching('REGION', {
    otherwise: 'local',
    form: regionForm,
    bounds: '1 to 16 of the characters a-z, 0-9 and -, beginning with a letter or digit',
    meaning: 'Name of this place, part of the cursors of its log',
  }),
  natsUrl: natsAddresses('NATS_URL', {
    meaning: "Addresses of the region's NATS; then this process is one of many",
  }),
  role: choice('ROLE', {
    words: ['both', 'relay', 'store'],
    meaning: 'With `NATS_URL`: `relay` serves people, `store` keeps logs, `both` does both',
  }),
  regions: regionAddresses('REGIONS', {
    meaning: 'Every region and its address, this one too; the JetStream domain of each has its name',
  }),
  shards: shardNumbers('SHARDS', {
    meaning: 'With `NATS_URL`: the shards of all sessions that this store keeps',
  }),
  beginEmpty: flag('BEGIN_EMPTY', {
    meaning: 'With `NATS_URL`: this store may begin without older sessions that no store has any more',
  }),
  origins: origins('ORIGINS', {
    otherwise: 'same host, or those of REGIONS',
    meaning: 'Origins of the pages that may connect',
  }),
  trustProxy: flag('TRUST_PROXY', {
    meaning: 'Behind a proxy of your own: clients are then told apart by `X-Forwarded-For`',
  }),
  sessionMaxBytes: wholeNumber('SESSION_MAX_BYTES', {
    unit: 'bytes',
    otherwise: 16 << 20,
    least: 1 << 20,
    most: 2 ** 40,
    meaning: 'What the log of one session may take',
  }),
  sessionIdleDays: wholeNumber('SESSION_IDLE_DAYS', {
    unit: 'days',
    otherwise: 90,
    least: 1,
    most: 36_500,
    meaning: 'Sessions nobody used for so long are deleted',
  }),
  diskReserve: wholeNumber('DISK_RESERVE', {
    unit: 'bytes',
    otherwise: 64 << 20,
    least: 0,
    most: 1e14,
    meaning:
      'With less than that left on the disk of `DATA_DIR` nothing new is kept; what is there can be read and deleted',
  }),
  maxConnections: wholeNumber('MAX_CONNECTIONS', {
    unit: 'connections',
    otherwise: 20_000,
    least: 1,
    most: 1_000_000,
    meaning: 'What one relay serves; more are refused with words',
  }),
  maxConnectionsPerAddress: wholeNumber('MAX_CONNECTIONS_PER_ADDRESS', {
    unit: 'connections',
    otherwise: 2000,
    least: 1,
    most: 1_000_000,
    meaning: 'What one network address may have open, and a whole office can be one',
  }),
  newConnectionsPerSecond: wholeNumber('NEW_CONNECTIONS_PER_SECOND', {
    unit: 'per second',
    otherwise: 50,
    least: 1,
    most: 1_000_000,
    meaning: 'What one network address may open on average; ten times that at once',
  }),
  metricsPort: numberOrNone('METRICS_PORT', {
    least: 1,
    most: 65_535,
    meaning: 'Port of its own for `/metrics` and `/status`, which `PORT` then does not answer',
  }),
  metricsHost: text('METRICS_HOST', {
    otherwise: 'localhost',
    bounds: 'an address of this computer',
    meaning: 'Address that `METRICS_PORT` listens on',
  }),
  metricsToken: textOrNone('METRICS_TOKEN', {
    form: /^[\x21-\x7e]{16,256}$/,
    bounds: '16 to 256 letters, digits and signs, without spaces',
    meaning:
      'What whoever asks for `/metrics` or `/status` has to know; without it only this computer may ask, or whoever reaches `METRICS_PORT`',
  }),
  otlpEndpoint: addressOrNone('OTEL_EXPORTER_OTLP_ENDPOINT', {
    meaning: 'Collector of OpenTelemetry that is sent traces, as JSON over HTTP, to `/v1/traces` below it',
  }),
  otlpHeaders: headersOrNone('OTEL_EXPORTER_OTLP_HEADERS', {
    meaning: 'Headers for the collector, such as what it knows this relay by',
  }),
  serviceName: text('OTEL_SERVICE_NAME', {
    otherwise: 'facedown',
    bounds: 'a name',
    meaning: 'What this process is called in traces',
  }),
  sampler: choice('OTEL_TRACES_SAMPLER', {
    words: [
      'parentbased_always_on',
      'parentbased_traceidratio',
      'parentbased_always_off',
      'always_on',
      'traceidratio',
      'always_off',
    ],
    meaning: 'Which changes are traced: all, a share of them, none. Stores go by what the relay decided',
  }),
  samplerShare: share('OTEL_TRACES_SAMPLER_ARG', {
    meaning: 'Which share of the changes, with a sampler that ends in `traceidratio`',
  }),
  traceClients: flag('TRACE_CLIENTS', {
    meaning:
      'Goes on with traces that command-line clients begin, with a sampler that begins with `parentbased`',
  }),
  spansEveryMs: wholeNumber('OTEL_BSP_SCHEDULE_DELAY', {
    unit: 'milliseconds',
    otherwise: 5000,
    least: 10,
    most: 600_000,
    meaning: 'How often traces are sent',
  }),
} satisfies Record<string, Setting<unknown>>

export type SettingValues = {
  readonly [Key in keyof typeof settings]: ReturnType<(typeof settings)[Key]['read']>
}
