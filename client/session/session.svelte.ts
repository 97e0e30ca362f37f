import type * as Y from 'yjs'
import type { Deck } from '../../shared/deck.ts'
import {
  addStories,
  markRemoved,
  moveStory,
  type NewStory,
  notesOf,
  readDeck,
  readField,
  readHidden,
  readLaid,
  readLinkTemplate,
  readName,
  readTeamDecks,
  removeTeamDeck,
  titleOf,
  writeField,
  writeHidden,
  writeLaid,
  writeLinkTemplate,
  writeName,
  writeTeamDeck,
  writeTimer,
} from '../../shared/document.ts'
import type { ParticipantId, RecordId, RoundId, SealId, StoryId } from '../../shared/id.ts'
import { deviceLink, invitationLink } from '../../shared/invitation.ts'
import type { Topic } from '../../shared/ledger.ts'
import type { RecordOf } from '../../shared/record.ts'
import type { AutoReveal } from './auto-reveal.ts'
import { applyRules, deal } from './begin-anew.ts'
import { TeamTimer } from './clock.ts'
import { SessionCore, type SessionOptions } from './core.ts'
import { everybodyIn, hiddenIn, peopleIn } from './people.ts'
import type {
  Imported,
  Moment,
  Person,
  Rules,
  SavedView,
  SessionArchive,
  SessionView,
  StoryView,
  TableView,
  Timer,
  Title,
  Undoable,
} from './session-view.ts'
import { StoryViews } from './story-view.ts'
import { tableView } from './table-view.ts'
import { UndoStack } from './undo.ts'

/** So long after the last change what is worth remembering is remembered, in milliseconds. */
const quiet = 3_000

/** A session on this device behind one reactive view. */
export class LiveSession implements SessionView {
  readonly core: SessionCore
  readonly #undo = new UndoStack()
  #autoReveal: AutoReveal | undefined
  readonly #timer = new TeamTimer()
  readonly #storyViews = new StoryViews()
  #remembering: ReturnType<typeof setTimeout> | undefined
  /** The story this participant looks at while the others are at another. */
  #looked: StoryId | undefined

  private constructor(options: SessionOptions) {
    this.core = new SessionCore(options)
    this.core.follow(() => {
      this.#considerRevealing()
      this.#rememberLater()
    })
  }

  /** Makes a session that never was: it exists at once, whether or not there is a network. */
  static async create(options: SessionOptions): Promise<LiveSession> {
    const session = await LiveSession.open(options)
    const { core } = session
    core.doc.transact(() => {
      core.add(core.participant.introduce(options.rememberedName))
      for (const grant of core.participant.takeChair()) core.add(grant)
      core.add(core.participant.startRound(undefined, session.deck.cards), true)
    })
    return session
  }

  /** Opens what this device has of a session, and connects. */
  static async open(options: SessionOptions): Promise<LiveSession> {
    const session = new LiveSession(options)
    await session.core.start()
    return session
  }

  /** Resolves when everything is on the device and, if it can be reached in time, at the relay. */
  async whenSaved(patience: number): Promise<void> {
    const { replica, link } = this.core
    const saved = () => replica.state !== 'saving' && link?.state.state === 'connected' && link.waiting === 0
    await this.core.until(saved, patience)
  }

  /** When the line breaks before the relay has answered, nobody knows what became of it: asked again, the relay says so. */
  async deleteFromRelay(patience: number): Promise<'deleted' | 'offline' | 'refused'> {
    const { link } = this.core
    const connected = () => link?.state.state === 'connected' || link?.state.state === 'refused'
    for (let asked = 0; link && asked < 5; asked++) {
      await this.core.until(connected, patience)
      if (!connected()) break
      const outcome = await link.deleteFromRelay()
      if (outcome !== 'offline') return outcome
      await new Promise((resolve) => setTimeout(resolve, 200)) // it may not be known yet that the line broke
    }
    return 'offline'
  }

  async close(): Promise<void> {
    this.#autoReveal?.stop()
    clearTimeout(this.#remembering)
    this.#remember()
    await this.core.close()
  }

  get name(): string | undefined {
    return this.core.derived('name', () => readName(this.core.doc))
  }

  get mayWrite(): boolean {
    return this.core.mayWrite
  }

  get people(): readonly Person[] {
    return peopleIn(this.core)
  }

  get hidden(): readonly Person[] {
    return hiddenIn(this.core)
  }

  get me(): Person | undefined {
    return everybodyIn(this.core).find((person) => person.me)
  }

  get rememberedName(): string {
    return this.core.options.rememberedName
  }

  get table(): TableView | undefined {
    return this.core.derived('table', () => {
      const round = this.#round
      const { roundOnTable } = this.core
      if (!round) return undefined
      const storyOf = (at: typeof roundOnTable) => this.stories.find(({ id }) => id === at?.story)
      const table = tableView(this.core, round, storyOf(round), round === roundOnTable)
      const teamStory = table.everybodys ? undefined : storyOf(roundOnTable)
      return { ...table, ...(teamStory && { teamStory }) }
    })
  }

  get stories(): readonly StoryView[] {
    return this.core.derived('stories', () => {
      const { ledger, participant, backlog } = this.core
      return this.#storyViews.of(backlog.stories, ledger, participant.id, this.linkTemplate)
    })
  }

  get deck(): Deck {
    return this.core.derived('deck', () => readDeck(this.core.doc))
  }

  get teamDecks(): readonly Deck[] {
    return this.core.derived('team decks', () => readTeamDecks(this.core.doc))
  }

  get rules(): Rules {
    return this.core.derived('rules', () => this.core.ledger.rules())
  }

  get mayDecide(): boolean {
    return this.core.derived(
      'may decide',
      () => this.mayWrite && this.core.ledger.mayStart(this.core.participant.id),
    )
  }

  get mayTakeOver(): boolean {
    const facilitated = () => this.people.some((person) => person.facilitator && person.here)
    return this.mayWrite && this.me !== undefined && !this.mayDecide && !facilitated()
  }

  get timer(): Timer | undefined {
    return this.core.derived('timer', () =>
      this.#timer.read(this.core.doc, this.core.link?.state.state === 'connected'),
    )
  }

  get linkTemplate(): string {
    return this.core.derived('link template', () => readLinkTemplate(this.core.doc))
  }

  get saved(): SavedView {
    return this.core.derived('saved', () => {
      const { replica, link, same } = this.core
      const device = replica.state
      return {
        device: typeof device === 'string' ? device : { failed: device.trouble },
        relay: link?.state ?? { state: 'connecting' },
        slow: link?.slow ?? false,
        waiting: link?.waiting ?? 0,
        twice: link?.savedTwice ?? false,
        same,
      }
    })
  }

  get invitations(): { readonly member?: string; readonly observer: string } {
    const { base, keys } = this.core.options
    return this.core.derived('invitations', () => ({
      ...(this.mayWrite ? { member: invitationLink(base, keys, 'member') } : {}),
      observer: invitationLink(base, keys, 'observer'),
    }))
  }

  get deviceLink(): string | undefined {
    const { base, keys, seed } = this.core.options
    return this.core.derived('device link', () => (this.mayWrite ? deviceLink(base, keys, seed) : undefined))
  }

  get mayDelete(): boolean {
    return this.core.options.keys.role === 'owner'
  }

  get undoable(): Undoable | undefined {
    return this.core.derived('undoable', () => this.#undo.offered)
  }

  title(story: StoryId): Y.Text | undefined {
    return titleOf(this.core.doc, story)
  }

  notes(story: StoryId): Y.Text | undefined {
    return notesOf(this.core.doc, story)
  }

  introduce(name: string): void {
    if (!this.mayWrite || name === this.me?.name) return
    this.core.add(this.core.participant.introduce(name, this.me?.observer))
    this.core.options.remember({ person: name })
  }

  observe(observer: boolean): void {
    const { me } = this
    if (!this.mayWrite || !me || me.observer === observer) return
    this.core.doc.transact(() => {
      if (observer) this.choose(undefined)
      this.core.add(this.core.participant.introduce(me.name, observer))
    })
  }

  choose(card: number | undefined, unsure = false): void {
    const round = this.#round
    const { ledger, participant } = this.core
    if (!this.mayWrite || !round || ledger.resolve(round).phase !== 'voting') return
    if (card === undefined && !participant.choiceIn(round)) return
    this.core.doc.transact(() => {
      this.core.vote(round, card === undefined ? undefined : { card, unsure })
      // Whoever takes part again keeps their seat when they leave the next time.
      if (readHidden(this.core.doc).has(participant.id)) writeHidden(this.core.doc, participant.id, false)
    })
  }

  reveal(): void {
    const round = this.#decidable
    if (round) this.core.reveal(round)
  }

  admit(seals: readonly SealId[]): void {
    const round = this.#decidable
    if (round) this.core.add(this.core.participant.admit(round.id, seals))
  }

  settle(card: number): void {
    const round = this.#decidable
    const face = round?.cards[card]
    if (!round || !face) return
    const estimate = this.core.add(this.core.participant.settle(round, card), true)
    this.#did('settled', face.label, () => this.#withdraw(estimate))
    this.#remember() // the page may be left at once
  }

  voteAgain(): void {
    const round = this.#round
    if (!round || !this.mayDecide) return
    const started = this.#startRound(round.story)
    this.#started('votedAgain', this.#titleOf(round.story), [started])
  }

  lay(story: StoryId | undefined): void {
    if (!this.mayDecide) return
    const before = readLaid(this.core.doc)
    this.#looked = undefined
    const started = this.core.doc.transact(() => {
      writeLaid(this.core.doc, story)
      return this.#startIfNeeded(story)
    })
    const laid = () => readLaid(this.core.doc)
    this.#replaced('laid', this.#titleOf(story), laid, () => {
      writeLaid(this.core.doc, before)
      this.#withdraw(...this.#onlyMine(started ? [started] : []))
    })
  }

  look(story: StoryId | undefined): void {
    this.#looked = story === readLaid(this.core.doc) ? undefined : story
    if (this.#looked && this.mayDecide && !this.core.ledger.current(this.#looked)) {
      this.#startRound(this.#looked)
    }
    this.core.change()
  }

  openStories(stories: readonly StoryId[]): void {
    if (!this.mayDecide) return
    const started = this.core.doc.transact(() => stories.flatMap((story) => this.#startIfNeeded(story) ?? []))
    if (started.length === 0) return
    this.#started('started', this.#titleOf(stories[0]), started)
  }

  addStories(stories: readonly NewStory[]): void {
    if (!this.mayWrite || stories.length === 0) return
    const added = addStories(this.core.doc, stories)
    this.#did('added', stories[0]?.title ?? '', () => this.#markRemoved(added, true), added.length)
  }

  async importStories(
    stories: readonly NewStory[],
    progress: (done: number) => void,
    signal?: AbortSignal,
    titles: readonly Title[] = [],
  ): Promise<Imported> {
    const arriving = { stories, titles, added: [], before: [], progress, signal }
    const { bringIn, takeOut } = await import('./bring-in.ts')
    const come = () => ({ added: arriving.added.length, retitled: arriving.before.length })
    try {
      if (this.mayWrite) await this.core.quietly(() => bringIn(this.core, arriving))
    } finally {
      const { added, retitled } = come()
      const undo = () => takeOut(this.core, arriving)
      if (added > 0) this.#did('imported', '', undo, added)
      else if (retitled > 0) this.#did('retitled', '', undo, retitled)
    }
    return come()
  }

  moveStory(story: StoryId, before: StoryId | undefined): void {
    if (!this.mayWrite) return
    const had = moveStory(this.core.doc, story, before)
    if (had !== undefined) {
      const order = () => readField(this.core.doc, story, 'order')
      const putBack = () => writeField(this.core.doc, story, 'order', had)
      this.#replaced('moved', this.#titleOf(story), order, putBack)
    }
  }

  removeStory(story: StoryId): void {
    if (!this.mayWrite) return
    const title = this.#titleOf(story)
    this.#markRemoved([story], true)
    this.#did('removed', title, () => this.#markRemoved([story], false))
  }

  setLink(story: StoryId, link: string): void {
    this.#setField(story, 'link', link)
  }

  setKey(story: StoryId, key: string): void {
    this.#setField(story, 'key', key)
  }

  setLinkTemplate(template: string): void {
    const before = this.linkTemplate
    if (!this.mayWrite || template === before) return
    writeLinkTemplate(this.core.doc, template)
    const linkTemplate = () => readLinkTemplate(this.core.doc)
    this.#replaced('linkTemplate', template, linkTemplate, () => writeLinkTemplate(this.core.doc, before))
  }

  useDeck(deck: Deck): void {
    if (!this.mayWrite) return
    const before = this.deck
    deal(this.core, deck)
    const used = () => readDeck(this.core.doc)
    this.#replaced('deck', deck.name, used, () => deal(this.core, before))
  }

  shareDeck(deck: Deck): void {
    if (this.mayWrite) writeTeamDeck(this.core.doc, deck)
  }

  unshareDeck(name: string): void {
    if (this.mayWrite) removeTeamDeck(this.core.doc, name)
  }

  rename(name: string): void {
    const before = this.name ?? ''
    if (!this.mayWrite || name === before) return
    writeName(this.core.doc, name)
    const called = () => readName(this.core.doc)
    this.#replaced('renamed', name, called, () => writeName(this.core.doc, before))
  }

  /** Open rounds go on under the new rules: hidden votes are carried over by those who cast them. */
  setRules(rules: Rules): void {
    if (!this.me?.facilitator) return
    const before = this.rules
    applyRules(this.core, rules)
    const standing = () => this.core.ledger.rules()
    this.#replaced('rules', '', standing, () => applyRules(this.core, before))
  }

  makeFacilitator(participant: ParticipantId): void {
    if (this.me?.facilitator) this.core.add(this.core.participant.grant(participant))
  }

  takeOver(): void {
    if (this.mayTakeOver) this.core.add(this.core.participant.takeOver())
  }

  hide(participant: ParticipantId, hidden: boolean): void {
    if (!this.mayWrite) return
    const name = everybodyIn(this.core).find(({ id }) => id === participant)?.name ?? ''
    writeHidden(this.core.doc, participant, hidden)
    if (hidden) this.#did('hidden', name, () => writeHidden(this.core.doc, participant, false))
  }

  startTimer(seconds: number): void {
    if (this.mayWrite) writeTimer(this.core.doc, { seconds, ends: Date.now() + seconds * 1000 })
  }

  stopTimer(): void {
    if (this.mayWrite) writeTimer(this.core.doc, undefined)
  }

  nudge(participant: ParticipantId): void {
    if (this.mayWrite && this.me) this.core.nudge(participant)
  }

  react(emoji: string): void {
    if (this.mayWrite && this.me) this.core.react(emoji)
  }

  async archive(): Promise<SessionArchive> {
    const { Archive } = await import('./archive.ts')
    return new Archive(this.core, () => this.stories)
  }

  onMoment(listener: (moment: Moment) => void): () => void {
    return this.core.moments.listen(listener)
  }

  undo(): void {
    this.#undo.undo()
    this.core.change()
  }

  forgetUndo(): void {
    this.#undo.forget()
    this.core.change()
  }

  retry(): void {
    this.core.link?.retryNow()
  }

  /** The round this device shows. */
  get #round(): RecordOf<'round'> | undefined {
    const looked = this.#looked && this.core.backlog.story(this.#looked) ? this.#looked : undefined
    return (looked && this.core.ledger.current(looked)) ?? this.core.roundOnTable
  }

  get #decidable(): RecordOf<'round'> | undefined {
    const round = this.#round
    const { ledger, participant } = this.core
    return this.mayWrite && round && ledger.mayDecide(participant.id, round) ? round : undefined
  }

  #startRound(story: StoryId | undefined): RoundId {
    return this.core.add(this.core.participant.startRound(story, this.deck.cards), true)
  }

  /** A story keeps the round it has; the quick round is a new one, unless nobody revealed the last. */
  #startIfNeeded(story: StoryId | undefined): RoundId | undefined {
    const topic: Topic = story ?? 'quick'
    const current = this.core.ledger.current(topic)
    const goesOn = current && (story || this.core.ledger.resolve(current).phase === 'voting')
    return goesOn ? undefined : this.#startRound(story)
  }

  #withdraw(...records: readonly RecordId[]): void {
    this.core.doc.transact(() => {
      for (const record of records) this.core.add(this.core.participant.withdraw(record))
    })
  }

  #markRemoved(stories: readonly StoryId[], removed: boolean): void {
    this.core.doc.transact(() => {
      for (const story of stories) markRemoved(this.core.doc, story, removed)
    })
  }

  #setField(story: StoryId, field: 'link' | 'key', text: string): void {
    const before = readField(this.core.doc, story, field)
    if (!this.mayWrite || text === before) return
    writeField(this.core.doc, story, field, text)
    const written = () => readField(this.core.doc, story, field)
    const putBack = () => writeField(this.core.doc, story, field, before)
    this.#replaced(field, this.#titleOf(story), written, putBack)
  }

  #titleOf(story: StoryId | undefined): string {
    return (story && this.core.backlog.story(story)?.title) ?? ''
  }

  /** Of something that has one value for all: what somebody else has put there since stays. */
  #replaced(act: Undoable['act'], name: string, read: () => unknown, putBack: () => void): void {
    const mine = JSON.stringify(read())
    this.#did(act, name, putBack, 1, () => JSON.stringify(read()) === mine)
  }

  #started(act: Undoable['act'], name: string, rounds: readonly RoundId[]): void {
    const undo = () => this.#withdraw(...this.#onlyMine(rounds))
    this.#did(act, name, undo, rounds.length, () => this.#onlyMine(rounds).length > 0)
  }

  /** Those in which nobody else has voted: a vote in a round that is taken back would be lost. */
  #onlyMine(rounds: readonly RoundId[]): RoundId[] {
    const { ledger, participant } = this.core
    return rounds.filter((id) => {
      const round = ledger.round(id)
      const state = round && ledger.resolve(round)
      return state?.phase === 'voting' && [...state.voted].every((voter) => voter === participant.id)
    })
  }

  #did(...did: Parameters<UndoStack['did']>): void {
    this.#undo.did(...did)
    this.core.change()
  }

  #rememberLater(): void {
    clearTimeout(this.#remembering)
    this.#remembering = setTimeout(() => this.#remember(), quiet)
  }

  #remember(): void {
    const settled = this.stories.flatMap(({ title, estimates: [estimate, second] }) =>
      estimate && !second ? [{ label: estimate.card.label, title }] : [],
    )
    this.core.options.rememberEstimates(settled)
  }

  /** Fetched when the rules first say so; without a network the next change asks again, and somebody can reveal by hand. */
  #considerRevealing(): void {
    if (this.#autoReveal) this.#autoReveal.consider()
    else if (this.rules.auto) {
      void import('./auto-reveal.ts').then(
        ({ AutoReveal }) => {
          this.#autoReveal ??= new AutoReveal(this.core)
          this.#autoReveal.consider()
        },
        () => {},
      )
    }
  }
}
