/** What the pages show of a session: plain values, derived from the document and the link. */
import type * as Y from 'yjs'
import type { Card, Deck } from '../shared/deck.ts'
import type { ParticipantId, RoundId, SealId, StoryId } from '../shared/id.ts'
import type { RoundState } from '../shared/round.ts'
import type { Tally } from '../shared/tally.ts'

export interface Person {
  readonly id: ParticipantId
  readonly name: string
  readonly me: boolean
  readonly here: boolean
  readonly facilitator: boolean
  readonly observer: boolean
}

export interface StoryView {
  readonly id: StoryId
  readonly title: string
  /** Cards of the estimates nobody replaced: none, one, or several that conflict. */
  readonly estimates: readonly { card: Card; by: ParticipantId }[]
}

/** The round on the table and what this device may add to it. */
export interface TableView {
  /** Undefined: a quick round, without a story. */
  readonly story?: StoryView
  readonly round: RoundId
  readonly cards: readonly Card[]
  readonly state: RoundState
  /** Undefined before the reveal. */
  readonly tally?: Tally<ParticipantId>
  /** The index of the card this participant chose; undefined when they have not voted. */
  readonly chosen?: number
  /** How many rounds this story (or the quick round) has had before this one. */
  readonly earlier: number
}

/** Where the changes are: facts, never a guess. */
export interface SavedView {
  readonly device: 'saved' | 'saving' | { readonly failed: string }
  readonly relay:
    | { readonly state: 'connecting' }
    | { readonly state: 'connected' }
    /** Connected, but the relay's store keeps nothing at the moment. */
    | { readonly state: 'unkept' }
    | { readonly state: 'offline'; readonly since: number }
    | { readonly state: 'refused'; readonly words: string }
  /** Changes made on this device that no relay has confirmed. */
  readonly waiting: number
}

/** Everything the session page shows and may do. Getters are reactive; acts return nothing, their effect is seen in the getters. */
export interface SessionView {
  /** Undefined until the session has been given a name. */
  readonly name: string | undefined
  /** False with an observer's invitation: then no act has an effect and no control is shown for it. */
  readonly mayWrite: boolean
  readonly people: readonly Person[]
  /** Undefined until this participant has told their name. */
  readonly me: Person | undefined
  /** The name told in the last session on this device. */
  readonly rememberedName: string
  /** Undefined while the session has not been received yet and there is nothing to show. */
  readonly table: TableView | undefined
  /** In backlog order, without the removed ones. */
  readonly stories: readonly StoryView[]
  readonly deck: Deck
  readonly saved: SavedView
  /** Complete links. The member's is undefined for an observer. */
  readonly invitations: { readonly member?: string; readonly observer: string }

  /** The title of a story as shared text, for an input that several people edit at once. */
  title(story: StoryId): Y.Text | undefined
  introduce(name: string): void
  /** Chooses a card; undefined takes the vote back. */
  choose(card: number | undefined): void
  reveal(): void
  /** Counts late votes after all. */
  admit(seals: readonly SealId[]): void
  /** Records the card (a place in the round's cards) as the story's estimate. */
  settle(card: number): void
  /** A new round on the same story. */
  voteAgain(): void
  /** Puts a story on everybody's table and starts its round; undefined: a new quick round. */
  lay(story: StoryId | undefined): void
  addStories(titles: readonly string[]): void
  moveStory(story: StoryId, before: StoryId | undefined): void
  removeStory(story: StoryId): void
  restoreStory(story: StoryId): void
  useDeck(deck: Deck): void
  rename(name: string): void
}
