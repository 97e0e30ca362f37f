/** What the pages show of a session: plain values, derived from the document and the link. */
import type * as Y from 'yjs'
import type { PastRound } from '../../shared/chronicle.ts'
import type { Card, Deck } from '../../shared/deck.ts'
import type { NewStory } from '../../shared/document.ts'
import type { ParticipantId, RoundId, SealId, StoryId } from '../../shared/id.ts'
import type { RoundState } from '../../shared/round.ts'
import type { FileKind } from '../../shared/session-file.ts'
import type { Told } from '../../shared/statistics.ts'
import type { Tally } from '../../shared/tally.ts'

export interface Person {
  readonly id: ParticipantId
  readonly name: string
  readonly me: boolean
  readonly here: boolean
  readonly facilitator: boolean
  /** A facilitator because nobody else was there, by their own statement. */
  readonly tookOver: boolean
  readonly observer: boolean
}

export interface StoryView {
  readonly id: StoryId
  readonly title: string
  /** What the tracker calls it; empty when it has no key. */
  readonly key: string
  /** Where it lives in the tracker: only `http` and `https`. */
  readonly link: string | undefined
  /** As it was typed, whether or not it leads anywhere. */
  readonly typedLink: string
  /** The estimate it was imported with, as text; empty when there was none. */
  readonly given: string
  readonly hasNotes: boolean
  /** Cards of the estimates nobody replaced: none, one, or several that conflict. */
  readonly estimates: readonly { card: Card; by: ParticipantId }[]
  /** How far its current round is. */
  readonly round: 'none' | 'voting' | 'revealed'
  /** How many have voted in its open round, and whether this participant has. */
  readonly voted: number
  readonly votedMyself: boolean
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
  /** The tally of those who were sure, when somebody was not. */
  readonly sureTally?: Tally<ParticipantId>
  /** The index of the card this participant chose; undefined when they have not voted. */
  readonly chosen?: number
  /** The label of what they had chosen in the round that this one, with other cards, has taken the place of. */
  readonly leftBehind?: string
  /** This participant marked their vote as unsure. */
  readonly unsure: boolean
  /** Whether the card opens even when this participant leaves; undefined when they have not voted, or the round is open. */
  readonly opensAlone?: boolean
  /** How many rounds this story (or the quick round) has had before this one. */
  readonly earlier: number
  /** False: this participant looks at another story than the rest of the team. */
  readonly everybodys: boolean
  /** What the team is at meanwhile; undefined: a quick round. */
  readonly teamStory?: StoryView
  /** Whether this participant may reveal, admit and settle in this round. */
  readonly mayDecide: boolean
}

export interface Rules {
  /** Who may start, reveal and settle rounds. */
  readonly who: 'anybody' | 'facilitators'
  /** Reveal when everybody present has voted. */
  readonly auto: boolean
  /** Whether the relay keeps the keys with which the cards of those who left can be opened. */
  readonly escrow: boolean
}

/** A countdown everybody sees. `ends` is in this device's clock, in milliseconds. */
export interface Timer {
  readonly ends: number
  readonly seconds: number
}

/** Something that happens and is gone. */
export type Moment =
  | { readonly kind: 'reaction'; readonly by: ParticipantId; readonly emoji: string }
  /** Somebody asks this participant to vote. */
  | { readonly kind: 'nudge'; readonly by: ParticipantId }

/** An act of this device that can be undone: what it was, and what it was done to. */
export interface Undoable {
  readonly act:
    | 'removed'
    | 'moved'
    | 'added'
    | 'imported'
    | 'retitled'
    | 'renamed'
    | 'deck'
    | 'settled'
    | 'votedAgain'
    | 'started'
    | 'laid'
    | 'rules'
    | 'hidden'
    | 'linkTemplate'
    | 'link'
    | 'key'
  /** A title, a name or a card's label; empty when there is none. */
  readonly name: string
  /** How many stories it was done to. */
  readonly count: number
}

export interface Imported {
  readonly added: number
  readonly retitled: number
}

/** What a story is to be called. */
export interface Title {
  readonly story: StoryId
  readonly title: string
}

/** Where the changes are: facts, never a guess. */
export interface SavedView {
  readonly device: 'saved' | 'saving' | { readonly failed: 'full' | 'unavailable' | 'silent' | 'broken' }
  readonly relay:
    | { readonly state: 'connecting' }
    | { readonly state: 'connected' }
    /** Connected, but the relay's store keeps nothing at the moment. */
    | { readonly state: 'unkept' }
    | { readonly state: 'offline'; readonly since: number }
    | { readonly state: 'refused'; readonly reason: string; readonly words: string }
  /** Connected without a WebSocket, because this network blocks those. */
  readonly slow?: boolean
  /** Changes made on this device that no relay has confirmed. */
  readonly waiting: number
  /** All that relays have is saved in two regions. */
  readonly twice?: boolean
  /** Whether everybody here sees the same; undefined: alone, or not known yet. */
  readonly same: boolean | undefined
}

/** Everything the session page shows and may do. Getters are reactive; acts return nothing, their effect is seen in the getters. */
export interface SessionView {
  /** Undefined until the session has been given a name. */
  readonly name: string | undefined
  /** False with an observer's invitation: then no act has an effect and no control is shown for it. */
  readonly mayWrite: boolean
  /** Without the hidden ones. */
  readonly people: readonly Person[]
  /** Those somebody hid from the table; they come back by themselves when they are here. */
  readonly hidden: readonly Person[]
  /** Undefined until this participant has told their name. */
  readonly me: Person | undefined
  /** The name told in the last session on this device. */
  readonly rememberedName: string
  /** Undefined while the session has not been received yet and there is nothing to show. */
  readonly table: TableView | undefined
  /** In backlog order, without the removed ones. */
  readonly stories: readonly StoryView[]
  readonly deck: Deck
  /** Decks that somebody of the team made for this session. */
  readonly teamDecks: readonly Deck[]
  readonly rules: Rules
  /** May start, reveal and settle, and change the rules when they say "facilitators only". */
  readonly mayDecide: boolean
  /** A facilitator is needed and none is here. */
  readonly mayTakeOver: boolean
  readonly timer: Timer | undefined
  /** Such as `https://tracker.example/browse/{key}`; empty when there is none. */
  readonly linkTemplate: string
  readonly saved: SavedView
  /** Complete links. The member's is undefined for an observer. */
  readonly invitations: { readonly member?: string; readonly observer: string }
  /** A link that makes another device the same participant; undefined for an observer. Whoever has it can vote as them. */
  readonly deviceLink: string | undefined
  /** Whether this device may delete the session from the relay. */
  readonly mayDelete: boolean
  /** The last act of this device that can be undone. */
  readonly undoable: Undoable | undefined

  /** The title of a story as shared text, for an input that several people edit at once. */
  title(story: StoryId): Y.Text | undefined
  /** The notes of a story as shared text. */
  notes(story: StoryId): Y.Text | undefined
  introduce(name: string): void
  /** Becomes an observer, or a voter again. */
  observe(observer: boolean): void
  /** Chooses a card; undefined takes the vote back. */
  choose(card: number | undefined, unsure?: boolean): void
  reveal(): void
  /** Counts late votes after all. */
  admit(seals: readonly SealId[]): void
  /** Records the card (a place in the round's cards) as the story's estimate. */
  settle(card: number): void
  /** A new round on the same story. */
  voteAgain(): void
  /** Puts a story on everybody's table and starts its round; undefined: a new quick round. */
  lay(story: StoryId | undefined): void
  /** Shows a story's round on this device alone, starting it when there is none; undefined: back to everybody's table. */
  look(story: StoryId | undefined): void
  /** Starts rounds for the stories that have none, so that people can vote on their own. */
  openStories(stories: readonly StoryId[]): void
  addStories(stories: readonly NewStory[]): void
  /** Many at once, in portions, so that the page stays alive, and new titles for others, all undone as one. Says what came, which is less when it was aborted. */
  importStories(
    stories: readonly NewStory[],
    progress: (done: number) => void,
    signal?: AbortSignal,
    titles?: readonly Title[],
  ): Promise<Imported>
  /** Places a story before another; undefined: last. */
  moveStory(story: StoryId, before: StoryId | undefined): void
  removeStory(story: StoryId): void
  setLink(story: StoryId, link: string): void
  setKey(story: StoryId, key: string): void
  setLinkTemplate(template: string): void
  useDeck(deck: Deck): void
  /** Adds a custom deck to the session's, replaces one of the same name, or takes it away. */
  shareDeck(deck: Deck): void
  unshareDeck(name: string): void
  rename(name: string): void
  setRules(rules: Rules): void
  makeFacilitator(participant: ParticipantId): void
  takeOver(): void
  hide(participant: ParticipantId, hidden: boolean): void
  startTimer(seconds: number): void
  stopTimer(): void
  nudge(participant: ParticipantId): void
  react(emoji: string): void
  archive(): Promise<SessionArchive>
  /** Called for every reaction of anybody and every nudge of this participant. Returns the way to end it. */
  onMoment(listener: (moment: Moment) => void): () => void
  /** Undoes the last act of this device. */
  undo(): void
  /** The act can no longer be undone from the screen; nothing else changes. */
  forgetUndo(): void
  /** Looks for the relay now, rather than when it would be looked for again. */
  retry(): void
}

/** What the panels read that is too much for every visit: fetched with them. */
export interface SessionArchive {
  /** The whole session as the bytes of a `.facedown` file. */
  file(kind: FileKind): Uint8Array<ArrayBuffer>
  /** Every round of a story, the first one first; undefined: the quick rounds. */
  chronicle(story: StoryId | undefined): Promise<readonly PastRound[]>
  /** All stories of the backlog with their rounds, in portions, so that the page stays alive. */
  everything(): AsyncIterable<Told<StoryView>>
}
