import { yielded } from '../device/yielded.ts'

let last = Promise.resolve()

/** When it is this part's turn: what is shown at once is drawn in a task for each part, the first one first. */
export function turn(): Promise<void> {
  last = last.then(yielded)
  return last
}
