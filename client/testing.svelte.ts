/** A session without document, crypto or relay, for component tests and for looking at pages. */
import * as Y from 'yjs'
import { type Card, type Deck, defaultDeck } from '../shared/deck.ts'
import {
  type ParticipantId,
  participantId,
  type RoundId,
  recordId,
  type SealId,
  type StoryId,
  storyId,
} from '../shared/id.ts'
import type { RoundState, Settled, Vote } from '../shared/round.ts'
import { type CountedVote, tally } from '../shared/tally.ts'
import type { Person, SavedView, SessionView, StoryView, TableView } from './session-view.ts'

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
  saved = $state.raw<SavedView>({ device: 'saved', relay: { state: 'connected' }, waiting: 0 })
  received = $state(true)
  invitations: SessionView['invitations'] = $state.raw({
    member: 'https://poker.example/s/ge2tsmbwhe4tqnzvgm3dcmjsge#m-c2VjcmV0LW9mLXRoZS1tZW1iZXItaW52aXRhdGlvbg',
    observer:
      'https://poker.example/s/ge2tsmbwhe4tqnzvgm3dcmjsge#o-c2VjcmV0LW9mLXRoZS1vYnNlcnZlci1pbnZpdGF0aW9u',
  })
  /** Every act in order, for tests that ask what was done. */
  readonly acts: string[] = []

  readonly #doc = new Y.Doc()
  readonly #titles = this.#doc.getMap<Y.Text>('titles')
  #stories = $state.raw<readonly StoryView[]>([])
  #removed = new Map<StoryId, { story: StoryView; place: number }>()
  #round = $state.raw<RoundId>(recordId(next(16)))
  #story = $state.raw<StoryId | undefined>()
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
    return {
      round: this.#round,
      cards,
      state,
      earlier: this.#earlier,
      ...(story && { story }),
      ...(state.phase !== 'voting' && { tally: tally(cards, counted) }),
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

  introduce(name: string): void {
    this.acts.push(`introduce ${name}`)
    const me = this.me
    this.people = me
      ? this.people.map((person) => (person === me ? { ...me, name } : person))
      : [...this.people, fakePerson(name, { me: true })]
  }

  choose(card: number | undefined): void {
    this.acts.push(`choose ${card}`)
    const me = this.me
    if (!me) return
    const votes = new Map(this.#votes)
    if (card === undefined) votes.delete(me.id)
    else votes.set(me.id, { state: 'counted', card, unsure: false })
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
    this.begin(story ? { story } : {})
  }

  addStories(titles: readonly string[]): void {
    this.acts.push(`addStories ${titles.join(' | ')}`)
    const added = titles.map((title): StoryView => ({ id: storyId(next(10)), title, estimates: [] }))
    for (const { id, title } of added) {
      const text = new Y.Text(title)
      this.#titles.set(id, text)
      text.observe(() => {
        this.#stories = this.#stories.map((story) =>
          story.id === id ? { ...story, title: text.toString() } : story,
        )
      })
    }
    this.#stories = [...this.#stories, ...added]
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
    const place = this.#stories.findIndex(({ id }) => id === story)
    const removed = this.#stories[place]
    if (!removed) return
    this.#removed.set(story, { story: removed, place })
    this.#stories = this.#stories.toSpliced(place, 1)
  }

  restoreStory(story: StoryId): void {
    this.acts.push('restoreStory')
    const removed = this.#removed.get(story)
    if (removed) this.#stories = this.#stories.toSpliced(removed.place, 0, removed.story)
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

  #estimate(place: number, by: ParticipantId): Settled[] {
    const card = this.#cards[place]
    return card ? [{ estimate: recordId(next(16)), by, card }] : []
  }

  #state(): RoundState {
    const votes = this.#votes
    if (!this.#revealed) return { phase: 'voting', voted: new Set(votes.keys()) }
    const revealedBy = this.people[0] ? [this.people[0].id] : []
    const revealed = { votes, revealedBy, cut: new Set<SealId>() }
    const [estimate, second] = this.#estimates
    if (!estimate) return { phase: 'revealed', ...revealed }
    if (!second) return { phase: 'settled', ...revealed, estimate }
    return { phase: 'conflict', ...revealed, estimates: this.#estimates }
  }
}

export function fakeSeal(): SealId {
  return recordId(next(16))
}
