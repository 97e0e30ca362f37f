import * as Y from 'yjs'
import { applyRules, deal } from '../../client/session/begin-anew.ts'
import type { SessionCore } from '../../client/session/core.ts'
import type { Deck } from '../../shared/deck.ts'
import {
  addStories,
  markRemoved,
  moveStory,
  readDeck,
  readStories,
  storiesOf,
  titleOf,
  writeLaid,
  writeName,
} from '../../shared/document.ts'
import { parseStoryId } from '../../shared/id.ts'
import type { RecordOf } from '../../shared/record.ts'
import { type Chance, cards } from '../../shared/testing.ts'

const plain: Deck = { name: 'plain', cards }
/** To the longer one votes can be carried over, to the shorter one only back. */
const decks: readonly Deck[] = [
  plain,
  { name: 'longer', cards: [{ label: '½', number: 0.5 }, ...cards] },
  { name: 'shorter', cards: cards.slice(1) },
]

export type Act = (core: SessionCore, chance: Chance) => void

/** What people do, and how often compared with the rest. */
export const acts: readonly (readonly [weight: number, name: string, act: Act])[] = [
  [24, 'vote', vote],
  [4, 'take back', takeBack],
  [9, 'reveal', reveal],
  [5, 'settle', settle],
  [4, 'admit', admit],
  [9, 'start', start],
  [2, 'withdraw', withdraw],
  [1, 'rules', setRules],
  [1, 'deck', chooseDeck],
  [6, 'add story', addStory],
  [9, 'edit title', editTitle],
  [2, 'move', move],
  [2, 'remove', remove],
  [1, 'bring back', bringBack],
  [3, 'lay', lay],
  [1, 'rename', (core, chance) => writeName(core.doc, `Sprint ${chance.below(100)}`)],
  [
    1,
    'introduce',
    (core, chance) => void core.add(core.participant.introduce(`somebody ${chance.below(100)}`)),
  ],
  [0.15, 'import', importNotes],
]

/** Mostly the round on the table, sometimes any. */
function someRound(core: SessionCore, chance: Chance): RecordOf<'round'> | undefined {
  if (chance.happens(0.75)) return core.roundOnTable
  const topic = chance.pick(core.ledger.topics())
  return topic && chance.pick(core.ledger.rounds(topic))
}

function vote(core: SessionCore, chance: Chance): void {
  const round = someRound(core, chance)
  if (!round || (core.ledger.resolve(round).phase !== 'voting' && chance.happens(0.8))) return
  const choice = { card: chance.below(round.cards.length), unsure: chance.happens(0.2) }
  core.vote(round, choice)
}

function takeBack(core: SessionCore, chance: Chance): void {
  const round = someRound(core, chance)
  if (round && core.participant.choiceIn(round)) core.vote(round, undefined)
}

function reveal(core: SessionCore, chance: Chance): void {
  const round = someRound(core, chance)
  if (round && (core.ledger.resolve(round).phase === 'voting' || chance.happens(0.1))) core.reveal(round)
}

function settle(core: SessionCore, chance: Chance): void {
  const round = someRound(core, chance)
  if (round && core.ledger.resolve(round).phase !== 'voting')
    core.add(core.participant.settle(round, chance.below(round.cards.length)), true)
}

function admit(core: SessionCore, chance: Chance): void {
  const round = someRound(core, chance)
  const state = round && core.ledger.resolve(round)
  if (!round || !state || state.phase === 'voting') return
  const late = [...state.votes.values()].flatMap((each) => (each.state === 'late' ? each.seals : []))
  if (late.length > 0) core.add(core.participant.admit(round.id, late))
}

function start(core: SessionCore, chance: Chance): void {
  const stories = readStories(core.doc)
  const story = stories.length > 0 && chance.happens(0.8) ? chance.pick(stories).id : undefined
  core.add(core.participant.startRound(story, dealt(core).cards), true)
  if (chance.happens(0.7)) writeLaid(core.doc, story)
}

function withdraw(core: SessionCore, chance: Chance): void {
  const round = someRound(core, chance)
  if (!round) return
  const estimates = core.ledger.estimates(round)
  const target = estimates.length > 0 ? chance.pick(estimates).record : round
  core.add(core.participant.withdraw(target.id))
}

function setRules(core: SessionCore, chance: Chance): void {
  const { participant, ledger } = core
  if (!ledger.facilitators().has(participant.id)) {
    if (chance.happens(0.3)) core.add(participant.takeOver())
    return
  }
  const who = chance.happens(0.3) ? 'facilitators' : 'anybody'
  applyRules(core, { who, auto: chance.happens(0.5), escrow: chance.happens(0.8) })
}

function chooseDeck(core: SessionCore, chance: Chance): void {
  deal(core, chance.pick(decks))
}

function dealt(core: SessionCore): Deck {
  const { name } = readDeck(core.doc)
  return decks.find((deck) => deck.name === name) ?? plain
}

function addStory(core: SessionCore, chance: Chance): void {
  const stories = readStories(core.doc)
  if (stories.length < 12) addStories(core.doc, [{ title: `story ${chance.below(1000)}` }])
}

function editTitle(core: SessionCore, chance: Chance): void {
  const stories = readStories(core.doc)
  const title = stories.length > 0 ? titleOf(core.doc, chance.pick(stories).id) : undefined
  if (!title) return
  if (chance.happens(0.3) && title.length > 0) title.delete(chance.below(title.length), 1)
  else for (const letter of `${chance.below(1000)} `) title.insert(0, letter)
}

function move(core: SessionCore, chance: Chance): void {
  const stories = readStories(core.doc)
  if (stories.length > 1) moveStory(core.doc, chance.pick(stories).id, chance.pick(stories).id)
}

function remove(core: SessionCore, chance: Chance): void {
  const stories = readStories(core.doc)
  if (stories.length > 3) markRemoved(core.doc, chance.pick(stories).id, true)
}

/** Undoing a removal, whoever removed it. */
function bringBack(core: SessionCore, chance: Chance): void {
  const removed = [...storiesOf(core.doc)].flatMap(([key, story]) =>
    story instanceof Y.Map && story.get('removed') === true ? (parseStoryId(key) ?? []) : [],
  )
  if (removed.length > 0) markRemoved(core.doc, chance.pick(removed), false)
}

function lay(core: SessionCore, chance: Chance): void {
  const stories = readStories(core.doc)
  writeLaid(core.doc, stories.length > 0 ? chance.pick(stories).id : undefined)
}

/** More than fits one envelope, so that it travels in parts. */
function importNotes(core: SessionCore, chance: Chance): void {
  const notes = String.fromCharCode(97 + chance.below(26)).repeat(18_000)
  addStories(
    core.doc,
    Array.from({ length: 4 }, (_, at) => ({ title: `imported ${at}`, notes })),
  )
}
