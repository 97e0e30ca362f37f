import { describe, expect, onTestFinished, test } from 'vitest'
import type { Cursor } from '../../shared/cursor.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { type EntryKind, entryKinds, type Store } from '../store/store.ts'
import { random, someDeposit, someEnvelope } from '../testing.ts'
import type { Bus, Subscriber } from './bus.ts'

/** A bus, the store behind it, in which a session may have 1 MiB, and a switch that makes that store refuse. */
export interface BusUnderTest {
  readonly bus: Bus
  readonly store: Pick<Store, 'origin' | 'since' | 'head' | 'deposit' | 'delete' | 'putSnapshot'>
  setWorks(works: boolean): void
  stop(): Promise<void>
}

type Heard = readonly [event: string, ...what: unknown[]]

/** What every bus must do. One that `triesAgain` saves what a store refused once that store works. */
export function busContract(
  name: string,
  start: () => Promise<BusUnderTest>,
  { triesAgain } = { triesAgain: false },
): void {
  async function started(): Promise<BusUnderTest> {
    const started = await start()
    onTestFinished(() => started.stop())
    return started
  }

  describe(name, () => {
    const { session } = createSessionKeys()

    test('an entry reaches every subscriber with its position, and then that it is saved', async () => {
      const { bus } = await started()
      const [alice, bob] = [new Ear(), new Ear()]
      bus.subscribe(session, alice)
      bus.subscribe(session, bob)
      const envelope = someEnvelope()
      expect(await bus.append(session, 7, envelope)).toEqual({ outcome: 'saved', compact: undefined })
      const heard = [
        ['entry', 7, 1, envelope],
        ['saved', 1],
      ]
      await alice.hears(2)
      await bob.hears(2)
      expect(alice.heard).toEqual(heard)
      expect(bob.heard).toEqual(heard)
    })

    test('who stops listening twice takes the session from nobody who came in between', async () => {
      const { bus } = await started()
      const [alice, bob] = [new Ear(), new Ear()]
      const stop = bus.subscribe(session, alice)
      await bus.append(session, 7, someEnvelope())
      stop()
      bus.subscribe(session, bob)
      expect(await bus.append(session, 7, someEnvelope())).toMatchObject({ outcome: 'saved' })
      await expect.poll(() => bob.heard.at(-1)).toEqual(['saved', 2])
      stop()
      const envelope = someEnvelope()
      expect(await bus.append(session, 7, envelope)).toMatchObject({ outcome: 'saved' })
      await expect
        .poll(() => bob.heard.slice(-2))
        .toEqual([
          ['entry', 7, 3, envelope],
          ['saved', 3],
        ])
    })

    test('when a session is deleted every subscriber hears it, and nothing of it is left', async () => {
      const { bus, store } = await started()
      const [alice, bob] = [new Ear(), new Ear()]
      bus.subscribe(session, alice)
      bus.subscribe(session, bob)
      await bus.append(session, 7, someEnvelope())
      expect(await bus.delete(session)).toEqual({ outcome: 'deleted' })
      for (const ear of [alice, bob]) {
        await ear.hears(3)
        expect(ear.heard.at(-1)).toEqual(['deleted'])
      }
      expect(await store.since(session, new Map(), 0)).toEqual({ outcome: 'deleted' })
    })

    test('who did not hear that a session was deleted hears it when they append', async () => {
      const { bus, store } = await started()
      const [alice, bob] = [new Ear(), new Ear()]
      bus.subscribe(session, alice)
      bus.subscribe(session, bob)
      await bus.append(session, 7, someEnvelope())
      await store.delete(session)
      expect(await bus.append(session, 7, someEnvelope())).toEqual({ outcome: 'deleted' })
      await bob.hears(4)
      expect(bob.heard.at(-1)).toEqual(['deleted'])
      expect(alice.heard.at(-1)).toEqual(['deleted'])
    })

    test('while the store refuses nothing is deleted, and nobody hears that it was', async () => {
      const { bus, setWorks } = await started()
      const ear = new Ear()
      bus.subscribe(session, ear)
      await bus.append(session, 7, someEnvelope())
      setWorks(false)
      expect(await bus.delete(session)).toEqual({ outcome: 'refused', reason: 'unreachable' })
      expect(ear.events().filter((event) => event.startsWith('deleted'))).toEqual([])
      setWorks(true)
      if (triesAgain) return
      expect(await bus.append(session, 7, someEnvelope())).toMatchObject({ outcome: 'saved' })
      expect(ear.events().filter((event) => event.startsWith('deleted'))).toEqual([])
    })

    test('released keys take their turn in the log, and whoever listens hears them', async () => {
      const { bus, store } = await started()
      const [alice, bob] = [new Ear(), new Ear()]
      bus.subscribe(session, alice)
      bus.subscribe(session, bob)
      const deposit = someDeposit()
      await store.deposit(session, deposit)
      const asker = random(176)
      const appending = [
        bus.append(session, 7, someEnvelope()),
        bus.release(session, deposit.round, asker),
        bus.append(session, 7, someEnvelope()),
      ]
      for (const delivered of await Promise.all(appending)) expect(delivered.outcome).toBe('saved')
      const released = alice.heard.find(([event]) => event === 'released')
      expect(Buffer.from(released?.[3] as Uint8Array).includes(Buffer.from(deposit.key))).toBe(true)
      expect(bob.events()).toEqual(alice.events())
      const page = await store.since(session, new Map(), 0)
      if (page.outcome !== 'page') throw new Error(page.outcome)
      const sequences = page.entries.map(({ position }) => position.sequence)
      expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b))
      expect(sequences).toHaveLength(3)
      expect(page.entries.filter(({ kind }) => kind === entryKinds.released)).toHaveLength(1)
    })

    test('while the store refuses nothing is released, and nobody hears anything of it', async () => {
      const { bus, store, setWorks } = await started()
      const ear = new Ear()
      bus.subscribe(session, ear)
      const deposit = someDeposit()
      await store.deposit(session, deposit)
      await bus.append(session, 7, someEnvelope()) // from here on it is known where the log ends
      setWorks(false)
      expect(await bus.release(session, deposit.round, random(176))).toMatchObject({ outcome: 'refused' })
      expect(ear.events().filter((event) => event.startsWith('released'))).toEqual([])
      setWorks(true)
      expect(await bus.release(session, deposit.round, random(176))).toMatchObject({ outcome: 'saved' })
    })

    test('subscribers hear entries in the order of their sequences, each before it is saved', async () => {
      const { bus } = await started()
      const ear = new Ear()
      bus.subscribe(session, ear)
      await Promise.all(
        Array.from({ length: 50 }, (_, author) => bus.append(session, author + 1, someEnvelope())),
      )
      await ear.hears(100)
      const sequencesOf = (event: string, at: number) =>
        ear.heard.filter(([name]) => name === event).map((heard) => heard[at])
      const all = Array.from({ length: 50 }, (_, index) => index + 1)
      expect(sequencesOf('entry', 2)).toEqual(all)
      expect(sequencesOf('saved', 1)).toEqual(all)
      for (const sequence of all) {
        const entry = ear.heard.findIndex(([name, , at]) => name === 'entry' && at === sequence)
        const saved = ear.heard.findIndex(([name, at]) => name === 'saved' && at === sequence)
        expect(entry).toBeLessThan(saved)
      }
    })

    test('who subscribes first and reads then misses nothing', async () => {
      const { bus, store } = await started()
      bus.subscribe(session, new Ear())
      const appending: Promise<unknown>[] = []
      for (let round = 0; round < 20; round++) {
        appending.push(bus.append(session, 1, someEnvelope()))
        const ear = new Ear()
        const stop = bus.subscribe(session, ear)
        const reading = store.since(session, new Map(), 0)
        appending.push(bus.append(session, 1, someEnvelope()))
        const page = await reading
        await Promise.all(appending)
        const read = page.outcome === 'page' ? page.entries.map(({ position }) => position.sequence) : []
        const heard = ear.heard.flatMap(([name, , sequence]) => (name === 'entry' ? [Number(sequence)] : []))
        expect(new Set([...read, ...heard])).toEqual(
          new Set(Array.from({ length: 2 * round + 2 }, (_, at) => at + 1)),
        )
        stop()
      }
    })

    test('sequences go on where the log ends', async () => {
      const { bus } = await started()
      const stop = bus.subscribe(session, new Ear())
      await bus.append(session, 1, someEnvelope())
      await bus.append(session, 1, someEnvelope())
      stop()
      const ear = new Ear()
      bus.subscribe(session, ear)
      await bus.append(session, 1, someEnvelope())
      expect(ear.heard.filter(([name]) => name === 'entry').map((entry) => entry[2])).toEqual([3])
    })

    test('an entry of somebody who left at once is saved all the same', async () => {
      const { bus, store } = await started()
      const stop = bus.subscribe(session, new Ear())
      const appending = bus.append(session, 1, someEnvelope())
      stop()
      expect(await appending).toMatchObject({ outcome: 'saved' })
      await bus.settled()
      expect(await store.head(session)).toMatchObject({ sequence: 1 })
    })

    test('nobody hears another session, or anything after they stopped', async () => {
      const { bus } = await started()
      const ear = new Ear()
      const stop = bus.subscribe(session, ear)
      const other = createSessionKeys().session
      bus.subscribe(other, new Ear())
      await bus.append(other, 1, someEnvelope())
      stop()
      await bus.append(session, 1, someEnvelope())
      bus.signal(session, 1, 0, someEnvelope())
      expect(ear.heard).toEqual([])
    })

    test('a signal reaches every subscriber', async () => {
      const { bus } = await started()
      const ear = new Ear()
      bus.subscribe(session, ear)
      const envelope = someEnvelope()
      bus.signal(session, 3, 4, envelope)
      await ear.hears(1)
      expect(ear.heard).toEqual([['signal', 3, 4, envelope]])
    })

    test('everybody hears who joins and leaves, and who comes later can ask who is there', async () => {
      const { bus } = await started()
      const early = new Ear()
      bus.subscribe(session, early)
      bus.join(session, 11)
      bus.join(session, 12)
      bus.leave(session, 11)
      bus.leave(session, 99)
      await early.hears(3)
      expect(early.events()).toEqual(['joined 11', 'joined 12', 'left 11'])
      const late = new Ear()
      bus.subscribe(session, late)
      expect(new Set([...bus.present(session), ...late.heard.map(([, connection]) => connection)])).toEqual(
        new Set([12]),
      )
    })

    test('entries pass while the store refuses, without a position, and all hear when it is back', async () => {
      const { bus, setWorks } = await started()
      const ear = new Ear()
      bus.subscribe(session, ear)
      await bus.append(session, 1, someEnvelope())
      setWorks(false)
      expect(await bus.append(session, 1, someEnvelope())).toMatchObject({ outcome: 'refused' })
      expect(await bus.append(session, 1, someEnvelope())).toMatchObject({ outcome: 'refused' })
      expect(ear.events()).toEqual(['entry 1', 'saved 1', 'entry 2', 'log unreachable', 'entry none'])
      setWorks(true)
      await ear.hears(7)
      const saved = triesAgain ? 2 : 1
      expect(ear.events().slice(5)).toEqual([`saved ${saved}`, 'log kept'])
      expect(await bus.append(session, 1, someEnvelope())).toMatchObject({ outcome: 'saved' })
      expect(ear.events().slice(7)).toEqual([`entry ${saved + 1}`, `saved ${saved + 1}`])
    })

    test('of many entries under way when the store begins to refuse, none is saved after one that is not', async () => {
      const { bus, store, setWorks } = await started()
      const ear = new Ear()
      bus.subscribe(session, ear)
      const appending: ReturnType<Bus['append']>[] = []
      for (let sent = 0; sent < 30; sent++) {
        if (sent === 15) setWorks(false)
        if (sent === 20) setWorks(true)
        appending.push(bus.append(session, 1, someEnvelope()))
        await Promise.resolve()
      }
      const outcomes = (await Promise.all(appending)).map(({ outcome }) => outcome)
      const saved = outcomes.filter((outcome) => outcome === 'saved').length
      if (!triesAgain) {
        expect(outcomes.slice(0, saved)).not.toContain('refused')
        expect(await store.head(session)).toMatchObject({ sequence: saved })
        return
      }
      // What was refused is saved by and by, and at its place.
      await ear.hears(1)
      const page = await store.since(session, new Map(), 0)
      if (page.outcome !== 'page') throw new Error(page.outcome)
      const sequences = page.entries.map(({ position }) => position.sequence)
      expect(sequences).toEqual(Array.from(sequences, (_, at) => at + 1))
      expect(sequences.length).toBeGreaterThanOrEqual(saved)
    })

    test('who appends over the quota is asked for a snapshot, and all hear when that was a way back', async () => {
      const { bus, store } = await started()
      const ear = new Ear()
      bus.subscribe(session, ear)
      const append = (length: number) => bus.append(session, 1, someEnvelope(length))
      while ((await append(65_536)).outcome === 'saved');
      await expect
        .poll(() => append(256), { timeout: 10_000 })
        .toEqual({ outcome: 'refused', reason: 'quota', compact: { replaces: undefined } })
      const head = await store.head(session)
      if (head.outcome !== 'head' || !head.saved) throw new Error('The log can be read')
      const covers: Cursor = new Map([[store.origin, head.saved]])
      const snapshot = { covers, replaces: undefined, envelope: someEnvelope() }
      expect(await store.putSnapshot(session, snapshot)).toEqual({ outcome: 'kept' })
      await expect.poll(() => ear.events().at(-1)).toBe('log kept')
      expect(await append(256)).toMatchObject({ outcome: 'saved', compact: { replaces: expect.anything() } })
    })

    test('a reader’s doubt ends with the news that the log is back', async () => {
      const { bus, setWorks } = await started()
      const ear = new Ear()
      bus.subscribe(session, ear)
      await bus.append(session, 1, someEnvelope())
      setWorks(false)
      bus.doubt(session)
      setWorks(true)
      await ear.hears(5)
      expect(ear.events().slice(2)).toEqual(['log unreachable', 'saved 1', 'log kept'])
    })
  })
}

/** Remembers what it hears. */
class Ear implements Subscriber {
  readonly heard: Heard[] = []
  #waiting: (() => void)[] = []

  entry(author: number, at: Cursor | undefined, envelope: Uint8Array, kind: EntryKind): void {
    const event = kind === entryKinds.released ? 'released' : 'entry'
    this.#hear(event, author, sequenceIn(at) ?? 'none', envelope)
  }

  signal(from: number, to: number, envelope: Uint8Array): void {
    this.#hear('signal', from, to, envelope)
  }

  joined(connection: number): void {
    this.#hear('joined', connection)
  }

  left(connection: number): void {
    this.#hear('left', connection)
  }

  saved(cursor: Cursor): void {
    this.#hear('saved', sequenceIn(cursor))
  }

  savedElsewhere(cursor: Cursor): void {
    this.#hear('savedElsewhere', sequenceIn(cursor))
  }

  deleted(): void {
    this.#hear('deleted')
  }

  log(state: string): void {
    this.#hear('log', state)
  }

  async hears(count: number): Promise<void> {
    while (this.heard.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  events(): string[] {
    return this.heard.map(
      ([event, first, second]) => `${event} ${event === 'entry' || event === 'released' ? second : first}`,
    )
  }

  #hear(...heard: Heard): void {
    this.heard.push(heard)
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

function sequenceIn(cursor: Cursor | undefined): number | undefined {
  return cursor?.values().next().value?.sequence
}
