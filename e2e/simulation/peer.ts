import { createHash } from 'node:crypto'
import * as Y from 'yjs'
import type { PlainSocket } from '../../client/link/plain-socket.ts'
import { AutoReveal } from '../../client/session/auto-reveal.ts'
import { SessionCore } from '../../client/session/core.ts'
import { recordsOf } from '../../shared/document.ts'
import type { SessionKeys } from '../../shared/keys.ts'
import { decodeRecord, type StoredRecord } from '../../shared/record.ts'
import { type Life, lifeOf, type VirtualClock } from './virtual-clock.ts'
import type { Line } from './virtual-network.ts'
import { DeviceDisk, insert } from './virtual-replica.ts'

export interface PeerOptions {
  readonly name: string
  readonly keys: SessionKeys
  /** Of the person: a second device of theirs has the same. */
  readonly seed: Uint8Array
  readonly clock: VirtualClock
  readonly diskSlowness: () => number
  readonly connect: (peer: Peer, url: string) => PlainSocket
  /** Another tab of the same browser. */
  readonly beside?: Peer | undefined
  /** From a file, for the first time that the app is opened. */
  readonly update?: Uint8Array | undefined
}

/** One device in the session: the real client between a virtual network and a virtual disk. */
export class Peer {
  readonly options: PeerOptions
  readonly disk: DeviceDisk
  life: Life
  /** Undefined while the device is off. */
  core: SessionCore | undefined
  online = true
  lines: Line[] = []
  /** Its network lets no WebSocket open. */
  polls = false
  /** Changes that came from another tab. */
  fromTabs = 0
  /** Rounds that nobody here revealed by hand. */
  autoReveals = 0
  #isActing = false
  #update: Uint8Array | undefined
  /** Hears each record that this device itself adds. */
  made: (record: StoredRecord, core: SessionCore) => void = () => {}

  constructor(options: PeerOptions) {
    this.options = options
    this.disk = options.beside?.disk ?? new DeviceDisk(options.clock, options.diskSlowness)
    this.life = { ...lifeOf(options.name), over: true }
    this.#update = options.update
  }

  get name(): string {
    return this.options.name
  }

  get isAsleep(): boolean {
    return this.life.asleepUntil > this.options.clock.now
  }

  get mayWrite(): boolean {
    return this.options.keys.role !== 'observer'
  }

  /** The app is opened, with whatever the disk has. */
  async start(): Promise<void> {
    const { name, keys, seed, clock, beside } = this.options
    this.life = lifeOf(name, this.life.skew)
    await clock.act(this.life, () => {
      insert(this.disk)
      const core = new SessionCore({
        keys,
        seed,
        rememberedName: name,
        base: `https://table.example/${encodeURIComponent(beside?.name ?? name)}/`,
        connect: (url) => this.options.connect(this, url),
        rememberEstimates: () => {},
        remember: () => {},
        ...(this.#update ? { update: this.#update } : {}),
      })
      this.#update = undefined
      this.core = core
      const known = new Set<string>() // what is put back was not made here
      recordsOf(core.doc).observe((event, transaction) => {
        for (const key of event.keysChanged) {
          if (transaction.local && !known.has(key)) this.#noteMade(key, core)
          known.add(key)
        }
      })
      core.doc.on('update', (_: Uint8Array, origin: unknown) => {
        if (origin && !core.link?.delivers && !core.replica.isSource(origin)) this.fromTabs++
      })
      const autoReveal = new AutoReveal(core)
      core.follow(() => autoReveal.consider())
      void core.start()
    })
  }

  /** It ends without a word; its disk falls back to what was synced. */
  async crash(): Promise<void> {
    const { core, life } = this
    this.core = undefined
    life.over = true
    if (core) this.disk.crash(core.replica)
    for (const line of this.lines) line.lose()
    this.lines = []
    await this.options.clock.act(life, () => void core?.close())
  }

  /** This person does something, and what follows from it at once. */
  act(work: (core: SessionCore) => void): Promise<void> {
    const { core } = this
    return this.options.clock.act(this.life, () => {
      if (!core || this.isAsleep) return
      this.#isActing = true
      try {
        work(core)
      } finally {
        this.#isActing = false
      }
    })
  }

  /** Of the changes of one Yjs client, how many this device has, running or off. */
  stateOf(client: number): number {
    if (this.core) return Y.getState(this.core.doc.store, client)
    if (this.disk.rows.length > 1) this.disk.rows = [Y.mergeUpdates(this.disk.rows)]
    const [kept] = this.disk.rows
    return (kept && Y.parseUpdateMeta(kept).to.get(client)) ?? 0
  }

  #noteMade(key: string, core: SessionCore): void {
    const bytes = recordsOf(core.doc).get(key)
    const record = bytes instanceof Uint8Array ? decodeRecord(bytes) : undefined
    if (record?.kind === 'reveal' && !this.#isActing) this.autoReveals++
    if (record) this.made(record, core)
  }
}

/** Everything the document has seen, in a form that can be compared. */
export function contentOf(doc: Y.Doc): string {
  return createHash('sha256')
    .update(Y.encodeSnapshot(Y.snapshot(doc)))
    .digest('hex')
    .slice(0, 16)
}

export function stateVectorOf(doc: Y.Doc): string {
  return wordsOfVector(Y.encodeStateVector(doc))
}

export function wordsOfVector(bytes: Uint8Array): string {
  const vector = [...Y.decodeStateVector(bytes)].sort(([a], [b]) => a - b)
  return vector.map(([client, clock]) => `${client}:${clock}`).join(' ')
}
