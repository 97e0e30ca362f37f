import type { NamedVote, SessionEvent } from './events.ts'
import type { SeenResult, SeenVote } from './seen.ts'

/** One line for one event. The first word tells what it is. */
export function sentence(event: SessionEvent): string {
  switch (event.event) {
    case 'session': {
      const you = event.you ? `You are ${event.you}.` : 'You have no seat.'
      return `session: ${event.name}, ${storiesIn(event.stories)}. ${you}`
    }
    case 'relay':
      return `relay: ${relayWords[event.state]}`
    case 'joined':
      return `joined: ${event.name}`
    case 'left':
      return `left: ${event.name}`
    case 'stories':
      return `stories: ${storiesIn(event.stories)}, ${event.estimated} estimated`
    case 'round': {
      const again = event.number > 1 ? ` (round ${event.number})` : ''
      return `round: ${event.story}${again}, with ${event.cards.join(' ')}`
    }
    case 'voted':
      return `voted: ${event.name}`
    case 'tookBack':
      return `took back: ${event.name}`
    case 'chosen':
      return `chosen: ${event.card}`
    case 'revealed': {
      const votes = event.votes.map(voteIn).join(', ') || 'nobody voted'
      return `revealed by ${event.by.join(' and ')}: ${votes}`
    }
    case 'result':
      return `result: ${resultIn(event)}`
    case 'vote':
      return `vote: ${voteIn(event)}`
    case 'estimate':
      return `estimate: ${event.card} for ${event.story}`
    case 'conflict':
      return `conflict: ${event.cards.join(' and ')} for ${event.story}. Somebody has to settle it`
  }
}

const relayWords = {
  connecting: 'connecting',
  connected: 'connected',
  unkept: 'connected, but its store keeps nothing at the moment',
  offline: 'not reachable, trying again',
  refused: 'refuses this session',
} as const

const voteWords: Readonly<Record<Exclude<SeenVote['state'], 'counted'>, string>> = {
  sealed: 'not open yet',
  unopenable: 'cannot be opened',
  late: 'late, not counted',
  void: 'contradictory, not counted',
}

function voteIn({ name, ...vote }: NamedVote): string {
  return `${name} ${cardIn(vote)}`
}

export function cardIn({ state, card, unsure }: SeenVote): string {
  if (state !== 'counted') return `(${voteWords[state]})`
  return `${card}${unsure ? ' (unsure)' : ''}`
}

export function resultIn({ consensus, median, mean, lowest, highest }: SeenResult): string {
  if (consensus) return `Everybody chose ${lowest}`
  const middle = [median && `median ${median}`, mean !== undefined && `mean ${mean}`]
    .filter(Boolean)
    .join(', ')
  const range = lowest === highest ? `${lowest} alone` : `from ${lowest} to ${highest}`
  return middle ? `${range}, ${middle}` : range
}

export function storiesIn(count: number): string {
  return `${count} ${count === 1 ? 'story' : 'stories'}`
}

export function titlesIn(count: number): string {
  return `${count} ${count === 1 ? 'title' : 'titles'}`
}
