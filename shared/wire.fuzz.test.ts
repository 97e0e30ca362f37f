import { equalBytes } from './codec.ts'
import type { Cursor } from './cursor.ts'
import { decodeReleased, encodeReleased } from './escrow.ts'
import { fuzz } from './fuzz.testing.ts'
import { recordId } from './id.ts'
import { mutantOf } from './mutants.testing.ts'
import { bytesOf, Device, memberKeys } from './testing.ts'
import {
  decodeFromClient,
  decodeFromRelay,
  encodeFromClient,
  encodeFromRelay,
  type FromClient,
  type FromRelay,
} from './wire.ts'

const mark = bytesOf(6, 8)
const cursors: Cursor[] = [
  new Map(),
  new Map([['eu.abcdefgh', { sequence: 300, mark }]]),
  new Map(Array.from({ length: 64 }, (_, at) => [`region-${at}`, { sequence: at * 2 ** 40, mark }])),
]
const envelope = bytesOf(7, 256)
const asker = {
  author: new Device('alice').id,
  membership: bytesOf(1, 64),
  reveal: recordId(bytesOf(2, 16)),
  signature: bytesOf(3, 64),
}
const keys = Array.from({ length: 3 }, (_, at) => ({ seal: bytesOf(at, 16), key: bytesOf(at + 9, 32) }))
const released = { round: bytesOf(4, 16), asker, salt: bytesOf(5, 16), keys }

const fromClients = cursors.flatMap((cursor): FromClient[] => [
  {
    type: 'hello',
    version: 1,
    role: 'member',
    publicKeys: memberKeys.publicKeys,
    signature: bytesOf(8, 64),
    generation: 0,
    cursor,
  },
  { type: 'append', ref: 12_345, envelope },
  { type: 'signal', to: 3, envelope },
  { type: 'snapshot', covers: cursor, replaces: bytesOf(9, 16), envelope },
  { type: 'snapshot', covers: cursor, replaces: undefined, envelope },
  { type: 'delete', signature: bytesOf(8, 64) },
  {
    type: 'deposit',
    ref: 1,
    round: bytesOf(4, 16),
    seal: bytesOf(5, 16),
    key: bytesOf(6),
    replaces: [bytesOf(7), bytesOf(8)],
  },
  { type: 'release', ref: 2, round: bytesOf(4, 16), asker },
])

const fromRelays = cursors.flatMap((cursor): FromRelay[] => [
  { type: 'challenge', nonce: bytesOf(1) },
  { type: 'snapshot', id: bytesOf(2, 16), covers: cursor, envelope },
  { type: 'entry', cursor, envelope },
  { type: 'caughtUp', cursor, log: 'kept', resumed: true },
  { type: 'saved', ref: 7, cursor, compact: { replaces: bytesOf(3, 16) } },
  { type: 'saved', ref: 2 ** 40, cursor, compact: undefined },
  { type: 'unsaved', ref: 7, reason: 'quota' },
  { type: 'signal', from: 3, envelope },
  { type: 'joined', connection: 4 },
  { type: 'left', connection: 200 },
  { type: 'keepalive', cursor, elsewhere: cursor },
  { type: 'refuse', code: 4410, words: 'Die Sitzung wurde gelöscht. 🂠' },
  { type: 'goingAway', retryAfter: 2000 },
  { type: 'released', cursor, body: encodeReleased(released) },
])

testFrames('a relay', decodeFromClient, encodeFromClient, fromClients)
testFrames('a client', decodeFromRelay, encodeFromRelay, fromRelays)

/** Numbers may be written longer than they need to be; the message is the same, and its own encoding no longer than the frame. */
function testFrames<Message extends FromClient | FromRelay>(
  reader: string,
  decode: (frame: Uint8Array) => Message | undefined,
  encode: (message: Message) => Uint8Array,
  messages: readonly Message[],
): void {
  const valid = messages.map(encode)
  const kinds = [...new Set(messages.map(({ type }) => type)), 'refused']
  fuzz(
    `${reader} reads any frame as one message or as none`,
    { inputs: 100_000, kinds, slowest: 50 },
    (chance) => {
      const frame = chance.happens(0.02) ? chance.bytes(chance.below(400)) : mutantOf(valid, chance)
      const message = decode(frame)
      if (!message) return 'refused'
      const written = encode(message)
      if (written.length > frame.length) throw new Error('The message is longer than its frame')
      const again = decode(written)
      if (!again || !equalBytes(encode(again), written)) throw new Error('It is another message when written')
      return message.type
    },
  )
}

fuzz(
  'what a store released is read whole or not at all',
  { inputs: 10_000, kinds: ['read', 'refused'] },
  (chance) => {
    const body = mutantOf([encodeReleased(released), encodeReleased({ ...released, keys: [] })], chance)
    const read = decodeReleased(body)
    if (!read) return 'refused'
    if (encodeReleased(read).length > body.length) throw new Error('More was read than there was')
    return 'read'
  },
)
