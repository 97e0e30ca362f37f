import { randomBytes } from 'node:crypto'
import { BareClient } from '../../relay/connections/bare-client.testing.ts'
import { createSessionKeys, keysFor, type SessionKeys } from '../../shared/keys.ts'

/** When a change was made stands in the envelope, which is noise to a relay. */
const stampAt = 40

/** Some people in one session who send changes and note how long they take to the others, and to be saved. */
export class Team {
  readonly keys: SessionKeys
  readonly people: readonly BareClient[]
  /** Milliseconds. */
  fanOut: number[] = []
  saved: number[] = []
  sent = 0
  readonly #read: number[]
  readonly #sentAt = new Map<string, number>()

  private constructor(keys: SessionKeys, people: readonly BareClient[]) {
    this.keys = keys
    this.people = people
    this.#read = people.map(({ frames }) => frames.length)
    people.forEach((person, at) => {
      person.socket.on('message', () => this.#note(person, at))
    })
  }

  static async join(url: string, size = 3, keys = createSessionKeys()): Promise<Team> {
    const member = keysFor('member', keys)
    const people: BareClient[] = []
    for (let seat = 0; seat < size; seat++) people.push(await BareClient.join(url, member))
    return new Team(keys, people)
  }

  /** One of them changes something. */
  change(length = 256): void {
    const seat = this.sent++ % this.people.length
    const envelope = randomBytes(length)
    const now = performance.now()
    envelope.writeDoubleLE(now, stampAt)
    const ref = this.people[seat]?.append(envelope)
    this.#sentAt.set(`${seat} ${ref}`, now)
  }

  forget(): void {
    this.fanOut = []
    this.saved = []
    this.sent = 0
  }

  get answered(): boolean {
    return this.#sentAt.size === 0
  }

  /** Nobody is here any more. */
  leave(): void {
    for (const { socket } of this.people) socket.terminate()
  }

  #note({ frames }: BareClient, seat: number): void {
    for (; (this.#read[seat] ?? 0) < frames.length; this.#read[seat] = (this.#read[seat] ?? 0) + 1) {
      const frame = frames[this.#read[seat] ?? 0]
      if (frame?.type === 'entry') {
        this.fanOut.push(performance.now() - Buffer.from(frame.envelope).readDoubleLE(stampAt))
      } else if (frame?.type === 'saved') {
        const name = `${seat} ${frame.ref}`
        this.saved.push(performance.now() - (this.#sentAt.get(name) ?? Number.NaN))
        this.#sentAt.delete(name)
      }
    }
  }
}

/** Teams change something at so many moments a second, in turn. */
export async function play(teams: readonly Team[], seconds: number, perSecond: number): Promise<void> {
  const start = performance.now()
  let made = 0
  while (performance.now() - start < seconds * 1000) {
    const due = Math.floor(((performance.now() - start) / 1000) * perSecond)
    for (; made < due; made++) teams[made % teams.length]?.change()
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}
