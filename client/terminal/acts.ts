import type { LiveSession } from '../session/session.svelte.ts'
import type { SessionView, StoryView, TableView } from '../session/session-view.ts'
import { parseName } from '../ui/name.ts'
import { Complaint, misused } from './complaint.ts'
import { plain } from './plain.ts'
import { see, storyName } from './seen.ts'
import { tableLines } from './table-lines.ts'
import { waitFor } from './waiting.ts'

/** What is typed in a session. A card alone is a vote. */
export const actsHelp = `vote 5           choose a card; "vote 5 unsure" says so; a card alone is a vote, too
back             take the vote back
reveal           turn all cards, for everybody
admit            count the late votes after all
settle 5         the estimate of the story
again            another round on the same story
next             the next story without an estimate
lay 3            the third story of the backlog, or the one with this key; "lay quick": none
add Some title   a new story at the end of the backlog
name alice       take a seat, or be called otherwise
undo             the last thing done here
stories          the backlog
table            what is on the table
wait votes 2     until 2 have voted; "wait votes": all who are here
wait reveal      until the cards are turned; "wait result": until all are open
wait estimate    until the story has one; "wait story": until another round is on the table
quit             once all is saved
`

/** Does what a line says, and gives what is to be shown for it. Complains about what cannot be done. */
export async function act(session: LiveSession, line: string): Promise<string | undefined> {
  const [word = '', ...rest] = line.trim().split(/\s+/)
  const said = rest.join(' ')
  switch (word.toLowerCase()) {
    case '':
    case 'table':
      return tableLines(see(session)).join('\n')
    case 'help':
      return actsHelp.trimEnd()
    case 'stories':
      return session.stories.map(storyLine).join('\n') || 'The backlog is empty.'
    case 'wait':
      await waitFor(session, said)
      return undefined
    default:
      if (session.mayWrite) change(session, word.toLowerCase(), said, line.trim())
      else throw new Complaint('This invitation is for watching: whoever has it cannot change anything')
      return undefined
  }
}

function change(session: SessionView, word: string, said: string, line: string): void {
  switch (word) {
    case 'vote':
      return vote(session, said)
    case 'back':
      return takeBack(session)
    case 'reveal':
      return reveal(session)
    case 'admit':
      return admit(session)
    case 'settle':
      return settle(session, said)
    case 'again':
      decidable(session)
      return session.voteAgain()
    case 'next':
      return lay(session, nextStory(session))
    case 'lay':
      return lay(session, said.toLowerCase() === 'quick' ? undefined : storyIn(session, said))
    case 'add':
      if (said === '') throw misused('add needs a title')
      return session.addStories([{ title: said }])
    case 'name':
      return introduce(session, said)
    case 'undo':
      return session.undo()
  }
  if (session.table && findCard(session.table, line) >= 0) return vote(session, line)
  throw misused(`"${plain(line)}" is neither a card nor anything to do. "help" tells what is`)
}

export function introduce(session: SessionView, typed: string): void {
  const { name } = parseName(typed)
  if (name === '') throw misused('A name is needed, any will do')
  if (!session.mayWrite) throw new Complaint('This invitation is for watching: it gives nobody a seat')
  session.introduce(name)
}

function vote(session: SessionView, said: string): void {
  const unsure = /\s+unsure$/i.exec(said)
  const table = tableOf(session)
  const card = cardIn(table, unsure ? said.slice(0, unsure.index) : said)
  if (!session.me) throw new Complaint('Only who has a seat can vote: take one with "name alice"')
  if (table.state.phase !== 'voting') {
    throw new Complaint(
      'The cards of this round are turned. "again" starts another one, "next" the next story',
    )
  }
  session.choose(card, unsure !== null)
}

function takeBack(session: SessionView): void {
  const { chosen, state } = tableOf(session)
  if (chosen === undefined) throw new Complaint('There is no vote of yours to take back')
  if (state.phase !== 'voting')
    throw new Complaint('The cards are turned: no vote can be taken back any more')
  session.choose(undefined)
}

function settle(session: SessionView, said: string): void {
  const table = decidable(session)
  if (table.state.phase === 'voting') throw new Complaint('The cards are face down still: reveal them first')
  session.settle(cardIn(table, said))
}

function reveal(session: SessionView): void {
  const { state } = decidable(session)
  if (state.phase !== 'voting') throw new Complaint('The cards are turned already')
  if (state.voted.size === 0) throw new Complaint('Nobody has voted yet')
  session.reveal()
}

function admit(session: SessionView): void {
  const { state } = decidable(session)
  const votes = state.phase === 'voting' ? [] : [...state.votes.values()]
  const late = votes.flatMap((each) => (each.state === 'late' ? each.seals : []))
  if (late.length === 0) throw new Complaint('There is no late vote')
  session.admit(late)
}

function lay(session: SessionView, story: StoryView | undefined): void {
  if (!session.mayDecide) throw new Complaint(notDeciding(session))
  session.lay(story?.id)
}

/** The first behind the one on the table, or from the beginning again. */
function nextStory({ stories, table }: SessionView): StoryView {
  const at = stories.findIndex(({ id }) => id === table?.story?.id)
  const next = [...stories.slice(at + 1), ...stories.slice(0, at + 1)].find(
    ({ estimates }) => estimates.length === 0,
  )
  if (!next)
    throw new Complaint(stories.length === 0 ? 'The backlog is empty' : 'Every story has an estimate')
  return next
}

function storyIn({ stories }: SessionView, said: string): StoryView {
  const found =
    stories.find(({ key }) => key !== '' && key.toLowerCase() === said.toLowerCase()) ??
    (/^\d+$/.test(said) ? stories[Number(said) - 1] : undefined)
  if (!found) throw new Complaint(`No story has the key or the number "${plain(said)}". "stories" lists them`)
  return found
}

function tableOf({ table }: SessionView): TableView {
  if (!table) throw new Complaint('There is nothing on the table yet')
  return table
}

function decidable(session: SessionView): TableView {
  const table = tableOf(session)
  if (!table.mayDecide) throw new Complaint(notDeciding(session))
  return table
}

function notDeciding({ me, people }: SessionView): string {
  if (!me) return 'Only who has a seat can decide: take one with "name alice"'
  const facilitators = people.filter((person) => person.facilitator).map(({ name }) => plain(name))
  return `In this session facilitators decide: ${facilitators.join(', ') || 'none is known yet'}`
}

function cardIn(table: TableView, said: string): number {
  const card = findCard(table, said)
  if (card >= 0) return card
  const cards = table.cards.map(({ label }) => plain(label)).join(' ')
  throw misused(`There is no card "${plain(said)}". The cards are ${cards}`)
}

/** By label, or number: not every keyboard has a ½. */
function findCard({ cards }: TableView, said: string): number {
  const text = said.trim().toLowerCase()
  const wanted = text === 'coffee' ? '☕' : text
  const exact = cards.findIndex(({ label }) => label.toLowerCase() === wanted)
  if (exact >= 0 || !/^\d+([.,]\d+)?$/.test(text)) return exact
  return cards.findIndex(({ number }) => number === Number(text.replace(',', '.')))
}

function storyLine(story: StoryView, at: number): string {
  const labels = story.estimates.map(({ card }) => plain(card.label)).join(' or ')
  const open = story.round === 'voting' && story.voted > 0 ? `${story.voted} voted` : ''
  return [`${at + 1}. ${storyName(story)}`, labels || open].filter(Boolean).join(': ')
}
