import { participantId, recordId } from '../../shared/id.ts'
import type { Seen, SeenTable } from './seen.ts'

export const [alice, bob] = [
  participantId(new Uint8Array(32).fill(1)),
  participantId(new Uint8Array(32).fill(2)),
]

/** What alice sees, with bob at the table. */
export function tableWith(more: Partial<SeenTable>): Seen {
  return {
    session: 'Sprint 12',
    relay: 'connected',
    waiting: 0,
    stories: 1,
    estimated: 0,
    people: new Map([
      [alice, { name: 'alice', me: true, here: true, observer: false }],
      [bob, { name: 'bob', me: false, here: true, observer: false }],
    ]),
    mayTakeSeat: false,
    table: {
      round: recordId(new Uint8Array(16)),
      story: 'TIK-1 Search by key',
      number: 1,
      cards: ['3', '5', '8'],
      voted: new Set(),
      chosen: undefined,
      revealedBy: [],
      votes: new Map(),
      result: undefined,
      estimates: [],
      ...more,
    },
  }
}
