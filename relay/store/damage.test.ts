import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SessionId } from '../../shared/id.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { SetupError } from '../settings/setup-error.ts'
import { someEnvelope, temporaryFolder } from '../testing.ts'
import { DirectStore } from './direct-store.testing.ts'
import { checksumOf } from './hash.ts'
import { entryKinds } from './store.ts'
import type { Notice } from './store-protocol.ts'

const runs = Number(process.env.RUNS ?? 150)
const pageSize = 4096
const folder = temporaryFolder()
const whole = join(folder, 'whole.sqlite')
const sessions = new Map<SessionId, string[]>()

beforeAll(async () => {
  const dataDir = join(folder, 'whole')
  const store = open(dataDir)
  for (let number = 0; number < 10; number++) {
    const { session } = createSessionKeys()
    sessions.set(session, [])
    for (let sequence = 1; sequence <= 30; sequence++) {
      const envelope = someEnvelope(256)
      await append(store, session, sequence, envelope)
      sessions.get(session)?.push(nameOf(envelope))
    }
  }
  await store.close()
  copyFileSync(join(dataDir, 'facedown.sqlite'), whole)
})

afterAll(() => rmSync(folder, { recursive: true }))

const done = { refused: 0, complete: 0, reported: 0, unreadable: 0 }

test(`after damage anywhere no envelope is served altered, what is missing is reported, and new sessions are kept`, async () => {
  for (let run = 0; run < runs; run++) {
    const seed = Number(process.env.SEED ?? run + 1)
    await runOnce(seed)
    if (process.env.SEED) break
  }
  console.info(done)
  expect(done.complete).toBeGreaterThan(0)
  expect(done.refused).toBeGreaterThan(0)
  expect(done.reported).toBeGreaterThan(runs / 10)
})

/** A byte, or a whole page, becomes something else. */
async function runOnce(seed: number): Promise<void> {
  const dataDir = join(folder, `run ${seed}`)
  mkdirSync(dataDir)
  const file = join(dataDir, 'facedown.sqlite')
  const bytes = readFileSync(whole)
  const at = Number((BigInt(seed) * 2_654_435_761n) % BigInt(bytes.length))
  if (seed % 3 === 0) {
    const page = at - (at % pageSize)
    bytes.set(someEnvelope(pageSize), page)
  } else bytes[at] = (bytes[at] ?? 0) ^ (1 << (seed % 8))
  writeFileSync(file, bytes)
  const notices: Notice[] = []
  let store: DirectStore
  try {
    store = open(dataDir, (notice) => notices.push(notice))
  } catch (error) {
    done.refused++
    expect(error, `SEED=${seed}`).toBeInstanceOf(SetupError)
    expect(String(error), `SEED=${seed}`).toMatch(
      /damaged and was left as it is|cannot be opened|newer version/,
    )
    expect(readFileSync(file).equals(bytes), `SEED=${seed}: the file was changed`).toBe(true)
    return
  }
  let missing = 0
  for (const [session, written] of sessions) {
    const page = await store.since(session, new Map(), 0)
    if (page.outcome !== 'page') {
      done.unreadable++
      missing++
      continue
    }
    const read = page.entries.map(({ envelope }) => nameOf(envelope))
    expect(
      read.filter((name) => !written.includes(name)),
      `SEED=${seed}: altered`,
    ).toEqual([])
    if (read.length < written.length) missing++
  }
  if (missing === 0) done.complete++
  else if (notices.length > 0) done.reported++
  expect(missing === 0 || notices.length > 0, `SEED=${seed}: ${missing} silently incomplete`).toBe(true)
  await store.close()
  rmSync(dataDir, { recursive: true })
}

test('one damaged page costs the entries on it, and no other session', async () => {
  const dataDir = join(folder, 'page')
  mkdirSync(dataDir)
  const bytes = readFileSync(whole)
  const [session, written] = [...sessions][5] ?? []
  if (!session || !written) throw new Error('There are ten')
  const file = join(dataDir, 'facedown.sqlite')
  const somewhere = bytes.indexOf(Buffer.from(written[12] ?? '', 'hex'))
  bytes.fill(0xff, somewhere - (somewhere % pageSize), somewhere - (somewhere % pageSize) + 200)
  writeFileSync(file, bytes)
  const notices: Notice[] = []
  const store = open(dataDir, (notice) => notices.push(notice))
  const page = await store.since(session, new Map(), 0)
  if (page.outcome !== 'page') throw new Error(page.outcome)
  const lost = written.length - page.entries.length
  expect(lost).toBeGreaterThan(3)
  expect(lost).toBeLessThan(20)
  expect(notices.filter(({ type }) => type === 'damagedRow')).toHaveLength(lost)
  for (const other of sessions.keys()) {
    const head = await store.head(other)
    expect(head).toMatchObject({ sequence: 30 })
    const answer = await append(store, other, 31, someEnvelope())
    expect(answer).toEqual({ outcome: 'saved', compact: undefined })
  }
  await store.close()
})

test.each([0, 100, 5000, 60_000])('a database cut to %i bytes is not taken for a new one', (length) => {
  const dataDir = join(folder, `cut ${length}`)
  mkdirSync(dataDir)
  const file = join(dataDir, 'facedown.sqlite')
  copyFileSync(whole, file)
  truncateSync(file, length)
  expect(() => open(dataDir)).toThrow(
    /damaged and was left as it is. Put a backup in its place, or move it away/,
  )
  expect(statSync(file).size).toBe(length)
})

function open(dataDir: string, notice?: (notice: Notice) => void): DirectStore {
  const options = { dataDir, region: 'local', sessionMaxBytes: 16 << 20, sessionIdleDays: 90 }
  return new DirectStore(options, notice)
}

function append(store: DirectStore, session: SessionId, sequence: number, envelope: Uint8Array) {
  const checksum = checksumOf(envelope)
  return store.append(session, {
    sequence,
    previous: sequence - 1,
    checksum,
    kind: entryKinds.change,
    envelope,
  })
}

/** The envelope itself: what a page of the file holds. */
function nameOf(envelope: Uint8Array): string {
  return Buffer.from(envelope.subarray(0, 24)).toString('hex')
}
