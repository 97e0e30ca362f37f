import { clockInForce } from './virtual-globals.ts'
import { Pipe } from './virtual-network.ts'

type Hear = (bytes: Uint8Array, from: unknown) => void

interface Listener {
  readonly pipe: Pipe
  readonly life: unknown
}

const channels = new Map<string, Map<Hear, Listener>>()

/** Stands for `lib0/broadcastchannel`, by which the tabs of a browser hear each other: here all of them are in one process. */
export function subscribe(name: string, hear: Hear): void {
  const clock = clockInForce()
  const { life } = clock
  const pipe = new Pipe(
    clock,
    () => Math.floor(Math.random() * 20),
    () => life,
  )
  const listeners = channels.get(name) ?? new Map<Hear, Listener>()
  channels.set(name, listeners.set(hear, { pipe, life }))
}

export function unsubscribe(name: string, hear: Hear): void {
  const listeners = channels.get(name)
  listeners?.delete(hear)
  if (listeners?.size === 0) channels.delete(name)
}

export function publish(name: string, bytes: Uint8Array): void {
  const { life } = clockInForce()
  if (life.over) return // a tab that crashes says nothing
  const listeners = channels.get(name)
  for (const [hear, listener] of listeners ?? []) {
    if (listener.life === life) continue
    const copy = bytes.slice()
    listener.pipe.send(copy.length, () => {
      if (listeners?.has(hear)) hear(copy, 'another tab')
    })
  }
}
