import type { LiveSession } from '../session/session.svelte.ts'
import type { SessionView } from '../session/session-view.ts'
import { misused } from './complaint.ts'
import { refusalIn } from './open-session.ts'
import { plain } from './plain.ts'

/** For scripts: goes on when others have done something. */
export async function waitFor(session: LiveSession, said: string): Promise<void> {
  const fact = factIn(session, said)
  await new Promise<void>((resolve, reject) => {
    const look = () => {
      const refusal = refusalIn(session.saved.relay)
      if (!refusal && !fact()) return
      stop()
      if (refusal) reject(refusal)
      else resolve()
    }
    const stop = session.core.follow(look)
    look()
  })
}

/** Of the round that is on the table now: once another one is there, it is too late to wait for anything of this one. */
function factIn(session: SessionView, said: string): () => boolean {
  const begun = session.table?.round
  const fact = factNamed(session, said)
  return () => fact() || (begun !== undefined && session.table?.round !== begun)
}

function factNamed(session: SessionView, said: string): () => boolean {
  const [what = '', count, ...more] = said.toLowerCase().split(' ')
  const phase = () => session.table?.state.phase ?? 'voting'
  if (what === 'votes' && count !== undefined && more.length === 0) {
    if (/^[1-9]\d{0,2}$/.test(count)) return () => voters(session) >= Number(count)
    throw misused(`wait votes needs a number, but it is "${plain(count)}"`)
  }
  switch (said.toLowerCase()) {
    case 'votes':
      return () => allVoted(session)
    case 'reveal':
      return () => phase() !== 'voting'
    case 'result':
      return () => phase() !== 'voting' && isOpen(session)
    case 'estimate':
      return () => phase() === 'settled'
    case 'story':
      return () => false
    default:
      throw misused('One can wait for votes, reveal, result, estimate or story')
  }
}

function isOpen({ table }: SessionView): boolean {
  if (!table || table.state.phase === 'voting') return false
  return [...table.state.votes.values()].every(({ state }) => state !== 'sealed')
}

function voters({ table }: SessionView): number {
  if (!table) return 0
  return table.state.phase === 'voting' ? table.state.voted.size : Number.POSITIVE_INFINITY
}

function allVoted(session: SessionView): boolean {
  const state = session.table?.state
  if (state?.phase !== 'voting') return state !== undefined
  const present = session.people.filter((person) => (person.here || person.me) && !person.observer)
  return present.length > 0 && present.every(({ id }) => state.voted.has(id))
}
