/** Runs the examples of protocol.md: what it says is what the code does. `UPDATE=1` writes the bytes anew. */
import { readFileSync, writeFileSync } from 'node:fs'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { expect, test } from 'vitest'
import type { Cursor } from './cursor.ts'
import { decodeCursorBytes, encodeCursorBytes } from './cursor.ts'
import type { Deck } from './deck.ts'
import { decodeDeck, encodeDeck } from './deck-codec.ts'
import { decrypt } from './envelope.ts'
import {
  type Asker,
  boxKeyFor,
  closeBox,
  encodeReleased,
  escrowName,
  openBox,
  releaseStatement,
} from './escrow.ts'
import { participantId, recordId, storyId } from './id.ts'
import {
  formatDeviceInvitation,
  formatInvitation,
  parseDeviceInvitation,
  parseInvitation,
} from './invitation.ts'
import {
  deleteStatement,
  derive,
  helloStatement,
  keysFor,
  keysFrom,
  publicKeyOf,
  sign,
  verify,
} from './keys.ts'
import { decodePart } from './parts.ts'
import { decodePoll, encodePoll, type Poll, putFrames } from './polling.ts'
import {
  decodeRecord,
  encodeOpen,
  encodeRecord,
  encodeRelease,
  membershipStatement,
  type Signed,
  signatureOf,
} from './record.ts'
import { commit, nonceFor } from './seal.ts'
import {
  decodeFromClient,
  decodeFromRelay,
  encodeFromClient,
  encodeFromRelay,
  type FromClient,
  type FromRelay,
} from './wire.ts'

const path = new URL('./protocol.md', import.meta.url)
const fill = (value: number, length: number) => new Uint8Array(length).fill(value)

const owner = keysFrom('owner', fill(1, 32), new Uint8Array())
const member = keysFor('member', owner)
const seed = fill(2, 32)
const author = participantId(publicKeyOf(seed))
const round = recordId(fill(3, 16))
const seal = recordId(fill(4, 16))
const story = storyId(fill(5, 10))
const deck: Deck = {
  name: 'Halves',
  cards: [
    { label: '½', number: 0.5 },
    { label: '?', special: true },
  ],
}
const cursor: Cursor = new Map([['eu.abcdefgh', { sequence: 300, mark: fill(6, 8) }]])
const envelope = fill(7, 44)

const roundName = escrowName(owner, round)
const sealName = escrowName(owner, seal)
const reveal = recordId(fill(18, 16))
const asker: Asker = {
  author,
  membership: sign(membershipStatement(owner.session, author), member.memberSeed ?? fill(0, 32)),
  reveal,
  signature: sign(releaseStatement(owner.session, roundName, reveal), seed),
}
const choice = { card: 1, unsure: false }
const place = { session: owner.session, round, voter: author, counter: 1 }
const nonce = nonceFor(derive(seed, 'nonce'), round, 1, choice)
const boxKey = boxKeyFor(derive(seed, 'box'), round, 1, choice)
const commitment = commit(place, choice, nonce)
const box = closeBox(boxKey, place, choice, nonce)
const keys = [{ seal: sealName, key: boxKey }]

const client: Record<FromClient['type'], FromClient> = {
  hello: {
    type: 'hello',
    version: 1,
    role: 'member',
    publicKeys: member.publicKeys,
    signature: fill(8, 64),
    generation: 0,
    cursor,
  },
  append: { type: 'append', ref: 1, envelope },
  signal: { type: 'signal', to: 0, envelope },
  snapshot: { type: 'snapshot', covers: cursor, replaces: fill(9, 16), envelope },
  delete: { type: 'delete', signature: fill(8, 64) },
  deposit: {
    type: 'deposit',
    ref: 1,
    round: roundName,
    seal: sealName,
    key: boxKey,
    replaces: [fill(17, 32)],
  },
  release: { type: 'release', ref: 1, round: roundName, asker },
}
const relay: Record<FromRelay['type'], FromRelay> = {
  challenge: { type: 'challenge', nonce: fill(10, 32) },
  snapshot: { type: 'snapshot', id: fill(9, 16), covers: cursor, envelope },
  entry: { type: 'entry', cursor, envelope },
  caughtUp: { type: 'caughtUp', cursor, log: 'kept', resumed: true },
  saved: { type: 'saved', ref: 1, cursor, compact: { replaces: undefined } },
  unsaved: { type: 'unsaved', ref: 1, reason: 'full' },
  signal: { type: 'signal', from: 5, envelope },
  joined: { type: 'joined', connection: 5 },
  left: { type: 'left', connection: 5 },
  keepalive: { type: 'keepalive', cursor, elsewhere: new Map() },
  refuse: { type: 'refuse', code: 4403, words: 'No' },
  goingAway: { type: 'goingAway', retryAfter: 2000 },
  released: {
    type: 'released',
    cursor,
    body: encodeReleased({ round: roundName, asker, salt: fill(19, 16), keys }),
  },
}
const statements: { readonly [Kind in Signed['kind']]: Signed<Kind> } = {
  profile: {
    kind: 'profile',
    author,
    counter: 1,
    name: 'Ana',
    observer: false,
    membership: sign(membershipStatement(owner.session, author), member.memberSeed ?? fill(0, 32)),
  },
  grant: { kind: 'grant', author, participant: author, role: 'facilitator' },
  round: {
    kind: 'round',
    author,
    story,
    cards: deck.cards,
    previous: undefined,
    rules: undefined,
  },
  seal: { kind: 'seal', author, round, counter: 1, commitment, box },
  reveal: { kind: 'reveal', author, round, cut: [seal], seen: [] },
  admit: { kind: 'admit', author, round, seals: [seal] },
  estimate: { kind: 'estimate', author, story, round, card: 0, replaces: [] },
  rules: { kind: 'rules', author, who: 'facilitators', auto: false, escrow: true, replaces: [] },
  withdraw: { kind: 'withdraw', author, record: round },
}
const release = { kind: 'release', round, ...asker, keys } as const
const open = { kind: 'open', seal, ...choice, nonce } as const

const polls: Record<Poll['type'], Poll> = {
  open: { type: 'open' },
  up: { type: 'up', token: fill(20, 16), offset: 300, piece: putFrames([fill(21, 5)]) },
  down: { type: 'down', token: fill(20, 16), offset: 37 },
  leave: { type: 'leave', token: fill(20, 16) },
}

const made: Record<string, Uint8Array> = {
  ...Object.fromEntries(Object.entries(polls).map(([name, poll]) => [`request ${name}`, encodePoll(poll)])),
  ...Object.fromEntries(
    Object.entries(client).map(([name, message]) => [`client ${name}`, encodeFromClient(message)]),
  ),
  ...Object.fromEntries(
    Object.entries(relay).map(([name, message]) => [`relay ${name}`, encodeFromRelay(message)]),
  ),
  ...Object.fromEntries(
    Object.entries(statements).map(([name, statement]) => [
      `record ${name}`,
      encodeRecord(owner.session, statement, seed),
    ]),
  ),
  'record open': encodeOpen(open),
  'record release': encodeRelease(release),
  'escrow name': roundName,
  'release statement': releaseStatement(owner.session, roundName, reveal),
  'box key': boxKey,
  box,
  deck: encodeDeck(deck),
  cursor: encodeCursorBytes(cursor),
  'public keys': owner.publicKeys,
  'delete statement': deleteStatement(owner.session),
  'hello statement': helloStatement(fill(10, 32), owner.session, 'https://poker.example'),
  commitment,
  nonce,
}
const texts: Record<string, string> = {
  'session id': owner.session,
  'member invitation': formatInvitation(owner, 'member'),
  'observer invitation': formatInvitation(owner, 'observer'),
  'device invitation': formatDeviceInvitation(member, seed),
}

const examples = readExamples()

test.each([...Object.keys(made), ...Object.keys(texts)])(
  'the example of "%s" is what the code makes',
  (name) => {
    const bytes = made[name]
    expect(examples.get(name)).toBe(bytes ? bytesToHex(bytes) : texts[name])
  },
)

test.each(Object.keys(client))('the example of the client frame "%s" decodes', (name) => {
  expect(decodeFromClient(exampleBytes(`client ${name}`))).toEqual(client[name as FromClient['type']])
})

test.each(Object.keys(relay))('the example of the relay frame "%s" decodes', (name) => {
  expect(decodeFromRelay(exampleBytes(`relay ${name}`))).toEqual(relay[name as FromRelay['type']])
})

test.each(Object.keys(polls))('the example of the request "%s" decodes', (name) => {
  expect(decodePoll(exampleBytes(`request ${name}`))).toEqual(polls[name as Poll['type']])
})

test.each(Object.keys(statements))('the example of the record "%s" decodes and is signed', (name) => {
  const bytes = exampleBytes(`record ${name}`)
  expect(decodeRecord(bytes)).toMatchObject(statements[name as Signed['kind']])
  const { signature, message, publicKey } = signatureOf(owner.session, bytes)
  expect(verify(signature, message, publicKey)).toBe(true)
  expect(decodeRecord(exampleBytes('record open'))).toMatchObject(open)
  expect(decodeRecord(exampleBytes('record release'))).toMatchObject(release)
})

test('the example box is opened by its key and by no other', () => {
  const sealed = { id: seal, commitment: exampleBytes('commitment'), box: exampleBytes('box') }
  expect(openBox(exampleBytes('box key'), place, sealed)).toEqual(open)
  expect(openBox(fill(17, 32), place, sealed)).toBeUndefined()
})

test('the example envelope holds the example change', () => {
  const content = decrypt(member, 'change', exampleBytes('envelope'))
  expect(content && bytesToHex(content)).toBe(examples.get('content'))
  expect(content && decodePart(content)).toMatchObject({ index: 0, count: 1, bytes: fill(14, 5) })
})

test('the example invitations, cursor and deck are read back', () => {
  for (const role of ['member', 'observer'] as const) {
    const keys = parseInvitation(examples.get('session id') ?? '', examples.get(`${role} invitation`) ?? '')
    expect(keys).toMatchObject({ role, session: owner.session })
  }
  const device = parseDeviceInvitation(owner.session, examples.get('device invitation') ?? '')
  expect(device).toMatchObject({ keys: { role: 'member' }, seed })
  expect(decodeCursorBytes(exampleBytes('cursor'))).toEqual(cursor)
  expect(decodeDeck(exampleBytes('deck'))).toEqual(deck)
})

function exampleBytes(name: string): Uint8Array {
  return hexToBytes(examples.get(name) ?? '')
}

/** Blocks that begin with "```example NAME"; line breaks in the bytes mean nothing. */
function readExamples(): Map<string, string> {
  const text = readFileSync(path, 'utf8')
  const block = /```example (.+)\n([^`]*)```/g
  if (process.env.UPDATE) {
    const wrap = (bytes: Uint8Array) => bytesToHex(bytes).replace(/.{120}(?=.)/g, '$&\n')
    const anew = text.replace(block, (old, name: string) => {
      const now = made[name] ? wrap(made[name]) : texts[name]
      return now === undefined ? old : `\`\`\`example ${name}\n${now}\n\`\`\``
    })
    writeFileSync(path, anew)
    return readExamplesOf(anew, block)
  }
  return readExamplesOf(text, block)
}

function readExamplesOf(text: string, block: RegExp): Map<string, string> {
  return new Map(
    [...text.matchAll(block)].map(([, name, body]) => [name as string, (body as string).replace(/\s/g, '')]),
  )
}
