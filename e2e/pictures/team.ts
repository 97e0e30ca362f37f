import { WebSocket } from 'ws'
import { defaultDeck } from '../../shared/deck.ts'
import {
  addRecord,
  addStories,
  type NewStory,
  noteTime,
  recordsOf,
  writeLaid,
  writeName,
} from '../../shared/document.ts'
import type { RecordId, StoryId } from '../../shared/id.ts'
import { invitationLink } from '../../shared/invitation.ts'
import { createSessionKeys, keysFor, type Role } from '../../shared/keys.ts'
import { Ledger } from '../../shared/ledger.ts'
import { Participant } from '../../shared/participant.ts'
import { type RecordOf, recordIdOf } from '../../shared/record.ts'
import { decodeFromRelay } from '../../shared/wire.ts'
import { Device, until } from '../simulation/device.ts'

const { cards } = defaultDeck

/** People of one session without browsers: what they do is written by code, and each is here over a connection. */
export class Team {
  readonly #keys = createSessionKeys()
  readonly #ledger = new Ledger(this.#keys)
  readonly #people: readonly Participant[]
  readonly #device: Device
  readonly #connections: Device[]
  /** Moments lie in the past, so that looking back has times to tell. */
  #time = Date.now() - 60 * 60_000

  private constructor(relay: string, names: readonly string[]) {
    const member = keysFor('member', this.#keys)
    this.#people = names.map((_, at) => {
      return new Participant(this.#keys, new Uint8Array(32).fill(at + 1), this.#ledger)
    })
    this.#device = new Device(relay, member)
    this.#connections = [
      this.#device,
      ...names.slice(1).map(() => new Device(relay, member, undefined, Deaf)),
    ]
    recordsOf(this.#device.doc).observe((event) => {
      for (const key of event.keysChanged) this.#learn(key)
      queueMicrotask(() => this.#payWhatIsOwed())
    })
    names.forEach((name, at) => {
      this.#add(this.#person(at).introduce(name))
    })
    this.start(undefined)
  }

  /** Resolves when all of them are here. Without names, the session is there and empty of people. */
  static async gather(relay: string, ...names: string[]): Promise<Team> {
    const team = new Team(relay, names)
    for (const [at, device] of team.#connections.entries()) {
      device.connect()
      await until(
        () => device.caughtUp,
        () => 'The team did not reach the relay',
      )
      device.link.tell({ participant: team.#person(at).id })
    }
    return team
  }

  leave(): void {
    for (const device of this.#connections) device.stop()
  }

  link(base: string, role: Role = 'member'): string {
    return invitationLink(base, this.#keys, role)
  }

  names(session: string): void {
    writeName(this.#device.doc, session)
  }

  adds(...stories: NewStory[]): StoryId[] {
    return addStories(this.#device.doc, stories)
  }

  lays(story: StoryId): RecordOf<'round'> {
    writeLaid(this.#device.doc, story)
    return this.start(story)
  }

  start(story: StoryId | undefined): RecordOf<'round'> {
    this.#add(this.#person(0).startRound(story, cards), 90_000)
    const round = this.#ledger.current(story ?? 'quick')
    if (!round) throw new Error('The round was started')
    return round
  }

  /** The cards of the first, the second and so on; a dash for nobody's. A tilde behind one says: not sure. */
  vote(round: RecordOf<'round'>, hands: string): void {
    for (const [at, hand] of hands.split(' ').entries()) {
      if (hand === '-') continue
      const choice = { card: cardOf(hand.replace('~', '')), unsure: hand.endsWith('~') }
      this.#add(this.#person(at).choose(round.id, choice))
    }
  }

  reveal(round: RecordOf<'round'>): void {
    this.#add(this.#person(0).reveal(round.id), 40_000)
    this.#payWhatIsOwed()
  }

  settle(round: RecordOf<'round'>, label: string): void {
    this.#add(this.#person(0).settle(round, cardOf(label)), 60_000)
  }

  /** Two settle without knowing of each other. */
  settleApart(round: RecordOf<'round'>, one: string, other: string): void {
    const estimates = [one, other].map((label, at) => this.#person(at).settle(round, cardOf(label)))
    for (const bytes of estimates) this.#add(bytes)
  }

  /** A story's rounds from the first vote to the estimate. */
  plays(story: StoryId, rounds: readonly string[], estimate: string): void {
    for (const [at, hands] of rounds.entries()) {
      const round = this.start(story)
      this.vote(round, hands)
      this.reveal(round)
      if (at === rounds.length - 1) this.settle(round, estimate)
    }
  }

  #person(at: number): Participant {
    const person = this.#people[at]
    if (!person) throw new Error(`Nobody sits at ${at}`)
    return person
  }

  #add(bytes: Uint8Array, takes = 0): void {
    const id: RecordId = recordIdOf(bytes)
    this.#ledger.add(id, bytes)
    addRecord(this.#device.doc, bytes)
    this.#time += takes
    if (takes > 0) noteTime(this.#device.doc, id, this.#time)
  }

  #learn(key: string): void {
    const bytes = recordsOf(this.#device.doc).get(key)
    if (bytes instanceof Uint8Array) this.#ledger.add(key, bytes)
  }

  /** Each over their own connection, as people do. */
  #payWhatIsOwed(): void {
    const owed = this.#people.flatMap((person, at) => {
      const doc = this.#connections[at]?.doc ?? this.#device.doc
      return person.owed().map((bytes) => ({ bytes, doc }))
    })
    for (const { bytes, doc } of owed) {
      this.#ledger.add(recordIdOf(bytes), bytes)
      addRecord(doc, bytes)
    }
  }
}

/** Is there and speaks. What fifty devices hear would take one machine the time that fifty have. */
class Deaf extends WebSocket {
  override emit(event: string | symbol, ...about: unknown[]): boolean {
    const [frame] = about
    const isEntry =
      event === 'message' && frame instanceof Uint8Array && decodeFromRelay(frame)?.type === 'entry'
    return isEntry || super.emit(event, ...about)
  }
}

function cardOf(label: string): number {
  const at = cards.findIndex((card) => card.label === label)
  if (at < 0) throw new Error(`No card ${label}`)
  return at
}
