import type { ParticipantId } from '../../shared/id.ts'
import type { Moment } from './session-view.ts'

/** What somebody's presence says, as the provider's awareness holds it. */
export interface PresenceState {
  readonly participant?: ParticipantId | undefined
  readonly reaction?: { readonly emoji: string; readonly count: number } | undefined
  readonly nudge?: { readonly to: ParticipantId; readonly count: number } | undefined
  /** What their device has of the document, see `same.ts`. */
  readonly digest?: string | undefined
}

/** Finds what is new in the presence of the others: each counts up, so that a repeated reaction is a new one. */
export class Moments {
  readonly #seen = new Map<number, { reaction: number; nudge: number }>()
  readonly #listeners = new Set<(moment: Moment) => void>()

  listen(listener: (moment: Moment) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  happen(moment: Moment): void {
    for (const listener of this.#listeners) listener(moment)
  }

  /** `states` by awareness client; what a peer said before it was first seen here is over. */
  follow(states: ReadonlyMap<number, PresenceState>, me: ParticipantId, own: number): void {
    for (const client of this.#seen.keys()) if (!states.has(client)) this.#seen.delete(client)
    for (const [client, { participant, reaction, nudge }] of states) {
      if (client === own || !participant) continue
      const now = { reaction: reaction?.count ?? 0, nudge: nudge?.count ?? 0 }
      const before = this.#seen.get(client)
      this.#seen.set(client, now)
      if (!before) continue
      if (reaction && now.reaction > before.reaction) {
        this.happen({ kind: 'reaction', by: participant, emoji: reaction.emoji })
      }
      if (nudge && now.nudge > before.nudge && nudge.to === me)
        this.happen({ kind: 'nudge', by: participant })
    }
  }
}
