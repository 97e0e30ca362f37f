/** Rows that are put in order by dragging their handles, with a mouse, a pen or a finger. */

const edge = 48

export class DragOrder<Id> {
  /** The row that is being dragged, and the one before which it would be dropped; undefined: behind all. */
  dragged = $state.raw<{ readonly id: Id; readonly before: Id | undefined }>()
  readonly #rows: () => readonly HTMLElement[]
  readonly #ids: () => readonly Id[]
  readonly #drop: (id: Id, before: Id | undefined) => void
  #y = 0
  #scrolling = 0
  #stop = () => {}

  /** `rows` in their order on the screen, `ids` are theirs and may go on behind them; `drop` is told what goes before which. */
  constructor(
    rows: () => readonly HTMLElement[],
    ids: () => readonly Id[],
    drop: (id: Id, before: Id | undefined) => void,
  ) {
    this.#rows = rows
    this.#ids = ids
    this.#drop = drop
  }

  /**
   * For a handle's `onpointerdown`. The rest is heard at the window: others may move the handle in the document meanwhile, or
   * remove it.
   */
  start(event: PointerEvent, id: Id): void {
    const { button, currentTarget: handle, pointerId } = event
    if (button !== 0 || !(handle instanceof HTMLElement)) return
    event.preventDefault()
    handle.setPointerCapture(pointerId)
    this.#stop()
    this.dragged = { id, before: id }
    const ended = new AbortController()
    const listen = (
      kind: 'pointermove' | 'pointerup' | 'pointercancel',
      heard: (event: PointerEvent) => void,
    ) => {
      const ofThis = (other: PointerEvent) => other.pointerId === pointerId && heard(other)
      window.addEventListener(kind, ofThis, { signal: ended.signal })
    }
    this.#stop = () => {
      ended.abort()
      cancelAnimationFrame(this.#scrolling)
      this.dragged = undefined
    }
    listen('pointermove', ({ clientY }) => {
      this.#y = clientY
      this.#scroll()
      this.#place(id)
    })
    listen('pointerup', () => this.#end())
    listen('pointercancel', () => this.#stop())
    window.addEventListener('keydown', ({ key }) => key === 'Escape' && this.#stop(), ended)
  }

  /** What somebody else removed is not dragged on, and nothing is dropped before it. */
  rowsChanged(): void {
    if (!this.dragged) return
    const { id, before } = this.dragged
    const ids = this.#ids()
    if (!ids.includes(id)) this.#stop()
    else if (before !== undefined && !ids.includes(before)) this.#place(id)
  }

  #end(): void {
    const dropped = this.dragged
    this.#stop()
    if (!dropped) return
    const { id, before } = dropped
    const ids = this.#ids()
    const isThere = before === id || before === ids[ids.indexOf(id) + 1]
    if (!isThere) this.#drop(id, before)
  }

  #place(id: Id): void {
    const rows = this.#rows()
    const at = rows.findIndex((row) => {
      const { top, height } = row.getBoundingClientRect()
      return this.#y < top + height / 2
    })
    this.dragged = { id, before: this.#ids()[at < 0 ? rows.length : at] }
  }

  /** Near the edge of what is visible the list moves along. */
  #scroll(): void {
    cancelAnimationFrame(this.#scrolling)
    const list = scrollerOf(this.#rows()[0])
    const { top, bottom } =
      list === document.documentElement ? { top: 0, bottom: innerHeight } : list.getBoundingClientRect()
    const step = this.#y < top + edge ? -8 : this.#y > bottom - edge ? 8 : 0
    if (step === 0) return
    this.#scrolling = requestAnimationFrame(() => {
      list.scrollBy(0, step)
      if (this.dragged) this.#place(this.dragged.id)
      this.#scroll()
    })
  }
}

function scrollerOf(row: HTMLElement | undefined): HTMLElement {
  for (let at = row?.parentElement; at; at = at.parentElement) {
    if (at.scrollHeight > at.clientHeight && /auto|scroll/.test(getComputedStyle(at).overflowY)) return at
  }
  return document.documentElement
}
