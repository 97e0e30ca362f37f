import { createSubscriber } from 'svelte/reactivity'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import type { Deck } from '../shared/deck.ts'
import {
  addRecord,
  addStories,
  markRemoved,
  moveStory,
  readDeck,
  readLaid,
  readName,
  readStories,
  recordsOf,
  titleOf,
  writeDeck,
  writeLaid,
  writeName,
} from '../shared/document.ts'
import type { ParticipantId, SealId, StoryId } from '../shared/id.ts'
import { invitationLink } from '../shared/invitation.ts'
import type { SessionKeys } from '../shared/keys.ts'
import { Ledger, type Topic } from '../shared/ledger.ts'
import { Participant } from '../shared/participant.ts'
import type { RecordOf } from '../shared/record.ts'
import { distinctValues, type RoundState, standingEstimates } from '../shared/round.ts'
import { type CountedVote, tally } from '../shared/tally.ts'
import { type PlainSocket, RelayLink } from './link/relay-link.ts'
import { Replica } from './replica/replica.ts'
import type { Person, SavedView, SessionView, StoryView, TableView } from './session-view.ts'

export interface SessionOptions {
  readonly keys: SessionKeys
  /** 32 bytes that this person's participants are derived from. */
  readonly secret: Uint8Array
  readonly rememberedName: string
  /** The app's base address, with a slash at the end. */
  readonly base: string
  readonly connect: (url: string, protocol: string) => PlainSocket
  /** The person told their name, or the session got another. */
  readonly remember: (names: { readonly person?: string; readonly session?: string }) => void
  readonly troubleWords: (trouble: 'full' | 'unavailable' | 'broken') => string
}

/** A session on this device: document, ledger, replica and link behind one reactive view. */
export class LiveSession implements SessionView {
  readonly #options: SessionOptions
  readonly #doc = new Y.Doc()
  readonly #ledger: Ledger
  readonly #participant: Participant
  readonly #replica: Replica
  #link: RelayLink | undefined
  #provider: WebsocketProvider | undefined
  #changed = () => {}
  readonly #subscribe: () => void
  /** Derived values by name, valid until something changes. */
  #cache = new Map<string, unknown>()
  #following = false
  #nameKept: string | undefined

  private constructor(options: SessionOptions) {
    this.#options = options
    this.#ledger = new Ledger(options.keys)
    this.#participant = new Participant(options.keys, options.secret, this.#ledger)
    this.#replica = new Replica(
      options.keys.session,
      this.#doc,
      () => this.#change(),
      () => this.#ledger.verified(),
    )
    this.#subscribe = createSubscriber((update) => {
      this.#changed = update
      return () => {
        this.#changed = () => {}
      }
    })
    recordsOf(this.#doc).observe((event) => {
      for (const key of event.keysChanged) this.#index(key)
    })
    this.#doc.on('afterAllTransactions', () => this.#change())
  }

  /** Makes a session that never was: it exists at once, whether or not there is a network. */
  static async create(options: SessionOptions): Promise<LiveSession> {
    const session = await LiveSession.open(options)
    session.#doc.transact(() => {
      session.#add(session.#participant.introduce(options.rememberedName))
      for (const grant of session.#participant.takeChair()) session.#add(grant)
      session.#add(session.#participant.startRound(undefined, session.deck.cards))
    })
    session.#announce()
    return session
  }

  /** Opens what this device has of a session, and connects. */
  static async open(options: SessionOptions): Promise<LiveSession> {
    const session = new LiveSession(options)
    await session.#start()
    return session
  }

  async #start(): Promise<void> {
    const { keys, base, connect } = this.#options
    const relay = new URL(base)
    relay.protocol = relay.protocol === 'https:' ? 'wss:' : 'ws:'
    let link: RelayLink | undefined
    // The provider listens to the document before the replica does: what throws in the one cannot silence the other.
    const provider = new WebsocketProvider(`${relay.href}sync`, keys.session, this.#doc, {
      connect: false,
      WebSocketPolyfill: class {
        constructor(url: string) {
          if (!link) throw new Error('The link is made before the provider connects')
          // biome-ignore lint/correctness/noConstructorReturn: the provider calls `new` and gets the link's own class
          return new link.socketClass(url)
        }
      } as unknown as typeof WebSocket,
    })
    const found = await this.#replica.load((kept) => this.#ledger.trust(kept.verified))
    link = new RelayLink({
      keys,
      doc: this.#doc,
      origin: relay.origin.replace(/^ws/, 'http'),
      connect,
      place: found.place,
      remember: (place) => this.#replica.remember(place),
      changed: () => this.#change(),
    })
    this.#link = link
    this.#provider = provider
    for (const row of found.rows) link.noteChange(row)
    this.#doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== provider && !this.#replica.isSource(origin)) link.noteChange(update)
    })
    provider.awareness.on('change', () => this.#change())
    this.#announce()
    provider.connect()
    this.#change()
  }

  async close(): Promise<void> {
    this.#provider?.destroy()
    await this.#replica.close()
    this.#doc.destroy()
  }

  get name(): string | undefined {
    return this.#derived('name', () => readName(this.#doc))
  }

  get mayWrite(): boolean {
    return this.#options.keys.role !== 'observer'
  }

  get people(): readonly Person[] {
    return this.#derived('people', () => {
      const here = this.#here()
      const facilitators = this.#ledger.facilitators()
      return [...this.#ledger.profiles().values()]
        .filter((profile) => profile.name !== '')
        .map(
          (profile): Person => ({
            id: profile.author,
            name: profile.name,
            me: profile.author === this.#participant.id,
            here: here.has(profile.author),
            facilitator: facilitators.has(profile.author),
            observer: profile.observer,
          }),
        )
    })
  }

  get me(): Person | undefined {
    return this.people.find((person) => person.me)
  }

  get rememberedName(): string {
    return this.#options.rememberedName
  }

  get table(): TableView | undefined {
    return this.#derived('table', () => {
      const round = this.#roundOnTable()
      if (!round) return undefined
      const state = this.#ledger.resolve(round)
      const story = this.stories.find((other) => other.id === round.story)
      const chosen = this.#participant.choiceIn(round)
      return {
        ...(story ? { story } : {}),
        round: round.id,
        cards: round.cards,
        state,
        ...(state.phase === 'voting' ? {} : { tally: tally(round.cards, countedVotes(state)) }),
        ...(chosen ? { chosen: chosen.card } : {}),
        earlier: this.#ledger.rounds(round.story ?? 'quick').length - 1,
      }
    })
  }

  get stories(): readonly StoryView[] {
    return this.#derived('stories', () =>
      readStories(this.#doc).map(({ id, title }) => ({ id, title, estimates: this.#estimatesOf(id) })),
    )
  }

  get deck(): Deck {
    return this.#derived('deck', () => readDeck(this.#doc))
  }

  get saved(): SavedView {
    this.#subscribe()
    const device = this.#replica.state
    return {
      device: typeof device === 'string' ? device : { failed: this.#options.troubleWords(device.trouble) },
      relay: this.#link?.state ?? { state: 'connecting' },
      waiting: this.#link?.waiting ?? 0,
    }
  }

  get invitations(): { readonly member?: string; readonly observer: string } {
    const { base, keys } = this.#options
    return this.#derived('invitations', () => ({
      ...(this.mayWrite ? { member: invitationLink(base, keys, 'member') } : {}),
      observer: invitationLink(base, keys, 'observer'),
    }))
  }

  title(story: StoryId): Y.Text | undefined {
    return titleOf(this.#doc, story)
  }

  introduce(name: string): void {
    if (!this.mayWrite || name === this.me?.name) return
    this.#add(this.#participant.introduce(name))
    this.#options.remember({ person: name })
    this.#announce()
  }

  choose(card: number | undefined): void {
    const round = this.#roundOnTable()
    if (!this.mayWrite || !round || this.#ledger.resolve(round).phase !== 'voting') return
    this.#add(this.#participant.choose(round.id, card === undefined ? undefined : { card, unsure: false }))
  }

  reveal(): void {
    const round = this.#roundOnTable()
    if (this.mayWrite && round) this.#add(this.#participant.reveal(round.id))
  }

  admit(seals: readonly SealId[]): void {
    const round = this.#roundOnTable()
    if (this.mayWrite && round) this.#add(this.#participant.admit(round.id, seals))
  }

  settle(card: number): void {
    const round = this.#roundOnTable()
    if (this.mayWrite && round?.cards[card]) this.#add(this.#participant.settle(round, card))
  }

  voteAgain(): void {
    const round = this.#roundOnTable()
    if (this.mayWrite && round) this.#add(this.#participant.startRound(round.story, this.deck.cards))
  }

  lay(story: StoryId | undefined): void {
    if (!this.mayWrite) return
    this.#doc.transact(() => {
      writeLaid(this.#doc, story)
      const current = this.#ledger.current(story ?? 'quick')
      const fresh = current && (story || this.#ledger.resolve(current).phase === 'voting')
      if (!fresh) this.#add(this.#participant.startRound(story, this.deck.cards))
    })
  }

  addStories(titles: readonly string[]): void {
    if (this.mayWrite) addStories(this.#doc, titles)
  }

  moveStory(story: StoryId, before: StoryId | undefined): void {
    if (this.mayWrite) moveStory(this.#doc, story, before)
  }

  removeStory(story: StoryId): void {
    if (this.mayWrite) markRemoved(this.#doc, story, true)
  }

  restoreStory(story: StoryId): void {
    if (this.mayWrite) markRemoved(this.#doc, story, false)
  }

  useDeck(deck: Deck): void {
    if (this.mayWrite) writeDeck(this.#doc, deck)
  }

  rename(name: string): void {
    if (this.mayWrite) writeName(this.#doc, name)
  }

  retry(): void {
    this.#link?.retryNow()
  }

  /** The laid story's round, or the quick one when that story has none. */
  #roundOnTable(): RecordOf<'round'> | undefined {
    return this.#derived('round', () => {
      const laid = readLaid(this.#doc)
      return (laid && this.#ledger.current(laid)) ?? this.#ledger.current('quick')
    })
  }

  #estimatesOf(topic: Topic): StoryView['estimates'] {
    return distinctValues(standingEstimates(this.#ledger.estimatesOf(topic))).map(({ card, by }) => ({
      card,
      by,
    }))
  }

  #here(): Set<ParticipantId> {
    const states = this.#provider?.awareness.getStates().values() ?? []
    const here = [...states].map((state) => state.participant as ParticipantId | undefined)
    return new Set(here.filter((id) => id !== undefined))
  }

  /** Presence: this participant to the relay's room, and to this browser's other tabs. */
  #announce(): void {
    const participant =
      this.mayWrite && this.#ledger.isMember(this.#participant.id) ? this.#participant.id : undefined
    this.#provider?.awareness.setLocalState({ participant })
    this.#link?.tell({ participant })
  }

  #add(bytes: Uint8Array): void {
    addRecord(this.#doc, bytes)
  }

  #index(key: string): void {
    const bytes = recordsOf(this.#doc).get(key)
    if (bytes instanceof Uint8Array) this.#ledger.add(key, bytes)
  }

  /** Something the view shows may be different; and this participant may now owe the others something. */
  #change(): void {
    this.#cache.clear()
    this.#changed()
    if (this.#following) return
    this.#following = true
    queueMicrotask(() => {
      this.#following = false
      this.#rememberSessionName()
      if (this.mayWrite) this.#payWhatIsOwed()
    })
  }

  #rememberSessionName(): void {
    const name = readName(this.#doc)
    if (name === this.#nameKept) return
    this.#nameKept = name
    this.#options.remember({ session: name ?? '' })
  }

  #payWhatIsOwed(): void {
    const rounds = this.#participant.roundsToOpen().flatMap((id) => this.#ledger.round(id) ?? [])
    const owed = rounds.flatMap((round) => this.#participant.owedOpens(round, this.#ledger.resolve(round)))
    const table = this.#roundOnTable()
    const vote = table && this.#participant.owedVote(table)
    if (table && vote && this.#ledger.resolve(table).phase === 'voting') {
      owed.push(this.#participant.choose(table.id, vote))
    }
    if (owed.length === 0) return
    this.#doc.transact(() => {
      for (const bytes of owed) this.#add(bytes)
    })
  }

  #derived<Value>(name: string, compute: () => Value): Value {
    this.#subscribe()
    if (!this.#cache.has(name)) this.#cache.set(name, compute())
    return this.#cache.get(name) as Value
  }
}

function countedVotes(state: RoundState): CountedVote<ParticipantId>[] {
  if (state.phase === 'voting') return []
  return [...state.votes].flatMap(([voter, vote]) =>
    vote.state === 'counted' ? [{ voter, card: vote.card, unsure: vote.unsure }] : [],
  )
}
