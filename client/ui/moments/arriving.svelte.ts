import type { Component } from 'svelte'
import type { Moment, SessionView } from '../../session/session-view.ts'
import { panelWords } from '../../words/words.svelte.ts'

interface MomentsProps extends Record<string, unknown> {
  readonly session: SessionView
  /** What happened before the component was there. */
  readonly first: readonly Moment[]
}

/** Fetches what shows reactions and nudges when the first one happens; whoever is alone never needs it. */
export class ArrivingMoments {
  part = $state.raw<Component<MomentsProps>>()
  readonly first: Moment[] = []

  /** Returns the stop. */
  follow(session: SessionView): () => void {
    const stop = session.onMoment((moment) => {
      this.first.push(moment)
      if (this.first.length > 1) return
      Promise.all([import('./moments.svelte'), panelWords()]).then(
        ([{ default: part }]) => {
          this.part = part
          stop()
        },
        () => this.first.pop(), // offline: the next one tries again
      )
    })
    return stop
  }
}
