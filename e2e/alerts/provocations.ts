import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { inject, onTestFinished } from 'vitest'
import { startNats } from '../../relay/cluster/nats.testing.ts'
import { BareClient } from '../../relay/connections/bare-client.testing.ts'
import { newFolder } from '../../relay/fixtures.testing.ts'
import { freePort } from '../../relay/free-port.testing.ts'
import { random, someEnvelope } from '../../relay/testing.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { mayMount } from '../faults/small-disk.ts'
import { slowDisk, Trial, until } from '../faults/trial.ts'
import { TcpProxy } from '../tcp-proxy.ts'
import type { Prometheus } from './prometheus.ts'

/** A relay to which something really happens, and the alerts that have to say so. */
export interface Provocation {
  readonly relay: string
  readonly alerts: readonly string[]
  provoke(prometheus: Prometheus): Promise<void>
}

export const provocations: readonly Provocation[] = [
  {
    relay: 'crowded',
    alerts: ['FacedownNearlyFull', 'FacedownTurnsPeopleAway', 'FacedownFilesRunOut'],
    async provoke(prometheus) {
      const url = await relayWithFewFiles()
      prometheus.watch('crowded', url)
      await scraped(prometheus, 'crowded') // what was counted before is no increase
      for (let wrong = 0; wrong < 25; wrong++) {
        const client = new BareClient(url, createSessionKeys(), { origin: 'http://elsewhere.example' })
        await client.closed
      }
      for (let seat = 0; seat < 26; seat++) await BareClient.join(url, createSessionKeys())
    },
  },
  {
    relay: 'slow',
    alerts: ['FacedownSavesSlowly', 'FacedownStoreStalls', 'FacedownChangesNotKept'],
    async provoke(prometheus) {
      const disk = slowDisk()
      const trial = await Trial.start(disk.environment)
      prometheus.watch('slow', trial.url)
      disk.takes(1500)
      const alice = await BareClient.join(trial.url, createSessionKeys())
      repeat(200, () => void alice.append(someEnvelope()))
      await fires(prometheus, 'FacedownSavesSlowly slow')
      disk.takes(1e9)
    },
  },
  {
    relay: 'busy',
    alerts: ['FacedownReadersTooSlow', 'FacedownWriteAheadLogGrows', 'FacedownEventLoopLags'],
    async provoke(prometheus) {
      const trial = await Trial.start({ SESSION_MAX_BYTES: '1000000000', NEW_CONNECTIONS_PER_SECOND: '1000' })
      prometheus.watch('busy', trial.url)
      await scraped(prometheus, 'busy')
      await slowReaders(trial.url)
      await longLog(trial)
      // It gets the processor for only half of the time, as on a machine that is given to others, too.
      const pause = () => trial.signal('SIGSTOP')
      repeat(900, () => {
        pause()
        setTimeout(() => trial.signal('SIGCONT'), 450)
      })
    },
  },
  {
    relay: 'broken',
    alerts: ['FacedownRestarts', 'FacedownDatabaseDamaged', 'FacedownFailed', 'FacedownGone'],
    async provoke(prometheus) {
      const BROKEN_THREAD = join(newFolder(), 'now')
      const NODE_OPTIONS = `--require ${join(import.meta.dirname, 'broken-thread.cjs')}`
      const trial = await Trial.start({ BROKEN_THREAD, NODE_OPTIONS })
      prometheus.watch('broken', trial.url)
      const keys = createSessionKeys()
      const alice = await BareClient.join(trial.url, keys)
      for (let entry = 0; entry < 5; entry++) await alice.save(someEnvelope())
      // Until it is said: on a slow machine few restarts fit into the time that the rule looks back.
      for (const end = performance.now() + 90_000; performance.now() < end; ) {
        await scraped(prometheus, 'broken')
        await trial.end('SIGTERM')
        await trial.resume()
        if ((await prometheus.firing()).has('FacedownRestarts broken')) break
      }
      await trial.end('SIGTERM')
      damage(trial.file)
      await trial.resume()
      await BareClient.join(trial.url, keys)
      writeFileSync(BROKEN_THREAD, '')
      for (const alert of ['FacedownDatabaseDamaged', 'FacedownFailed'])
        await fires(prometheus, `${alert} broken`)
      await trial.end('SIGKILL')
    },
  },
  {
    relay: 'far',
    alerts: ['FacedownFanOutSlow'],
    async provoke(prometheus) {
      const nats = await startNats()
      const line = await TcpProxy.start(Number(nats.url.split(':')[1]))
      onTestFinished(async () => {
        await line.stop()
        await nats.stop()
      })
      const trial = await Trial.start({ NATS_URL: new URL(line.url).host, REGION: 'far' })
      prometheus.watch('far', trial.url)
      const keys = createSessionKeys()
      const alice = await BareClient.join(trial.url, keys)
      await BareClient.join(trial.url, keys)
      line.weather.latency = 150
      repeat(200, () => void alice.append(someEnvelope()))
    },
  },
  {
    relay: 'alone',
    alerts: ['FacedownStoresSilent', 'FacedownRegionCut'],
    async provoke(prometheus) {
      const nats = await startNats()
      onTestFinished(() => nats.stop())
      const METRICS_PORT = String(await freePort())
      const trial = await Trial.start({
        NATS_URL: nats.url,
        REGION: 'near',
        REGIONS: 'near=http://near.example/,cut=http://cut.example/',
        ROLE: 'relay',
        METRICS_HOST: '127.0.0.1',
        METRICS_PORT,
      })
      prometheus.watch('alone', `http://127.0.0.1:${METRICS_PORT}`)
      // The relay asks for their log again and again, in vain.
      new BareClient(trial.url, createSessionKeys(), { origin: 'http://near.example' })
    },
  },
  ...(mayMount ? [smallDisk()] : []),
]

/** Only root may mount a small disk. */
export const cannotBeProvokedHere = mayMount ? [] : ['FacedownDiskFills']

function smallDisk(): Provocation {
  return {
    relay: 'small',
    alerts: ['FacedownDiskFills', 'FacedownChangesNotKept'],
    async provoke(prometheus) {
      const folder = newFolder()
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder])
      onTestFinished(() => void execFileSync('umount', ['-l', folder]))
      const trial = await Trial.start({ DISK_RESERVE: '0' }, folder)
      prometheus.watch('small', trial.url)
      const alice = await BareClient.join(trial.url, createSessionKeys())
      // Their own changes fill it.
      repeat(20, () => void alice.append(someEnvelope(60_000)))
    },
  }
}

export async function fires(prometheus: Prometheus, alert: string): Promise<void> {
  for (const end = performance.now() + 90_000; ; ) {
    if ((await prometheus.firing()).has(alert)) return
    if (performance.now() > end) throw new Error(`Not within 90 s: ${alert}`)
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

async function scraped(prometheus: Prometheus, relay: string): Promise<void> {
  const before = await prometheus.samples(relay)
  while ((await prometheus.samples(relay)) <= before) await new Promise((resolve) => setTimeout(resolve, 200))
}

/** Until the test ends. */
function repeat(milliseconds: number, work: () => void): void {
  const timer = setInterval(work, milliseconds)
  onTestFinished(() => clearInterval(timer))
}

async function relayWithFewFiles(): Promise<string> {
  const PORT = String(await freePort())
  const words = ['-c', 'ulimit -n 64 && exec "$0" "$1"', process.execPath, inject('builtRelay')]
  const env = {
    PATH: process.env.PATH,
    PORT,
    HOST: '127.0.0.1',
    DATA_DIR: newFolder(),
    MAX_CONNECTIONS: '30',
  }
  const relay = spawn('sh', words, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void relay.kill('SIGKILL'))
  await once(relay.stdout, 'data') // it listens
  return `http://127.0.0.1:${PORT}`
}

/** People who do not read what one of them sends. */
async function slowReaders(url: string): Promise<void> {
  const keys = createSessionKeys()
  const readers = await Promise.all(Array.from({ length: 24 }, () => BareClient.join(url, keys)))
  for (const { socket } of readers) socket.pause()
  const alice = await BareClient.join(url, keys)
  const ended = () => alice.frames.filter(({ type }) => type === 'left').length
  for (let sent = 0; ended() < readers.length && sent < 2000; sent++) {
    alice.send({ type: 'signal', to: 0, envelope: random(65_000) })
    await new Promise((resolve) => setTimeout(resolve, 8))
  }
  await until(() => ended() === readers.length, 'all slow readers are ended')
  await alice.leave()
}

/** Somebody reads the database and does not stop, while 270 MB are written. */
async function longLog(trial: Trial): Promise<void> {
  const database = new Sqlite(trial.file, { readonly: true })
  onTestFinished(() => void database.close())
  database.exec('BEGIN')
  database.prepare('SELECT count(*) FROM entries').get()
  const people = await Promise.all(
    Array.from({ length: 8 }, () => BareClient.join(trial.url, createSessionKeys())),
  )
  await Promise.all(
    people.map(async (person) => {
      for (let sent = 0; sent < 520; sent += 20)
        await Promise.all(Array.from({ length: 20 }, () => person.save(someEnvelope(65_000))))
    }),
  )
}

/** One bit of an entry on the disk. */
function damage(file: string): void {
  const database = new Sqlite(file, { readonly: true })
  const envelope = database.prepare<[], Buffer>('SELECT envelope FROM entries LIMIT 1 OFFSET 2').pluck().get()
  database.close()
  const bytes = readFileSync(file)
  const at = envelope ? bytes.indexOf(envelope.subarray(0, 100)) : -1
  if (at < 0) throw new Error('The envelope is not in the file')
  bytes[at + 50] = (bytes[at + 50] ?? 0) ^ 1
  writeFileSync(file, bytes)
}
