import type { Undoable } from './session-view.ts'

const remembered = 50

/** Everyday acts that show at once and are as easily done otherwise: offering to undo each would be noise. */
function isLoud({ act, count }: Undoable): boolean {
  return !['laid', 'settled', 'link', 'key'].includes(act) && (act !== 'added' || count > 1)
}

/** What this device did and can take back, the latest last. Undoing says what to do, never how things were: others go on meanwhile. */
export class UndoStack {
  readonly #acts: { readonly shown: Undoable; readonly undo: () => void }[] = []
  /** The latest act is offered on the screen until it is forgotten; the key press still reaches it. */
  offered: Undoable | undefined

  did(act: Undoable['act'], name: string, undo: () => void, count = 1): void {
    const shown: Undoable = { act, name, count }
    this.#acts.push({ shown, undo })
    if (this.#acts.length > remembered) this.#acts.shift()
    this.offered = isLoud(shown) ? shown : undefined
  }

  undo(): void {
    this.offered = undefined
    this.#acts.pop()?.undo()
  }
}
