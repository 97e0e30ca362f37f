import type { Undoable } from './session-view.ts'

const remembered = 50

/** Everyday acts that show at once and are as easily done otherwise: offering to undo each would be noise. */
function isLoud({ act, count }: Undoable): boolean {
  return !['laid', 'settled', 'link', 'key'].includes(act) && (act !== 'added' || count > 1)
}

/** What this device did and can take back, the latest last. Undoing says what to do, never how things were: others go on meanwhile. */
export class UndoStack {
  readonly #acts: {
    readonly shown: Undoable
    readonly undo: () => void
    readonly isPossible: () => boolean
  }[] = []
  #isForgotten = false

  /** `isPossible`: false once others have done something since that undoing would take from them. */
  did(act: Undoable['act'], name: string, undo: () => void, count = 1, isPossible = () => true): void {
    this.#acts.push({ shown: { act, name, count }, undo, isPossible })
    if (this.#acts.length > remembered) this.#acts.shift()
    this.#isForgotten = false
  }

  /** The latest act is offered on the screen until it is forgotten; the key press still reaches it. */
  get offered(): Undoable | undefined {
    const latest = this.#isForgotten ? undefined : this.#acts.at(-1)
    return latest && isLoud(latest.shown) && latest.isPossible() ? latest.shown : undefined
  }

  forget(): void {
    this.#isForgotten = true
  }

  undo(): void {
    this.#isForgotten = true
    const latest = this.#acts.pop()
    if (latest?.isPossible()) latest.undo()
  }
}
