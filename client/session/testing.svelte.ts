/** A session without document, crypto or relay, for component tests and for looking at pages. */
import * as Y from 'yjs'
import type { PastRound } from '../../shared/chronicle.ts'
import { type Card, type Deck, defaultDeck } from '../../shared/deck.ts'
import type { NewStory } from '../../shared/document.ts'
import {
  type ParticipantId,
  participantId,
  type RoundId,
  recordId,
  type SealId,
  type StoryId,
  storyId,
} from '../../shared/id.ts'
import type { RoundState, Settled, Vote } from '../../shared/round.ts'
import { type CountedVote, tally } from '../../shared/tally.ts'
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

let made = 0
function next(size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  new DataView(bytes.buffer).setUint32(0, ++made)
  return bytes
}

export function fakePerson(name: string, more: Partial<Person> = {}): Person {
  return {
    id: participantId(next(32)),
    name,
    me: false,
    here: true,
    facilitator: false,
    tookOver: false,
    observer: false,
    ...more,
  }
}

/** What a fake round starts with: each person's vote (a place in the deck), and how far it went. */
export interface FakeRound {
  readonly votes?: Iterable<readonly [Person, number | Vote]>
  readonly revealed?: boolean
  readonly settled?: readonly { card: number; by: Person }[]
  readonly story?: StoryId
  readonly earlier?: number
}

export class FakeSession implements SessionView {
  name = $state<string | undefined>()
  mayWrite = $state(true)
  people = $state.raw<readonly Person[]>([])
  rememberedName = $state('')
  deck = $state.raw<Deck>(defaultDeck)
  teamDecks = $state.raw<readonly Deck[]>([])
  hidden = $state.raw<readonly Person[]>([])
  rules = $state.raw<Rules>({ who: 'anybody', auto: false, escrow: true })
  mayDecide = $state(true)
  mayTakeOver = $state(false)
  mayDelete = $state(true)
  timer = $state.raw<Timer | undefined>()
  linkTemplate = $state('')
  deviceLink = 'https://poker.example/s/ge2tsmbwhe4tqnzvgm3dcmjsge#m-c2VjcmV0.pZGV2aWNlLWxpbms'
  undoable = $state.raw<Undoable | undefined>()
  everybodys = $state(true)
  unsure = $state(false)
  saved = $state.raw<SavedView>({
    device: 'saved',
    relay: { state: 'connected' },
    waiting: 0,
    same: true,
  })
  received = $state(true)
  invitations: SessionView['invitations'] = $state.raw({
    member: 'https://poker.example/s/ge2tsmbwhe4tqnzvgm3dcmjsge#m-c2VjcmV0LW9mLXRoZS1tZW1iZXItaW52aXRhdGlvbg',
    observer:
      'https://poker.example/s/ge2tsmbwhe4tqnzvgm3dcmjsge#o-c2VjcmV0LW9mLXRoZS1vYnNlcnZlci1pbnZpdGF0aW9u',
  })
  /** For fixtures: what the archive tells. */
  readonly chronicles = new Map<StoryId | undefined, readonly PastRound[]>()
  /** Every act in order, for tests that ask what was done. */
  readonly acts: string[] = []

  readonly #doc = new Y.Doc()
  readonly #titles = this.#doc.getMap<Y.Text>('titles')
  #stories = $state.raw<readonly StoryView[]>([])
  #undo: (() => void) | undefined
  readonly #notes = new Map<StoryId, Y.Text>()
  readonly #listeners = new Set<(moment: Moment) => void>()
  #round = $state.raw<RoundId>(recordId(next(16)))
  #story = $state.raw<StoryId | undefined>()
  /** What the others have on the table while this participant looks elsewhere. */
  #teamStory = $state.raw<StoryId | undefined>()
  #votes = $state.raw<ReadonlyMap<ParticipantId, Vote>>(new Map())
  #revealed = $state(false)
  #estimates = $state.raw<readonly Settled[]>([])
  #earlier = $state(0)
  #cards = $state.raw<readonly Card[]>(defaultDeck.cards)

  get me(): Person | undefined {
    return this.people.find((person) => person.me)
  }

  get stories(): readonly StoryView[] {
    return this.#stories
  }

  get table(): TableView | undefined {
    if (!this.received) return undefined
    const cards = this.#cards
    const state = this.#state()
    const mine = this.me && this.#votes.get(this.me.id)
    const story = this.#stories.find(({ id }) => id === this.#story)
    const counted: CountedVote<ParticipantId>[] = []
    for (const [voter, vote] of this.#votes) if (vote.state === 'counted') counted.push({ voter, ...vote })
    const sure = counted.filter((vote) => !vote.unsure)
    const teamStory = this.everybodys ? undefined : this.#stories.find(({ id }) => id === this.#teamStory)
    return {
      round: this.#round,
      cards,
      state,
      earlier: this.#earlier,
      everybodys: this.everybodys,
      mayDecide: this.mayWrite && this.mayDecide,
      unsure: this.unsure,
      ...(story && { story }),
      ...(teamStory && { teamStory }),
      ...(state.phase !== 'voting' && { tally: tally(cards, counted) }),
      ...(state.phase !== 'voting' && sure.length < counted.length && { sureTally: tally(cards, sure) }),
      ...(mine?.state === 'counted' && { chosen: mine.card }),
    }
  }

  begin({ votes = [], revealed = false, settled = [], story, earlier = 0 }: FakeRound): this {
    this.#round = recordId(next(16))
    this.#story = story
    this.#cards = this.deck.cards
    this.#earlier = earlier
    this.#revealed = revealed
    this.#votes = new Map(
      [...votes].map(([person, vote]) => [
        person.id,
        typeof vote === 'number' ? { state: 'counted', card: vote, unsure: false } : vote,
      ]),
    )
    this.#estimates = settled.flatMap(({ card, by }) => this.#estimate(card, by.id))
    return this
  }

  title(story: StoryId): Y.Text | undefined {
    return this.#titles.get(story)
  }

  notes(story: StoryId): Y.Text | undefined {
    return this.#notes.get(story)
  }

  observe(observer: boolean): void {
    this.acts.push(`observe ${observer}`)
    this.people = this.people.map((person) => (person.me ? { ...person, observer } : person))
  }

  introduce(name: string): void {
    this.acts.push(`introduce ${name}`)
    const me = this.me
    this.people = me
      ? this.people.map((person) => (person === me ? { ...me, name } : person))
      : [...this.people, fakePerson(name, { me: true })]
  }

  choose(card: number | undefined, unsure = false): void {
    this.acts.push(`choose ${card}${unsure ? ' unsure' : ''}`)
    this.unsure = unsure
    const me = this.me
    if (!me) return
    const votes = new Map(this.#votes)
    if (card === undefined) votes.delete(me.id)
    else votes.set(me.id, { state: 'counted', card, unsure })
    this.#votes = votes
  }

  reveal(): void {
    this.acts.push('reveal')
    this.#revealed = true
  }

  admit(seals: readonly SealId[]): void {
    this.acts.push(`admit ${seals.length}`)
    this.#votes = new Map(
      [...this.#votes].map(([voter, vote]) => [
        voter,
        vote.state === 'late' && vote.seals.some((seal) => seals.includes(seal))
          ? { state: 'counted', card: 4, unsure: false }
          : vote,
      ]),
    )
  }

  settle(card: number): void {
    this.acts.push(`settle ${card}`)
    const by = this.me?.id ?? participantId(next(32))
    this.#estimates = this.#estimate(card, by)
    const face = this.deck.cards[card]
    this.#stories = this.#stories.map((story) =>
      story.id === this.#story && face ? { ...story, estimates: [{ card: face, by }] } : story,
    )
  }

  voteAgain(): void {
    this.acts.push('voteAgain')
    this.begin({ ...(this.#story && { story: this.#story }), earlier: this.#earlier + 1 })
  }

  lay(story: StoryId | undefined): void {
    this.acts.push(`lay ${this.#stories.find(({ id }) => id === story)?.title}`)
    this.everybodys = true
    this.begin(story ? { story } : {})
  }

  look(story: StoryId | undefined): void {
    this.acts.push(`look ${this.#stories.find(({ id }) => id === story)?.title}`)
    if (this.everybodys) this.#teamStory = this.#story
    this.everybodys = story === undefined || story === this.#teamStory
    const shown = story ?? this.#teamStory
    this.begin(shown ? { story: shown } : {})
  }

  openStories(stories: readonly StoryId[]): void {
    this.acts.push(`openStories ${stories.length}`)
    this.#stories = this.#stories.map((story) =>
      stories.includes(story.id) ? { ...story, round: 'voting' } : story,
    )
  }

  addStories(stories: readonly NewStory[]): void {
    this.acts.push(`addStories ${stories.map(({ title }) => title).join(' | ')}`)
    const added = stories.map(({ title, key = '', link = '', given = '', notes = '' }): StoryView => {
      const id = storyId(next(10))
      const text = new Y.Text(title)
      this.#titles.set(id, text)
      text.observe(() => this.changeStory(id, { title: text.toString() }))
      const notesText = this.#doc.getText(`notes ${id}`)
      notesText.insert(0, notes)
      this.#notes.set(id, notesText)
      return {
        id,
        title,
        key,
        link: link || undefined,
        typedLink: link,
        given,
        hasNotes: notes !== '',
        estimates: [],
        round: 'none',
        voted: 0,
        votedMyself: false,
      }
    })
    this.#stories = [...this.#stories, ...added]
    this.#did('added', stories[0]?.title ?? '', added.length, () => {
      this.#stories = this.#stories.filter((story) => !added.includes(story))
    })
  }

  async importStories(
    stories: readonly NewStory[],
    progress: (done: number) => void,
    signal?: AbortSignal,
    titles: readonly Title[] = [],
  ): Promise<Imported> {
    if (signal?.aborted) return { added: 0, retitled: 0 }
    for (const { story, title } of titles) this.changeStory(story, { title })
    this.addStories(stories)
    progress(stories.length)
    return { added: stories.length, retitled: titles.length }
  }

  /** For fixtures: what a story shows beyond its title. */
  changeStory(id: StoryId, more: Partial<StoryView>): void {
    this.#stories = this.#stories.map((story) => (story.id === id ? { ...story, ...more } : story))
  }

  moveStory(story: StoryId, before: StoryId | undefined): void {
    this.acts.push('moveStory')
    const moved = this.#stories.find(({ id }) => id === story)
    if (!moved) return
    const rest = this.#stories.filter(({ id }) => id !== story)
    const place = before ? rest.findIndex(({ id }) => id === before) : rest.length
    this.#stories = rest.toSpliced(place, 0, moved)
  }

  removeStory(story: StoryId): void {
    this.acts.push('removeStory')
    const before = this.#stories
    const removed = before.find(({ id }) => id === story)
    if (!removed) return
    this.#stories = before.filter((other) => other !== removed)
    this.#did('removed', removed.title, 1, () => {
      this.#stories = before
    })
  }

  setLink(story: StoryId, link: string): void {
    this.acts.push(`setLink ${link}`)
    this.changeStory(story, { link: link || undefined, typedLink: link })
  }

  setKey(story: StoryId, key: string): void {
    this.acts.push(`setKey ${key}`)
    this.changeStory(story, { key })
  }

  setLinkTemplate(template: string): void {
    this.acts.push(`setLinkTemplate ${template}`)
    this.linkTemplate = template
  }

  shareDeck(deck: Deck): void {
    this.acts.push(`shareDeck ${deck.name}`)
    this.teamDecks = [...this.teamDecks.filter(({ name }) => name !== deck.name), deck]
  }

  unshareDeck(name: string): void {
    this.acts.push(`unshareDeck ${name}`)
    this.teamDecks = this.teamDecks.filter((deck) => deck.name !== name)
  }

  setRules(rules: Rules): void {
    this.acts.push(`setRules ${rules.who} ${rules.auto}`)
    this.rules = rules
  }

  makeFacilitator(participant: ParticipantId): void {
    this.acts.push('makeFacilitator')
    this.people = this.people.map((person) =>
      person.id === participant ? { ...person, facilitator: true } : person,
    )
  }

  takeOver(): void {
    this.acts.push('takeOver')
    this.people = this.people.map((person) =>
      person.me ? { ...person, facilitator: true, tookOver: true } : person,
    )
    this.mayTakeOver = false
    this.mayDecide = true
  }

  hide(participant: ParticipantId, hidden: boolean): void {
    this.acts.push(`hide ${hidden}`)
    const from = hidden ? this.people : this.hidden
    const moved = from.filter(({ id }) => id === participant)
    this.people = hidden ? this.people.filter(({ id }) => id !== participant) : [...this.people, ...moved]
    this.hidden = hidden ? [...this.hidden, ...moved] : this.hidden.filter(({ id }) => id !== participant)
  }

  startTimer(seconds: number): void {
    this.acts.push(`startTimer ${seconds}`)
    this.timer = { seconds, ends: Date.now() + seconds * 1000 }
  }

  stopTimer(): void {
    this.acts.push('stopTimer')
    this.timer = undefined
  }

  nudge(participant: ParticipantId): void {
    this.acts.push(`nudge ${this.people.find(({ id }) => id === participant)?.name}`)
  }

  react(emoji: string): void {
    this.acts.push(`react ${emoji}`)
    if (this.me) this.happen({ kind: 'reaction', by: this.me.id, emoji })
  }

  async archive(): Promise<SessionArchive> {
    const stories = this.#stories
    const chronicles = this.chronicles
    return {
      file: () => new Uint8Array(),
      chronicle: async (story) => chronicles.get(story) ?? [],
      async *everything() {
        for (const story of stories) {
          const [estimate] = story.estimates
          const rounds = chronicles.get(story.id) ?? []
          yield { story, rounds, estimate: estimate?.card, settled: rounds.at(-1)?.revealed }
        }
      },
    }
  }

  onMoment(listener: (moment: Moment) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** For fixtures: somebody reacts or nudges. */
  happen(moment: Moment): void {
    for (const listener of this.#listeners) listener(moment)
  }

  undo(): void {
    this.acts.push('undo')
    this.#undo?.()
    this.undoable = undefined
  }

  forgetUndo(): void {
    this.undoable = undefined
  }

  retry(): void {
    this.acts.push('retry')
  }

  useDeck(deck: Deck): void {
    this.acts.push(`useDeck ${deck.name}`)
    this.deck = deck
  }

  rename(name: string): void {
    this.acts.push(`rename ${name}`)
    this.name = name || undefined
  }

  /** For fixtures: the estimates a story shows in the backlog. */
  estimate(place: number, ...labels: string[]): void {
    const by = participantId(next(32))
    this.#stories = this.#stories.map((story, at) =>
      at === place ? { ...story, estimates: labels.map((label) => ({ card: { label }, by })) } : story,
    )
  }

  #did(act: Undoable['act'], name: string, count: number, undo: () => void): void {
    this.undoable = { act, name, count }
    this.#undo = undo
  }

  #estimate(place: number, by: ParticipantId): Settled[] {
    const card = this.#cards[place]
    return card ? [{ estimate: recordId(next(16)), by, card }] : []
  }

  #state(): RoundState {
    const votes = this.#votes
    if (!this.#revealed) return { phase: 'voting', voted: new Set(votes.keys()) }
    const revealedBy = this.people[0] ? [this.people[0].id] : []
    const revealed = { votes, revealedBy, withoutReveal: [], cut: new Set<SealId>() }
    const [estimate, second] = this.#estimates
    if (!estimate) return { phase: 'revealed', ...revealed }
    if (!second) return { phase: 'settled', ...revealed, estimate }
    return { phase: 'conflict', ...revealed, estimates: this.#estimates }
  }
}

export function fakeSeal(): SealId {
  return recordId(next(16))
}
