import type { Chance } from '../../shared/testing.ts'
import type { VirtualClock } from './virtual-clock.ts'

interface Ruled {
  readonly clock: VirtualClock
  readonly chance: Chance
}

let ruled: Ruled | undefined

/** From here on time and chance are the simulation's. Returns the way back. */
export function rule(by: Ruled): () => void {
  ruled = by
  return () => {
    ruled = undefined
  }
}

/** The clock of the simulation that runs. */
export function clockInForce(): VirtualClock {
  if (!ruled) throw new Error('No simulation runs')
  return ruled.clock
}

/**
 * Replaces what gives time and chance to this whole process; nothing changes until somebody rules. Libraries keep what they
 * find when they are loaded, so it comes before them.
 */
export function replaceGlobals(): void {
  replaceTimers()
  replaceDate()
  replaceChance()
  // Devices of a simulation do not share a browser.
  Object.assign(globalThis, { BroadcastChannel: SilentChannel })
}

function replaceTimers(): void {
  const real = { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval }
  const start = (work: (...args: unknown[]) => void, delay: number, args: unknown[], every?: number) =>
    ruled?.clock.after(delay, () => work(...args), undefined, every)
  const stop = (timer: unknown, otherwise: (timer: never) => void) => {
    if (typeof timer === 'object' && timer !== null && 'ended' in timer) timer.ended = true
    else otherwise(timer as never)
  }
  Object.assign(globalThis, {
    setTimeout: (work: () => void, delay = 0, ...args: unknown[]) =>
      ruled ? start(work, delay, args) : real.setTimeout(work, delay, ...(args as [])),
    setInterval: (work: () => void, delay = 0, ...args: unknown[]) =>
      ruled ? start(work, delay, args, delay) : real.setInterval(work, delay, ...(args as [])),
    setImmediate: (work: () => void, ...args: unknown[]) =>
      ruled ? start(work, 0, args) : real.setImmediate(work, ...(args as [])),
    clearTimeout: (timer: unknown) => stop(timer, real.clearTimeout),
    clearInterval: (timer: unknown) => stop(timer, real.clearInterval),
  })
}

function replaceDate(): void {
  const RealDate = Date
  const now = () => ruled?.clock.date ?? RealDate.now()
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length > 0 ? args : [now()], newTarget),
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  })
}

function replaceChance(): void {
  const realRandom = Math.random
  const realValues = crypto.getRandomValues.bind(crypto)
  Math.random = () => (ruled ? ruled.chance.next() / 2 ** 32 : realRandom())
  const getRandomValues = <View extends ArrayBufferView>(view: View): View => {
    if (!ruled) return realValues(view as never)
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    for (let at = 0; at < bytes.length; at += 4) {
      const word = ruled.chance.next()
      for (let part = 0; part < 4 && at + part < bytes.length; part++) bytes[at + part] = word >>> (8 * part)
    }
    return view
  }
  Object.defineProperty(crypto, 'getRandomValues', { value: getRandomValues, configurable: true })
}

class SilentChannel {
  onmessage: unknown
  postMessage(): void {}
  close(): void {}
}
