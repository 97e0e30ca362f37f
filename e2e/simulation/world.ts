import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { createSessionKeys, keysFor, type SessionKeys } from '../../shared/keys.ts'
import { type Chance, cards } from '../../shared/testing.ts'
import { Auditor } from './auditor.ts'
import { Intruder } from './intruder.ts'
import { Peer, type PeerOptions } from './peer.ts'
import { Promises } from './promises.ts'
import { Secrecy } from './secrecy.ts'
import type { Life, VirtualClock } from './virtual-clock.ts'
import { latencyFrom, Wire } from './virtual-network.ts'
import { VirtualRegion } from './virtual-region.ts'
import { VirtualRelay } from './virtual-relay.ts'
import { type RequestCounts, Requests } from './virtual-requests.ts'
import { StoreDisk } from './virtual-store.ts'

/** Beyond the small one a session comes by one import, or by what an intruder sends. */
export const smallQuota = 96 << 10
const largeQuota = 16 << 20

/** Everything of one run: time, chance, network, a relay with its store, and the devices of one session. */
export class World {
  readonly chance: Chance
  readonly clock: VirtualClock
  readonly disk: StoreDisk
  /** One with bus and store in its process, or two that share them. */
  readonly relays: readonly VirtualRelay[]
  readonly region: VirtualRegion
  readonly peers: Peer[] = []
  readonly keys: SessionKeys
  readonly auditor: Auditor
  readonly promises: Promises
  readonly secrecy = new Secrecy()
  readonly intruder: Intruder
  /** What went wrong where nobody could catch it. */
  readonly failures: unknown[] = []
  /** The life of whatever is neither a device nor a relay. */
  readonly world: Life
  /** Of the store's file, from some time ago. */
  copy: Buffer | undefined
  /** Somebody's session file, until somebody opens it. */
  file: Uint8Array | undefined
  /** No more faults: everything is quick and works. */
  calm = false
  /** The session is being deleted: a store that is put back would have it again. */
  deleting = false
  snapshots = 0
  readonly requests: RequestCounts = { answered: 0, lost: 0, answersLost: 0 }
  /** Changes with everything that arrives anywhere. */
  trace = 0x811c9dc5

  constructor(chance: Chance, clock: VirtualClock) {
    this.chance = chance
    this.clock = clock
    this.world = clock.life
    this.disk = new StoreDisk(chance.happens(0.3) ? smallQuota : largeQuota)
    this.keys = createSessionKeys()
    this.auditor = new Auditor(this.keys)
    this.promises = new Promises(this.auditor)
    const isShared = chance.happens(0.5)
    this.region = new VirtualRegion({
      clock,
      disk: this.disk,
      slowness: () => (this.calm || chance.happens(0.95) ? 1 + chance.below(20) : chance.below(4000)),
      committed: (envelope) => this.auditor.read('change', envelope),
      compacted: () => {
        this.snapshots++
        this.promises.compacted(this.relays.some(({ liar }) => liar.hasLiedLately))
        this.auditor.readAgain(this.disk)
      },
    })
    const latency = isShared ? () => chance.below(this.calm || chance.happens(0.95) ? 5 : 1500) : undefined
    this.relays = (isShared ? ['east', 'west'] : ['relay']).map(
      (name) =>
        new VirtualRelay({
          name,
          clock,
          chance,
          region: this.region,
          latency,
          isKept: (envelope) => this.auditor.knows(envelope),
        }),
    )
    this.intruder = new Intruder(keysFor('member', this.keys), chance, () =>
      this.#wire(`wss://table.example/sync/${this.keys.session}`, this.world),
    )
  }

  /** Where the balancer sends somebody: seldom to a relay that has just died. */
  #anyRelay(): VirtualRelay {
    const running = this.relays.filter((relay) => relay.isRunning)
    return this.chance.pick(running.length > 0 && this.chance.happens(0.9) ? running : this.relays)
  }

  async startRelays(): Promise<void> {
    for (const relay of this.relays) if (!relay.isRunning) await relay.start()
  }

  /** All that the relays and their region had in memory is gone. */
  crashRelays(silently: boolean): void {
    for (const relay of this.relays) if (relay.isRunning) relay.crash(silently)
    this.region.crash()
  }

  /** Somebody with an invitation, on a new device. */
  invite(
    name: string,
    role: SessionKeys['role'],
    person = name,
    more: Pick<PeerOptions, 'beside' | 'update'> = {},
  ): Peer {
    const { clock, chance } = this
    const keys = role === 'owner' ? this.keys : keysFor(role, this.keys)
    const peer = new Peer({
      ...more,
      name,
      keys,
      seed: sha256(utf8ToBytes(person)),
      clock,
      diskSlowness: () => (this.calm || chance.happens(0.9) ? 1 + chance.below(30) : chance.below(20_000)),
      connect: (from, url) => {
        if (clock.life !== from.life) throw new Error(`${clock.life.name} does what ${from.name} does`)
        from.lines = from.lines.filter((other) => !other.dead)
        const line = from.polls ? this.#requests(url, from) : this.#socket(url, from)
        from.lines.push(line)
        return line instanceof Requests ? line.socket : line
      },
    })
    peer.polls = more.beside?.polls ?? chance.happens(0.2)
    peer.made = (record, core) => this.secrecy.made(record, core, name)
    this.peers.push(peer)
    return peer
  }

  async begin(): Promise<void> {
    const { chance } = this
    await this.startRelays()
    const owner = this.invite('ana', 'owner')
    await owner.start()
    const auto = chance.happens(0.4)
    await owner.act((core) => {
      core.doc.transact(() => {
        core.add(core.participant.introduce('ana'))
        for (const grant of core.participant.takeChair()) core.add(grant)
        if (auto) core.add(core.participant.setRules({ who: 'anybody', auto, escrow: true }))
        core.add(core.participant.startRound(undefined, cards), true)
      })
    })
    const names = ['ben', 'cleo', 'dan', 'eva', 'finn'].slice(0, 1 + chance.below(5))
    for (const name of names) {
      const member = this.invite(name, 'member')
      await member.start()
      await member.act((core) => void core.add(core.participant.introduce(name)))
      if (chance.happens(0.25) && this.peers.length < 7)
        await this.invite(`${name}'s phone`, 'member', name).start()
      if (chance.happens(0.25) && this.peers.length < 7)
        await this.invite(`${name}'s second tab`, 'member', name, { beside: member }).start()
    }
    const observer = this.invite('oda', 'observer')
    await observer.start()
  }

  /** Makes the trace different. */
  mix(what: string, bytes?: Uint8Array): void {
    let trace = this.trace
    for (let at = 0; at < what.length; at++) trace = Math.imul(trace ^ what.charCodeAt(at), 0x01000193)
    const end = Math.min(bytes?.length ?? 0, 24)
    for (let at = 0; at < end; at++) trace = Math.imul(trace ^ (bytes?.[at] ?? 0), 0x01000193)
    this.trace = trace
  }

  #socket(url: string, { life, online }: Peer): Wire {
    const wire = this.#wire(url, life)
    if (online && !wire.far.life.over) return wire
    wire.lose()
    const after = this.#failsAfter()
    if (after !== undefined) this.clock.after(after, () => wire.tellDevice(), life)
    return wire
  }

  #requests(url: string, peer: Peer): Requests {
    const { clock, chance } = this
    let far = this.#anyRelay()
    return new Requests({
      url,
      clock,
      device: peer.life,
      latency: latencyFrom(chance, () => this.calm),
      far: () => {
        if (!far.isRunning) far = this.#anyRelay()
        return peer.online && far.isRunning ? far : undefined
      },
      failsAfter: () => this.#failsAfter(),
      arrivesYet: () => chance.happens(0.5),
      trace: (what, bytes) => this.mix(`${clock.now} ${peer.name} ${what} ${bytes.length}`, bytes),
      counts: this.requests,
    })
  }

  /** When a device notices that it has reached nobody; undefined: never by itself. */
  #failsAfter(): number | undefined {
    return this.calm || this.chance.happens(0.8) ? this.chance.below(300) : undefined
  }

  #wire(url: string, life: Peer['life']): Wire {
    const { clock, chance } = this
    return new Wire(
      url,
      clock,
      latencyFrom(chance, () => this.calm),
      life,
      this.#anyRelay(),
      (what, frame) => this.mix(`${clock.now} ${life.name} ${what} ${frame.length}`, frame),
    )
  }
}
