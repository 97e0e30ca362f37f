import { expect, test, vi } from 'vitest'
import type { RoundId } from './id.ts'
import { Chance, cards, Device, meet } from './testing.ts'

// The same Ed25519 from the platform, fourteen times as fast: thousands of statements are signed here, and read by several.
vi.mock('@noble/ed25519', () => import('./native-ed25519.testing.ts'))

const histories = Number(process.env.SIGNED_HISTORIES ?? 80)
const only = process.env.SEED

test(`${histories} histories of signed records end the same on every replica after an exchange through Yjs`, () => {
  const phases = new Set<string>()
  for (const seed of only ? [Number(only)] : Array(histories).keys()) {
    const chance = new Chance(seed + 1)
    const people = ['alice', 'bob', 'carol', 'dave']
      .slice(0, 2 + chance.below(3))
      .map((name) => new Device(name))
    for (const person of people) person.introduces()
    const [first] = people as [Device]
    const rounds: RoundId[] = [first.starts()]
    meet(...people)
    for (let step = 0; step < 14; step++) act(chance, people, rounds)
    for (let pass = 0; pass < 2; pass++) {
      meet(...chance.shuffled(people))
      for (const person of people) for (const round of rounds) person.opens(round)
    }
    meet(...chance.shuffled(people))
    for (const round of rounds) {
      const told = people.map((person) =>
        JSON.stringify([person.state(round).phase, Object.entries(person.sees(round)).sort()]),
      )
      expect(new Set(told).size, `SEED=${seed}: ${told.join(' | ')}`).toBe(1)
      phases.add(first.state(round).phase)
      for (const vote of Object.values(first.sees(round))) phases.add(vote.split(' ')[0] as string)
    }
    const current = people.map((person) => person.ledger.current('quick')?.id)
    expect(new Set(current).size, `SEED=${seed}: different current rounds`).toBe(1)
  }
  if (only) return
  for (const phase of ['voting', 'revealed', 'settled', 'conflict', 'voted', 'counted', 'late']) {
    expect(phases, `no history had ${phase}`).toContain(phase)
  }
}, 120_000)

function act(chance: Chance, people: Device[], rounds: RoundId[]): void {
  const person = chance.pick(people)
  const known = rounds.filter((round) => person.ledger.round(round))
  const round = chance.pick(known)
  const revealed = person.state(round).phase !== 'voting'
  if (chance.happens(0.2)) meet(person, chance.pick(people))
  else if (chance.happens(0.1)) rounds.push(person.starts())
  else if (chance.happens(0.5)) person.votes(round, chance.pick(cards).label, chance.happens(0.2))
  else if (chance.happens(0.12)) person.takesBack(round)
  else if (chance.happens(0.4)) person.reveals(round)
  else if (revealed && chance.happens(0.7)) person.settles(round, chance.pick(cards).label)
}
