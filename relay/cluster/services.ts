import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { NatsConnection, Subscription } from '@nats-io/transport-node'
import { version } from '../version.ts'
import { namePrefix } from './process.ts'

/** What one process of a region does for the others: one line in `nats micro list`. */
export interface Service {
  readonly kind: 'relay' | 'store'
  readonly region: string
  /** Never changes while the process runs, such as the shards of a store. */
  readonly about: Readonly<Record<string, string>>
  /** What others ask it by. */
  readonly endpoint: { readonly name: string; readonly subject: string; readonly queue: string }
  /** Requests so far. */
  readonly served: Served
  /** How it is now: numbers, and nothing that tells sessions or people apart. */
  readonly now: () => Promise<Readonly<Record<string, Figure>>>
}

type Figure = number | boolean | null | Readonly<Record<string, number>>

/** Counted by whoever answers. */
export interface Served {
  requests: number
  errors: number
  /** All of them together. */
  milliseconds: number
}

/** Whoever asks waits no longer, and one that hangs is the one they look for. */
const patience = 250

/** Unasked, for the status pages of all regions that can be reached: see `neighbours`. */
export const toldEveryMs = 5_000
export const toldTo = 'state'
export const goneFrom = 'gone'

const verbs = ['PING', 'INFO', 'STATS'] as const
type Verb = (typeof verbs)[number]

/**
 * Says to whoever asks that a service is there: NATS's own service API,
 * https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-32.md, for which `@nats-io/services` has no version that fits this
 * client. Tells it every few seconds, too, and its own process (`told`), which NATS does not bring what it says itself. Returns the stop.
 */
export function announce(
  connection: NatsConnection,
  service: Service,
  told: (state: string) => void,
): () => void {
  const { kind, region, about, endpoint, served } = service
  const id = randomUUID()
  const name = `${namePrefix}${kind}`
  const started = new Date().toISOString()
  const all = { name, id, version, metadata: { region, ...about } }
  const { subject, queue } = endpoint
  const asked = { name: endpoint.name, subject, queue_group: queue }

  async function answerTo(verb: Verb): Promise<object> {
    const type = `io.nats.micro.v1.${verb.toLowerCase()}_response`
    if (verb === 'PING') return { type, ...all }
    if (verb === 'INFO') {
      const description = kind === 'relay' ? 'Serves people of sessions' : 'Keeps the logs of sessions'
      return { type, ...all, description, endpoints: [{ ...asked, metadata: {} }] }
    }
    const nanoseconds = Math.round(served.milliseconds * 1_000_000)
    const figures = {
      num_requests: served.requests,
      num_errors: served.errors,
      last_error: '',
      processing_time: nanoseconds,
      average_processing_time: Math.trunc(nanoseconds / Math.max(1, served.requests)),
      data: await Promise.race([service.now(), wait(patience, { ready: false }, { ref: false })]),
    }
    return { type, ...all, started, endpoints: [{ ...asked, ...figures }] }
  }

  const subscriptions: Subscription[] = verbs.flatMap((verb) =>
    [`$SRV.${verb}`, `$SRV.${verb}.${name}`, `$SRV.${verb}.${name}.${id}`].map((called) =>
      connection.subscribe(called, {
        callback: (error, message) => {
          // Whoever is gone gets no answer.
          if (!error)
            answerTo(verb)
              .then((answer) => message.respond(JSON.stringify(answer)))
              .catch(() => {})
        },
      }),
    ),
  )
  const tell = async () => {
    const state = JSON.stringify(await answerTo('STATS'))
    if (isStopped) return
    told(state)
    if (!connection.isClosed()) connection.publish(toldTo, state)
  }
  let isStopped = false
  const timer = setInterval(() => void tell().catch(() => {}), toldEveryMs).unref() // who is gone tells nothing
  void tell().catch(() => {})
  return () => {
    isStopped = true
    clearInterval(timer)
    for (const subscription of subscriptions) subscription.unsubscribe()
    if (!connection.isClosed()) connection.publish(goneFrom, id)
  }
}
