import type { Card } from './deck.ts'

/** One counted vote: the index of a card in the round's cards. */
export interface CountedVote<Voter> {
  readonly voter: Voter
  readonly card: number
  readonly unsure: boolean
}

/** The voters who chose one card. */
export interface Group<Voter> {
  readonly card: number
  readonly voters: readonly Voter[]
}

/** What a revealed round comes to. Indices are places in the round's cards; groups stand in the deck's order. */
export interface Tally<Voter = unknown> {
  readonly votes: number
  /** Cards of the order (numbers, sizes) that were chosen. */
  readonly groups: readonly Group<Voter>[]
  /** Special cards that were chosen; they count in nothing below. */
  readonly specials: readonly Group<Voter>[]
  /** The middle vote in the deck's order; of two middles the higher, because work is seldom smaller than thought. */
  readonly median?: number
  /** Mean of the numbers, when every ordered vote has one. */
  readonly mean?: number
  /** The card whose number is nearest to the mean; of two the higher. */
  readonly nearest?: number
  readonly lowest?: Group<Voter>
  readonly highest?: Group<Voter>
  /** Steps of the deck from the lowest to the highest card. */
  readonly spread?: number
  /** 0 to 1: the share of ordered votes on the commonest card. */
  readonly agreement?: number
  /** Everybody who counted chose the same ordered card, and there were at least two. */
  readonly consensus: boolean
}

export function tally<Voter>(cards: readonly Card[], votes: readonly CountedVote<Voter>[]): Tally<Voter> {
  const byCard = new Map<number, Voter[]>()
  for (const vote of votes) {
    if (!cards[vote.card]) continue
    const voters = byCard.get(vote.card)
    if (voters) voters.push(vote.voter)
    else byCard.set(vote.card, [vote.voter])
  }
  const all = [...byCard].sort(([a], [b]) => a - b).map(([card, voters]): Group<Voter> => ({ card, voters }))
  const groups = all.filter((group) => !cards[group.card]?.special)
  const specials = all.filter((group) => cards[group.card]?.special)
  const counted = all.reduce((sum, group) => sum + group.voters.length, 0)
  const lowest = groups[0]
  const highest = groups.at(-1)
  if (!lowest || !highest) return { votes: counted, groups, specials, consensus: false }

  const places = groups.flatMap((group) => group.voters.map(() => group.card))
  const most = Math.max(...groups.map((group) => group.voters.length))
  const mean = meanOf(cards, places)
  const steps = cards.slice(lowest.card + 1, highest.card + 1).filter((card) => !card.special).length
  return {
    votes: counted,
    groups,
    specials,
    median: places[Math.floor(places.length / 2)] as number,
    ...(mean === undefined ? {} : { mean, nearest: nearestTo(cards, mean) }),
    lowest,
    highest,
    spread: steps,
    agreement: most / places.length,
    consensus: groups.length === 1 && specials.length === 0 && places.length > 1,
  }
}

function meanOf(cards: readonly Card[], places: readonly number[]): number | undefined {
  let sum = 0
  for (const place of places) {
    const number = cards[place]?.number
    if (number === undefined) return undefined
    sum += number
  }
  return sum / places.length
}

function nearestTo(cards: readonly Card[], mean: number): number {
  let best = -1
  let distance = Number.POSITIVE_INFINITY
  cards.forEach((card, place) => {
    if (card.number === undefined || card.special) return
    const away = Math.abs(card.number - mean)
    if (away <= distance) {
      best = place
      distance = away
    }
  })
  return best
}
