// Stands for `node:timers/promises`: time and turns are the simulation's.
export function setImmediate(): Promise<void> {
  return new Promise((resolve) => globalThis.setImmediate(resolve))
}

export function setTimeout(ms: number): Promise<void> {
  return new Promise((resolve) => globalThis.setTimeout(resolve, ms))
}
