import { yielded } from '../device/yielded.ts'
import { byName, list, percent } from '../words/formats.ts'

/** A browser takes some milliseconds to write the first list, and so on: not in the moment when the cards are turned. */
export async function warmUp(): Promise<void> {
  for (const write of [() => list(['']), () => byName(['', '']), () => percent(0)]) {
    await yielded()
    write()
  }
}
