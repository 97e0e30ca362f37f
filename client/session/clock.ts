import type * as Y from 'yjs'
import { readTimer, type SharedTimer, settingsOf } from '../../shared/document.ts'
import { read, write } from '../device/device-storage.ts'
import type { Timer } from './session-view.ts'

/** More than this apart, and the clocks are wrong rather than the network slow. */
const tolerance = 2_000

/** The shared countdown in this device's clock: somebody else's may be wrong by hours. */
export class TeamTimer {
  #shared: string | undefined
  #timer: Timer | undefined

  /** `live`: a countdown that is new now has been started now. */
  read(doc: Y.Doc, live: boolean, now = Date.now()): Timer | undefined {
    const raw = String(settingsOf(doc).get('timer') ?? '')
    if (raw !== this.#shared) {
      this.#shared = raw
      const shared = readTimer(doc)
      this.#timer = shared && inOwnClock(shared, live, now)
    }
    return this.#timer
  }
}

/** Only the moment it was started tells how wrong a clock is, so the end that was found then outlasts the page. */
function inOwnClock({ seconds, ends }: SharedTimer, live: boolean, now: number): Timer {
  const name = `${seconds} ${ends} `
  const kept = read('timer')
  if (kept?.startsWith(name)) return { seconds, ends: Number(kept.slice(name.length)) }
  const left = seconds * 1000
  const wrong = live ? Math.abs(now + left - ends) > tolerance : ends - now > left
  if (!wrong) return { seconds, ends }
  write('timer', name + (now + left))
  return { seconds, ends: now + left }
}
