/** A newer version of the app, once it is on this device and waits to take over. */
class Update {
  /** Undefined while there is none. Calling it reloads the page into the new version. */
  take = $state.raw<(() => void) | undefined>()
}

export const update = new Update()
