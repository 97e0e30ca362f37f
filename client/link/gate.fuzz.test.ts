import * as Y from 'yjs'
import { Backlog } from '../../shared/backlog.ts'
import { equalBytes } from '../../shared/codec.ts'
import { defaultDeck } from '../../shared/deck.ts'
import {
  addStories,
  createDocument,
  markRemoved,
  moveStory,
  notesOf,
  readDeck,
  readField,
  readHidden,
  readLaid,
  readLinkTemplate,
  readName,
  readStories,
  readTeamDecks,
  readTimer,
  readTimes,
  recordsOf,
  type Story,
  titleOf,
  writeDeck,
  writeHidden,
  writeLaid,
  writeName,
  writeTeamDeck,
  writeTimer,
} from '../../shared/document.ts'
import { fuzz } from '../../shared/fuzz.testing.ts'
import { Ledger } from '../../shared/ledger.ts'
import { mutantOf } from '../../shared/mutants.testing.ts'
import { Device, meet, memberKeys } from '../../shared/testing.ts'
import { TeamTimer } from '../session/clock.ts'
import { digestOf } from '../session/same.ts'
import { Early } from './early.ts'
import { isAcceptable } from './gate.ts'
import { Held } from './held.ts'
import { hostileUpdate } from './hostile-updates.testing.ts'

const { whole, valid } = realSession()

let target: Target | undefined

fuzz(
  'an update is refused, or waits, or is applied; whatever it brings can be shown, sent on and kept',
  { inputs: 25_000, kinds: ['refused', 'waits', 'applied'] },
  (chance) => {
    target ??= new Target()
    const update = chance.happens(0.5) ? mutantOf(valid, chance) : hostileUpdate(target.doc, chance)
    if (!isAcceptable(update)) return 'refused'
    // The next input begins with the same document.
    const own = target
    target = undefined
    return own.takes(update)
  },
)

/** A device whose document has been that of a real session. */
class Target {
  readonly doc = createDocument()
  readonly backlog: Backlog
  readonly ledger = new Ledger(memberKeys)
  readonly #early = new Early(this.doc)
  readonly #held = new Held()

  constructor() {
    this.doc.clientID = 99
    this.backlog = new Backlog(this.doc)
    Y.applyUpdate(this.doc, whole)
    this.#held.add(whole)
  }

  takes(update: Uint8Array): string {
    const before = digestOf(this.doc)
    const ready = this.#early.sort([update])
    for (const each of ready) Y.applyUpdate(this.doc, each)
    this.doc.store.pendingStructs = null
    this.doc.store.pendingDs = null
    this.#held.add(update)
    this.#held.contains(update)
    this.#held.covers(Y.snapshot(this.doc))
    if (ready.length === 0) {
      if (!equalBytes(digestOf(this.doc), before)) throw new Error('What waits has changed the document')
      return 'waits'
    }
    this.#shows()
    this.#goesOn()
    const sent = Y.encodeStateAsUpdate(this.doc)
    if (!isAcceptable(sent)) throw new Error('Nobody would take the document any more')
    const other = createDocument()
    for (const each of new Early(other).sort([sent])) Y.applyUpdate(other, each)
    readAll(other)
    // What is linked wrongly may end up otherwise where it came in another order: see SECURITY.md.
    if (!equalBytes(digestOf(other), digestOf(this.doc))) return 'damages'
    return 'applied'
  }

  #shows(): void {
    readAll(this.doc)
    if (withoutPairs(this.backlog.stories) !== withoutPairs(readStories(this.doc)))
      throw new Error('The backlog shows something else')
    for (const [key, bytes] of recordsOf(this.doc).entries()) {
      if (bytes instanceof Uint8Array) this.ledger.add(key, bytes)
    }
    if (Object.keys(Object.prototype).length > 0) throw new Error('Objects have got something')
  }

  /** A person goes on in this document. */
  #goesOn(): void {
    const [id] = addStories(this.doc, [{ title: 'still works' }])
    const [first] = this.backlog.stories
    if (!id || !first || this.backlog.story(id)?.title !== 'still works')
      throw new Error('No story can be added')
    moveStory(this.doc, id, first.id)
    titleOf(this.doc, id)?.insert(0, 'it ')
    titleOf(this.doc, first.id)?.insert(0, 'a')
    titleOf(this.doc, first.id)?.delete(0, 1)
    notesOf(this.doc, first.id)?.insert(0, 'b')
    writeName(this.doc, 'name')
    writeDeck(this.doc, defaultDeck)
    writeLaid(this.doc, id)
    writeTimer(this.doc, undefined)
    if (readName(this.doc) !== 'name' || readLaid(this.doc) !== id)
      throw new Error('Settings cannot be changed')
    markRemoved(this.doc, first.id, true)
    if (this.backlog.story(first.id)) throw new Error('No story can be removed')
  }
}

/**
 * What is linked wrongly, into the middle of a character of two halves, takes it apart, and Yjs tells nobody. Whoever does that could
 * write over it as well.
 */
function withoutPairs(stories: readonly Story[]): string {
  return JSON.stringify(stories).replace(/[\ud800-\udbff][\udc00-\udfff]|\ufffd\ufffd/g, '')
}

function readAll(doc: Y.Doc): void {
  for (const { id } of readStories(doc)) {
    titleOf(doc, id)?.toString()
    notesOf(doc, id)?.toString()
    readField(doc, id, 'link')
  }
  readName(doc)
  readDeck(doc)
  readTeamDecks(doc)
  readLaid(doc)
  readTimer(doc)
  new TeamTimer().read(doc, true)
  readTimes(doc)
  readHidden(doc)
  readLinkTemplate(doc)
}

/** Two people estimate: every change they made, also several as one. */
function realSession(): { whole: Uint8Array; valid: Uint8Array[] } {
  const [alice, bob] = [new Device('alice').introduces(), new Device('bob').introduces()]
  alice.doc.clientID = 11
  bob.doc.clientID = 22
  const valid: Uint8Array[] = []
  for (const { doc } of [alice, bob]) doc.on('update', (update: Uint8Array) => valid.push(update))
  const [first, second] = addStories(alice.doc, [
    { title: 'Search', key: 'APP-1', link: 'https://tracker.example/1', notes: 'By date, by name' },
    { title: 'Export 🂠', given: '5' },
    { title: 'Sign in' },
  ])
  meet(alice, bob)
  writeName(alice.doc, 'Sprint 12')
  writeDeck(bob.doc, defaultDeck)
  writeTeamDeck(bob.doc, defaultDeck)
  writeTimer(bob.doc, { seconds: 60, ends: 1e12 })
  writeHidden(alice.doc, bob.id, true)
  if (!first || !second) throw new Error('There are stories')
  writeLaid(bob.doc, second)
  meet(alice, bob)
  titleOf(alice.doc, first)?.insert(3, 'different ')
  titleOf(bob.doc, first)?.delete(1, 3)
  notesOf(bob.doc, second)?.insert(0, 'first line\nsecond')
  moveStory(bob.doc, second, first)
  const round = alice.starts(first)
  meet(alice, bob)
  alice.votes(round, '5')
  bob.votes(round, '8')
  meet(alice, bob)
  alice.reveals(round)
  alice.opens(round)
  meet(alice, bob)
  alice.settles(round, '8')
  meet(alice, bob)
  const whole = Y.encodeStateAsUpdate(alice.doc)
  valid.push(whole, Y.mergeUpdates(valid.slice(0, 4)), Y.mergeUpdates(valid.slice(3, 7)))
  return { whole, valid }
}
