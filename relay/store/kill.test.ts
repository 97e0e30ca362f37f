import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import type { Cursor } from '../../shared/cursor.ts'
import { createSessionKeys, type SessionKeys } from '../../shared/keys.ts'
import { BareClient } from '../connections/bare-client.testing.ts'
import { newFolder } from '../fixtures.testing.ts'
import { type RelayProcess, startRelayProcess } from '../process.testing.ts'
import { someEnvelope } from '../testing.ts'
import { checksumOf } from './hash.ts'

const kills = Number(process.env.KILLS ?? 100)

test(`after ${kills} kills at random moments every acknowledged change is there`, {
  timeout: 120_000 + kills * 4_000,
}, async () => {
  const DATA_DIR = newFolder()
  const acknowledged = new Set<string>()
  const sessions = [createSessionKeys(), createSessionKeys()]
  const writers = Array.from(
    { length: 6 },
    (_, at) => new Writer(sessions[at % 2] ?? createSessionKeys(), acknowledged),
  )

  let relay = await startRelayProcess({ DATA_DIR })
  const PORT = String(relay.port)
  for (let killed = 0; killed < kills; killed++) {
    const before = acknowledged.size
    const writing = writers.map((writer) => writer.writeUntilCut(relay))
    await Promise.race([Promise.all(writing), ...writers.map((writer) => writer.wrote())])
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 200))
    await relay.end('SIGKILL')
    await Promise.all(writing)
    expect(acknowledged.size).toBeGreaterThan(before)
    relay = await startRelayProcess({ DATA_DIR, PORT })
  }
  await relay.end('SIGKILL')

  const database = new Sqlite(join(DATA_DIR, 'facedown.sqlite'))
  onTestFinished(() => void database.close())
  expect(database.pragma('quick_check', { simple: true })).toBe('ok')
  const kept = new Set(database.prepare<[], Buffer>('SELECT envelope FROM entries').pluck().all().map(nameOf))
  expect([...acknowledged].filter((name) => !kept.has(name))).toEqual([])
  expect(acknowledged.size).toBeGreaterThan(kills * 5)
})

/** Appends one change after the other, and remembers those that were acknowledged. */
class Writer {
  readonly #keys: SessionKeys
  readonly #acknowledged: Set<string>
  #cursor: Cursor = new Map()
  #wrote: () => void = () => {}

  constructor(keys: SessionKeys, acknowledged: Set<string>) {
    this.#keys = keys
    this.#acknowledged = acknowledged
  }

  wrote(): Promise<void> {
    return new Promise((resolve) => {
      this.#wrote = resolve
    })
  }

  async writeUntilCut(relay: RelayProcess): Promise<void> {
    try {
      const client = await BareClient.join(relay.url, this.#keys, { cursor: this.#cursor })
      for (;;) {
        const envelope = someEnvelope()
        const saved = await client.save(envelope)
        if (saved.type !== 'saved') throw new Error(`Unsaved: ${saved.reason}`)
        this.#acknowledged.add(nameOf(envelope))
        this.#cursor = saved.cursor
        this.#wrote()
      }
    } catch (error) {
      if (!String(error).includes('"code":1006')) throw error
    }
  }
}

function nameOf(envelope: Uint8Array): string {
  return checksumOf(envelope).toString('hex')
}
