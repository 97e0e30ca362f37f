import { WebSocket } from 'ws'
import type { LogPlace } from '../../client/link/log-reader.ts'
import type { SessionKeys } from '../../shared/keys.ts'
import { decodeFromRelay, type FromRelay } from '../../shared/wire.ts'
import { Device, until } from '../simulation/device.ts'

interface Counts {
  readonly sent: number
  readonly received: number
  /** How often the device had to say something and wait for the answer. */
  readonly roundTrips: number
}

/** What passed on one device's sockets, frame by frame. */
export class Traffic {
  kinds: FromRelay['type'][] = []
  #counts = { sent: 0, received: 0, roundTrips: 0 }
  #hasSpoken = false

  get counts(): Counts {
    return this.#counts
  }

  forget(): void {
    this.#counts = { sent: 0, received: 0, roundTrips: 0 }
    this.kinds = []
    this.#hasSpoken = false
  }

  noteSent(bytes: number): void {
    this.#counts.sent += bytes
    this.#hasSpoken = true
  }

  /** Whatever `binaryType` a socket has. */
  noteReceived(message: unknown): void {
    const frame = message instanceof ArrayBuffer ? new Uint8Array(message) : message
    if (!(frame instanceof Uint8Array)) throw new Error('A relay sends bytes')
    this.#counts.received += frame.length
    const kind = decodeFromRelay(frame)?.type
    if (kind) this.kinds.push(kind)
    if (this.#hasSpoken) this.#counts.roundTrips++
    this.#hasSpoken = false
  }
}

/** Joins and reads what there is; `ms` from connecting to being in step. */
export async function joinCounted(
  url: string,
  keys: SessionKeys,
  place?: LogPlace,
): Promise<{ readonly device: Device; readonly traffic: Traffic; readonly ms: number }> {
  const traffic = new Traffic()
  const began = performance.now()
  const device = new Device(url, keys, place, countingInto(traffic))
  device.connect()
  await until(
    () => device.caughtUp,
    () => 'The session was not read',
  )
  return { device, traffic, ms: performance.now() - began }
}

function countingInto(traffic: Traffic) {
  return class extends WebSocket {
    override emit(event: string | symbol, ...details: unknown[]): boolean {
      if (event === 'message') traffic.noteReceived(details[0])
      return super.emit(event, ...details)
    }

    override send(frame: Uint8Array): void {
      traffic.noteSent(frame.length)
      super.send(frame)
    }
  }
}
