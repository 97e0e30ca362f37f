/** Whether this device shows the table for a wall. The address remembers it, so that a reload does too. */
export class Projection {
  #on = $state(new URLSearchParams(location.search).get('view') === 'projector')

  get on(): boolean {
    return this.#on
  }

  enter(): void {
    this.#show(true)
    // Refused without a tap or a key, and missing on some phones: then it fills the window.
    document.documentElement.requestFullscreen?.().catch(() => {})
  }

  leave(): void {
    this.#show(false)
    if (document.fullscreenElement) document.exitFullscreen().catch(() => {}) // it has just ended by itself
  }

  #show(on: boolean): void {
    this.#on = on
    const address = new URL(location.href)
    if (on) address.searchParams.set('view', 'projector')
    else address.searchParams.delete('view')
    history.replaceState(history.state, '', address)
  }
}
