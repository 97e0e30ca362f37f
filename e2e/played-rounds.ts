import type * as Y from 'yjs'
import { decks } from '../shared/deck.ts'
import { addRecord, addStories } from '../shared/document.ts'
import type { SessionKeys } from '../shared/keys.ts'
import { Ledger } from '../shared/ledger.ts'
import { Participant } from '../shared/participant.ts'
import { recordIdOf } from '../shared/record.ts'

/** Rounds on stories, each with all voters, revealed, opened and settled. */
export function playRounds(doc: Y.Doc, keys: SessionKeys, rounds: number, voters: number): void {
  const ledger = new Ledger(keys)
  const add = (bytes: Uint8Array) => {
    ledger.add(recordIdOf(bytes), bytes)
    addRecord(doc, bytes)
  }
  const people = Array.from({ length: voters }, (_, at) => {
    return new Participant(keys, new Uint8Array(32).fill(at + 1), ledger)
  })
  people.forEach((person, at) => {
    add(person.introduce(`Person ${at + 1}`))
  })
  const [first] = people as [Participant]
  const cards = decks[0]?.cards ?? []
  add(first.startRound(undefined, cards))
  const stories = addStories(
    doc,
    Array.from({ length: rounds }, (_, at) => ({ title: `Story ${at + 1}` })),
  )
  for (const story of stories) {
    add(first.startRound(story, cards))
    const round = ledger.current(story)
    if (!round) throw new Error('The round was started')
    people.forEach((person, at) => {
      add(person.choose(round.id, { card: (at + stories.indexOf(story)) % 8, unsure: false }))
    })
    add(first.reveal(round.id))
    for (const person of people) person.owedOpens(round, ledger.resolve(round)).forEach(add)
    add(first.settle(round, 3))
  }
}
