import type { Seen, SeenPerson, SeenTable } from './seen.ts'
import { cardIn, resultIn, storiesIn } from './sentences.ts'

/** The table as lines of text. */
export function tableLines({
  session,
  relay,
  waiting,
  stories,
  estimated,
  people,
  mayTakeSeat,
  table,
}: Seen): string[] {
  const facts = [relayFact(relay, waiting), `${estimated} of ${storiesIn(stories)} estimated`]
  const heading = [session, ...facts.filter(Boolean)].join(' · ')
  const seat = mayTakeSeat ? ['You have no seat. To take one, say your name: name alice'] : []
  if (!table) return [heading, 'There is nothing on the table yet.', ...seat]
  const width = Math.max(0, ...[...people.values()].map(({ name }) => [...name].length))
  const again = table.number > 1 ? ` (round ${table.number})` : ''
  const shown = [...people].filter(
    ([id, { me, here }]) => me || here || table.voted.has(id) || table.votes.has(id),
  )
  return [
    heading,
    `${table.story}${again}`,
    ...shown.map(([id, person]) => {
      const name = person.name + ' '.repeat(width - [...person.name].length)
      const vote = table.votes.get(id)
      const fact = vote ? cardIn(vote) : factOf(person, table.voted.has(id), table)
      return `  ${name}  ${fact}${person.me ? ' (you)' : ''}`.trimEnd()
    }),
    ...outcome(table),
    ...seat,
  ]
}

function relayFact(relay: Seen['relay'], waiting: number): string {
  if (relay === 'offline' || relay === 'connecting') return 'offline, trying again'
  if (relay === 'refused') return 'refused by the relay'
  if (waiting > 0) return `${waiting} to save`
  return relay === 'unkept' ? 'the relay keeps nothing at the moment' : 'saved'
}

function factOf({ observer, here, me }: SeenPerson, voted: boolean, table: SeenTable): string {
  if (me && table.chosen !== undefined) return `chose ${table.chosen}`
  if (voted) return 'voted'
  if (observer) return 'watches'
  return here || me ? '…' : 'away'
}

function outcome({ cards, revealedBy, result, estimates }: SeenTable): string[] {
  if (revealedBy.length === 0) return [`Cards: ${cards.join(' ')}`]
  const lines = result ? [`${resultIn(result)}.`] : ['Nobody voted.']
  if (estimates.length === 1) lines.push(`Estimate: ${estimates[0]}`)
  if (estimates.length > 1) lines.push(`Two estimates: ${estimates.join(' and ')}. Settle it with one.`)
  return lines
}
