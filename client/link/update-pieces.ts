import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { largestPiece } from './gate.ts'

/**
 * Updates that together bring what this one does, each small enough for others to take: an import made offline, or a session
 * that its relay has forgotten, is one update of megabytes. A piece needs only those before it: of pieces that need each
 * other Yjs would try none again.
 */
export function splitUpdate(update: Uint8Array, largest = largestPiece): readonly Uint8Array[] {
  if (update.length <= largest) return [update]
  const { structs, ds } = Y.decodeUpdate(update)
  const pieces: Uint8Array[] = []
  let runs: Run[] = []
  let size = 0
  // The gate takes a story's texts only together with their story.
  const texts = countTexts(structs)
  let textsToCome = 0
  const finish = () => {
    pieces.push(encodePiece(runs, noDeletions))
    runs = []
    size = 0
  }
  for (const struct of inCausalOrder(structs)) {
    const { client, clock } = struct.id
    let run = runs.find((started) => started.client === client)
    if (!run) {
      if (struct instanceof Y.Skip) continue
      run = { client, clock, structs: 0, encoder: new Y.UpdateEncoderV1() }
      runs.push(run)
    }
    const before = encoding.length(run.encoder.restEncoder)
    struct.write(run.encoder, 0)
    run.structs++
    size += encoding.length(run.encoder.restEncoder) - before
    if (isText(struct)) textsToCome = Math.max(0, textsToCome - 1)
    else textsToCome += texts.get(nameOf(struct.id)) ?? 0
    if (size >= largest && textsToCome === 0) finish()
  }
  if (runs.length > 0) finish()
  if (ds.clients.size > 0) pieces.push(encodePiece([], encodeDeletions(ds)))
  return pieces
}

type Struct = Y.Item | Y.GC | Y.Skip

/** By the stories they belong to. */
function countTexts(structs: readonly Struct[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const struct of structs) {
    if (!isText(struct)) continue
    const story = nameOf(struct.parent)
    counts.set(story, (counts.get(story) ?? 0) + 1)
  }
  return counts
}

function isText(struct: Struct): struct is Y.Item & { readonly parent: Y.ID } {
  const parent: unknown = struct instanceof Y.Item && struct.content instanceof Y.ContentType && struct.parent
  return parent instanceof Y.ID
}

function nameOf({ client, clock }: Y.ID): string {
  return `${client} ${clock}`
}

/** Each struct after those that it names, as far as they are here. */
function* inCausalOrder(structs: readonly Struct[]): Iterable<Struct> {
  const queues = new Map<number, Queue>()
  for (const struct of structs) {
    const queue = queues.get(struct.id.client)
    if (queue) queue.structs.push(struct)
    else queues.set(struct.id.client, { structs: [struct], at: 0 })
  }
  const isToCome = (id: Y.ID) =>
    (nextOf(queues.get(id.client))?.id.clock ?? Number.POSITIVE_INFINITY) <= id.clock
  for (const client of queues.keys()) {
    const wanted = [Y.createID(client, Number.MAX_SAFE_INTEGER)]
    const asked = new Set<Y.ID>()
    for (let want = wanted.at(-1); want; want = wanted.at(-1)) {
      const queue = queues.get(want.client)
      const next = nextOf(queue)
      if (!queue || !next || !isToCome(want)) wanted.pop()
      else {
        // Asked for once: a damaged document may name in circles.
        const missing = needsOf(next).find((id) => !asked.has(id) && isToCome(id))
        if (missing) {
          asked.add(missing)
          wanted.push(missing)
        } else {
          queue.at++
          yield next
        }
      }
    }
  }
}

interface Queue {
  readonly structs: Struct[]
  at: number
}

function nextOf(queue: Queue | undefined): Struct | undefined {
  return queue?.structs[queue.at]
}

function needsOf(struct: Struct): Y.ID[] {
  if (!(struct instanceof Y.Item)) return []
  const { origin, rightOrigin, parent } = struct
  const { client } = struct.id
  return [origin, rightOrigin, parent].filter((id) => id instanceof Y.ID && id.client !== client) as Y.ID[]
}

/** Structs of one client, one after the other. */
interface Run {
  readonly client: number
  readonly clock: number
  structs: number
  readonly encoder: Y.UpdateEncoderV1
}

const noDeletions = Uint8Array.of(0)

/** Yjs's update format V1: `varUint(clients) • [varUint(structs) • varUint(client) • varUint(clock) • structs]… • deletions`. */
function encodePiece(runs: readonly Run[], deletions: Uint8Array): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, runs.length)
    for (const { client, clock, structs, encoder: written } of runs) {
      encoding.writeVarUint(encoder, structs)
      encoding.writeVarUint(encoder, client)
      encoding.writeVarUint(encoder, clock)
      encoding.writeUint8Array(encoder, encoding.toUint8Array(written.restEncoder))
    }
    encoding.writeUint8Array(encoder, deletions)
  })
}

/** A snapshot is deletions and a state vector, and an empty one of these is the byte 0. */
function encodeDeletions(ds: Parameters<typeof Y.createSnapshot>[0]): Uint8Array {
  return Y.encodeSnapshot(Y.createSnapshot(ds, new Map())).slice(0, -1)
}
