import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { Backlog } from '../../shared/backlog.ts'
import { joinBytes } from '../../shared/codec.ts'
import { addRecord, createDocument, noteTime, readLaid, readName, recordsOf } from '../../shared/document.ts'
import { idBytes, type ParticipantId, type RecordId } from '../../shared/id.ts'
import type { SessionKeys, Signature } from '../../shared/keys.ts'
import { Ledger } from '../../shared/ledger.ts'
import { Participant } from '../../shared/participant.ts'
import { type RecordOf, recordIdOf, type StoredRecord } from '../../shared/record.ts'
import type { Choice } from '../../shared/seal.ts'
import { noteMade } from '../link/held.ts'
import type { LinkOptions } from '../link/link-options.ts'
import type { PlainSocket } from '../link/plain-socket.ts'
import { firstClient, type Presence } from '../link/presence.ts'
import { RelayLink } from '../link/relay-link.ts'
import { Replica } from '../replica/replica.ts'
import { Derived } from './derived.ts'
import { LazyEscrow } from './lazy-escrow.ts'
import { LazyMending } from './lazy-mending.ts'
import { Moments, type PresenceState } from './moments.ts'
import { Same } from './same.ts'

export interface SessionOptions {
  readonly keys: SessionKeys
  /** This person's participant in this session: 32 bytes, see `participantSeed`. */
  readonly seed: Uint8Array
  readonly rememberedName: string
  /** The app's base address, with a slash at the end. */
  readonly base: string
  readonly connect: (url: string, protocol: string) => PlainSocket
  readonly sign?: LinkOptions['sign']
  /** Checks a signature aside. False: it has to be checked here. */
  readonly verify?: (signature: Signature) => Promise<boolean>
  /** Where the page can do something else in between when there is much to do. */
  readonly pause?: () => Promise<void>
  /** Which cards the stories ended with, to compare others with. Called when it is quiet. */
  readonly rememberEstimates: (
    estimates: readonly { readonly label: string; readonly title: string }[],
  ) => void
  /** The person told their name, or the session got another. */
  readonly remember: (names: { readonly person?: string; readonly session?: string }) => void
  /** The browser took what this device kept; what the session goes on with is worth keeping again. */
  readonly keepAgain?: () => void
  /** Changes from a file, to begin with. */
  readonly update?: Uint8Array
  /** No tabs beside this one: everything takes the way over the relay. */
  readonly alone?: boolean
}

/** So many are checked on the way: a signature takes a slow phone ten milliseconds. */
const fewRecords = 4

/** By the provider's numbers. */
type AwarenessChanges = Record<'added' | 'updated' | 'removed', number[]>

/** What a session on this device is made of: document, ledger, replica and link. Says when something changed, and pays what its participant owes. */
export class SessionCore {
  readonly options: SessionOptions
  readonly doc = createDocument()
  readonly ledger: Ledger
  readonly participant: Participant
  readonly backlog: Backlog
  readonly replica: Replica
  readonly moments = new Moments()
  readonly escrow = new LazyEscrow(this)
  readonly #same: Same
  readonly #mending: LazyMending
  link: RelayLink | undefined
  #provider: WebsocketProvider | undefined
  readonly #derived = new Derived()
  readonly #followers = new Set<() => void>()
  #following = false
  /** How much goes on during which nothing is followed; one that has been left stays so. */
  #quiet = 0
  /** How many records there were. */
  #paidAt = 0
  #nameKept: string | undefined
  #presence: Presence = { participant: undefined }
  #counts = { reaction: 0, nudge: 0 }

  constructor(options: SessionOptions) {
    this.options = options
    this.ledger = new Ledger(options.keys)
    this.participant = new Participant(options.keys, options.seed, this.ledger)
    this.replica = new Replica(
      options.keys.session,
      this.doc,
      () => this.changeElsewhere(),
      (from, to) => this.ledger.signatures.verified(from, to),
      options.keepAgain,
    )
    this.#same = new Same(
      this.doc,
      (digest) => this.#announce({ digest }),
      () => this.change(),
    )
    this.#mending = new LazyMending({
      same: () => this.same,
      digest: () => this.#same.own,
      alone: () => !this.#digests.includes(this.#same.own),
      mend: (attempt) => this.#mend(attempt),
      doc: this.doc,
      ledger: this.ledger,
    })
    this.backlog = new Backlog(this.doc)
    recordsOf(this.doc).observe((event) => {
      for (const key of event.keysChanged) this.#index(key)
    })
    this.doc.on('afterAllTransactions', (_, transactions: Y.Transaction[]) => {
      if (transactions.some(({ local }) => local)) this.change()
      else this.changeElsewhere()
    })
    this.doc.on('update', () => this.#disturb())
  }

  async start(): Promise<void> {
    const { keys, base, connect, sign, update, alone = false } = this.options
    const relay = new URL(base)
    relay.protocol = relay.protocol === 'https:' ? 'wss:' : 'ws:'
    let link: RelayLink | undefined
    this.doc.on('update', (update: Uint8Array, _origin: unknown, _doc: Y.Doc, transaction: Y.Transaction) => {
      if (transaction.local) noteMade(update, transaction)
    })
    // The provider listens to the document before the replica does: what throws in the one cannot silence the other.
    const provider = new WebsocketProvider(`${relay.href}sync`, keys.session, this.doc, {
      connect: false,
      disableBc: alone,
      WebSocketPolyfill: class {
        constructor(url: string) {
          if (!link) throw new Error('The link is made before the provider connects')
          // biome-ignore lint/correctness/noConstructorReturn: the provider calls `new` and gets the link's own class
          return new link.socketClass(url)
        }
      } as unknown as typeof WebSocket,
    })
    // What this participant owes is paid as soon as the rows are there, which is before there is a link.
    const early: Uint8Array[] = []
    this.doc.on('update', (changes: Uint8Array, origin: unknown) => {
      if (origin === provider) link?.hearElsewhere()
      else if (link) link.noteChange(changes)
      else if (!this.replica.isSource(origin)) early.push(changes)
    })
    const found = await this.replica.load((kept) => this.ledger.signatures.trust(kept.verified))
    link = new RelayLink({
      keys,
      doc: this.doc,
      origin: relay.origin.replace(/^ws/, 'http'),
      connect,
      sign,
      place: found.place,
      remember: (place) => this.replica.remember(place),
      changed: () => this.changeElsewhere(),
      escrow: this.escrow,
    })
    this.link = link
    this.#provider = provider
    for (const row of [...found.rows, ...early]) link.noteChange(row)
    if (update) Y.applyUpdate(this.doc, update)
    // Tabs tell each other who is here, each by a clock of its own: of two, the later one says who is gone. One that has lost its
    // connection says so of everybody.
    provider.awareness.on('update', (changed: AwarenessChanges, origin: unknown) => {
      const clocks = Object.values(changed).flatMap((ids) =>
        ids.map((id) => provider.awareness.meta.get(id)?.clock ?? 0),
      )
      link.awarenessClock = Math.max(link.awarenessClock, ...clocks)
      if (origin !== 'timeout') link.affirm(changed.removed)
    })
    // Who comes back after the provider has forgotten them is no new one to it, but may lack something all the same.
    let wereHere: ReadonlySet<number> = new Set()
    provider.awareness.on('change', () => {
      const here = new Set(this.#presences().keys())
      if ([...here].some((client) => !wereHere.has(client))) this.#same.wait()
      wereHere = here
      this.moments.follow(this.#presences(), this.participant.id, this.doc.clientID)
      this.changeElsewhere()
    })
    this.#announce({})
    provider.connect()
    this.change()
  }

  async close(): Promise<void> {
    this.#quiet++
    this.#followers.clear()
    this.#derived.stop()
    this.#same.stop()
    this.escrow.stop()
    this.#mending.stop()
    this.#provider?.destroy()
    await this.replica.close()
    this.doc.destroy()
  }

  get mayWrite(): boolean {
    return this.options.keys.role !== 'observer'
  }

  /** While much is done, or checked, what was derived before may hold no longer. Afterwards those who follow are called. */
  get isQuiet(): boolean {
    return this.#quiet > 0
  }

  /** Participants with a connection, or a tab in this browser. */
  get here(): Set<ParticipantId> {
    const here = [...this.#presences().values()].map(({ participant }) => participant)
    return new Set(here.filter((id) => id !== undefined))
  }

  get same(): boolean | undefined {
    const state = this.link?.state.state
    if (state !== 'connected' && state !== 'unkept') return undefined
    // What waits is on its way to the others; while the log is not kept they have it, and it waits for the store alone.
    if (state === 'connected' && this.mayWrite && this.link?.waiting) return undefined
    return this.#same.compare(this.#digests)
  }

  /** The round on everybody's table: the laid story's, or the quick one when that story has none. */
  get roundOnTable(): RecordOf<'round'> | undefined {
    return this.derived('round', () => this.#findRound())
  }

  #findRound(): RecordOf<'round'> | undefined {
    const laid = readLaid(this.doc)
    return (laid && this.ledger.current(laid)) ?? this.ledger.current('quick')
  }

  /** Adds a record, and says when for those that statistics ask about. */
  add(bytes: Uint8Array, timed = false): RecordId {
    const id = this.#know(bytes) // within a transaction the document tells of it only at the end
    this.doc.transact(() => {
      addRecord(this.doc, bytes)
      if (timed) noteTime(this.doc, id, Date.now())
    })
    return id
  }

  /** A vote, changed or (undefined) taken back. Its key goes first, see `Escrow`. */
  vote(round: RecordOf<'round'>, choice: Choice | undefined): void {
    const bytes = this.participant.choose(round.id, choice)
    this.#know(bytes)
    this.escrow.depositFor(round)
    this.add(bytes)
  }

  /** What this device has just signed needs no check: verifying takes longer than signing. */
  #know(bytes: Uint8Array): RecordId {
    const id = recordIdOf(bytes)
    this.ledger.add(id, bytes)
    this.ledger.signatures.trust(idBytes(id))
    return id
  }

  reveal(round: RecordOf<'round'>): void {
    this.add(this.participant.reveal(round.id), true)
    this.escrow.askFor(round.id)
  }

  react(emoji: string): void {
    this.#announce({ reaction: { emoji, count: ++this.#counts.reaction } })
    this.moments.happen({ kind: 'reaction', by: this.participant.id, emoji })
  }

  nudge(to: ParticipantId): void {
    this.#announce({ nudge: { to, count: ++this.#counts.nudge } })
  }

  /** While many changes are made one after the other, the view shows them a few times a second. */
  async quietly<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#quiet++
    const showing = setInterval(() => this.#derived.show(), 500)
    try {
      return await work()
    } finally {
      clearInterval(showing)
      this.#quiet--
      this.change()
    }
  }

  /** Something the view shows may be different; and this participant may now owe the others something. */
  change(): void {
    this.#change(() => this.#derived.show())
  }

  /** As `change`, but not by this person's doing: when much happens, it is shown together. */
  changeElsewhere(): void {
    this.#change(() => this.#derived.showSoon())
  }

  #change(show: () => void): void {
    if (this.#quiet) return
    const { pause } = this.options
    if (pause && this.ledger.signatures.unchecked >= fewRecords) {
      this.quietly(() => this.#derived.holdDuring(() => this.#check(pause)))
      return
    }
    show()
    if (this.#following) return
    this.#following = true
    queueMicrotask(() => {
      this.#following = false
      this.#rememberSessionName()
      // On another device it is the log that says who this person is.
      this.#announce()
      if (this.mayWrite) this.#payWhatIsOwed()
      this.escrow.consider()
      this.#mending.consider()
      for (const follow of this.#followers) follow()
    })
  }

  /** Many new records, such as a whole session, are checked piece by piece before they are shown. */
  async #check(pause: () => Promise<void>): Promise<void> {
    const { signatures } = this.ledger
    const check = async (records?: () => readonly StoredRecord[]) => {
      await this.#checkAside(signatures.toCheck(records?.()))
      for (const _ of signatures.check(records?.())) await pause()
    }
    await pause()
    await check()
    const round = this.#findRound()
    if (round) await check(() => this.ledger.about(round.id))
  }

  /** What is not certain there is checked again here. */
  async #checkAside(ids: readonly RecordId[]): Promise<void> {
    const { verify } = this.options
    if (!verify) return
    const holding = ids.map(async (id) => {
      const signatures = await Promise.all(this.ledger.signatures.of(id).map(verify))
      return signatures.length > 0 && signatures.every((holds) => holds) ? [id] : []
    })
    this.ledger.signatures.trust(joinBytes(...(await Promise.all(holding)).flat().map(idBytes)))
  }

  /** Called after changes, several at once. Returns the way to end it. */
  follow(follower: () => void): () => void {
    this.#followers.add(follower)
    return () => this.#followers.delete(follower)
  }

  /** Resolves when the fact is one, or after so many milliseconds. */
  async until(fact: () => boolean, patience: number): Promise<void> {
    if (fact()) return
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        stop()
        resolve()
      }
      const stop = this.follow(() => fact() && done())
      const timer = setTimeout(done, patience)
    })
  }

  /** Reactive: asking in an effect makes it run again after a change. By names, so that many may ask for the same. */
  derived<Value>(name: string, compute: () => Value): Value {
    return this.#derived.get(name, compute)
  }

  /** Presence: this participant to the relay's room, and to this browser's other tabs. Without anything more only if it is another one. */
  #announce(more?: Partial<Presence>): void {
    const participant =
      this.mayWrite && this.ledger.isMember(this.participant.id) ? this.participant.id : undefined
    if (!more && participant === this.#presence.participant) return
    this.#presence = { ...this.#presence, ...more, participant }
    this.#provider?.awareness.setLocalState({ participant })
    this.link?.tell(this.#presence)
  }

  /** What the others here say they have. */
  get #digests(): (string | undefined)[] {
    // Other tabs of this browser tell only the relay; here they have the number of their document.
    const others = [...this.#presences()].filter(([client]) => client >= firstClient)
    const digests = others.map(([, { digest }]) => digest)
    return this.link?.someAreSilent ? [...digests, undefined] : digests
  }

  #presences(): Map<number, PresenceState> {
    return (this.#provider?.awareness.getStates() ?? new Map()) as Map<number, PresenceState>
  }

  #disturb(): void {
    if (this.#presences().size > 1) this.#same.disturb()
    else this.#same.forget()
  }

  /** By the log, which then gets what it lacks. It may have kept something from one of us: then by the others. */
  #mend(attempt: number): void {
    if (this.link?.state.state === 'unkept' || attempt % 2 === 1) this.link?.askPeers()
    else this.link?.readAgain()
  }

  #index(key: string): void {
    const bytes = recordsOf(this.doc).get(key)
    if (bytes instanceof Uint8Array && this.ledger.add(key, bytes)) return
    const known = this.ledger.bytesOf(key)
    if (known && known !== bytes && this.mayWrite) this.#mending.suspect(key)
  }

  #rememberSessionName(): void {
    const name = readName(this.doc)
    if (name === this.#nameKept) return
    this.#nameKept = name
    this.options.remember({ session: name ?? '' })
  }

  #payWhatIsOwed(): void {
    if (this.#paidAt === this.ledger.size) return
    this.#paidAt = this.ledger.size
    const owed = this.participant.owed()
    if (owed.length === 0) return
    this.doc.transact(() => {
      for (const bytes of owed) this.add(bytes)
    })
  }
}
