/** Rows that are put in order by dragging their handles, with a mouse, a pen or a finger. */

const edge = 48

export class DragOrder<Id> {
  /** The row that is being dragged, and before which place it would be dropped. */
  dragged = $state.raw<{ readonly id: Id; readonly to: number }>()
  readonly #rows: () => readonly HTMLElement[]
  readonly #drop: (id: Id, to: number) => void
  #scrolling = 0

  /** `rows` in their order on the screen; `drop` is told before which of them the dragged one goes, or their number for last. */
  constructor(rows: () => readonly HTMLElement[], drop: (id: Id, to: number) => void) {
    this.#rows = rows
    this.#drop = drop
  }

  /** For a handle's `onpointerdown`. */
  start(event: PointerEvent, id: Id, from: number): void {
    if (event.button !== 0 || !(event.currentTarget instanceof HTMLElement)) return
    event.preventDefault()
    const handle = event.currentTarget
    handle.setPointerCapture(event.pointerId)
    this.dragged = { id, to: from }
    const move = ({ clientY }: PointerEvent) => {
      this.#scroll(clientY)
      this.dragged = { id, to: this.#placeAt(clientY) }
    }
    const cancel = (key: KeyboardEvent) => {
      if (key.key === 'Escape') end(false)
    }
    const end = (dropped: boolean) => {
      handle.removeEventListener('pointermove', move)
      handle.removeEventListener('pointerup', drop)
      handle.removeEventListener('pointercancel', lost)
      window.removeEventListener('keydown', cancel)
      cancelAnimationFrame(this.#scrolling)
      const to = this.dragged?.to
      this.dragged = undefined
      if (dropped && to !== undefined && to !== from && to !== from + 1) this.#drop(id, to)
    }
    const drop = () => end(true)
    const lost = () => end(false)
    handle.addEventListener('pointermove', move)
    handle.addEventListener('pointerup', drop)
    handle.addEventListener('pointercancel', lost)
    window.addEventListener('keydown', cancel)
  }

  #placeAt(y: number): number {
    const rows = this.#rows()
    const at = rows.findIndex((row) => {
      const { top, height } = row.getBoundingClientRect()
      return y < top + height / 2
    })
    return at < 0 ? rows.length : at
  }

  /** Near the edge of what is visible the list moves along. */
  #scroll(y: number): void {
    cancelAnimationFrame(this.#scrolling)
    const list = scrollerOf(this.#rows()[0])
    const { top, bottom } =
      list === document.documentElement ? { top: 0, bottom: innerHeight } : list.getBoundingClientRect()
    const step = y < top + edge ? -8 : y > bottom - edge ? 8 : 0
    if (step === 0) return
    this.#scrolling = requestAnimationFrame(() => {
      list.scrollBy(0, step)
      this.#scroll(y)
    })
  }
}

function scrollerOf(row: HTMLElement | undefined): HTMLElement {
  for (let at = row?.parentElement; at; at = at.parentElement) {
    if (at.scrollHeight > at.clientHeight && /auto|scroll/.test(getComputedStyle(at).overflowY)) return at
  }
  return document.documentElement
}
