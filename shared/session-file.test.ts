import { expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { tellRounds } from './chronicle.ts'
import { addStories, markRemoved, noteTime, readStories, readTimes, writeName } from './document.ts'
import { createSessionKeys, keysFor, roles } from './keys.ts'
import { encodeSessionFile, openSessionFile } from './session-file.ts'
import { bytesOf, Chance, cards, Device, meet, memberKeys, observerKeys, ownerKeys } from './testing.ts'

// The same Ed25519 from the platform, fourteen times as fast: thousands of statements are signed here, and read by several.
vi.mock('@noble/ed25519', () => import('./native-ed25519.testing.ts'))

const nobody = () => undefined
const seed = Number(process.env.SEED ?? 20261121)

/** A few people act at random, so that the document has records, texts and deletions of several clients. */
function randomSession(chance: Chance): Y.Doc {
  const devices = ['alice', 'bob', 'carol'].map((name) => new Device(name))
  for (let step = 4 + chance.below(12); step > 0; step--) {
    const { doc } = chance.pick(devices)
    const [story] = readStories(doc)
    const act = chance.below(4)
    if (act === 0) writeName(doc, `session ${chance.below(100)}`)
    else if (act === 1 && story) markRemoved(doc, story.id, chance.happens(0.5))
    else if (act === 2) doc.getMap('records').set(`record ${chance.below(1000)}`, chance.bytes(60))
    else addStories(doc, [{ title: `story ${chance.below(100)}`, notes: 'a note', key: 'X-1' }])
    if (chance.happens(0.3)) chance.pick(devices).hears(...devices)
  }
  const [first, ...others] = devices as [Device, ...Device[]]
  first.hears(...others)
  return first.doc
}

test('1,000 random sessions are the same after a round trip through a file, encrypted and plain', () => {
  const chance = new Chance(seed)
  for (let at = 0; at < 1000; at++) {
    const doc = randomSession(chance)
    const keys = at % 2 === 0 ? memberKeys : observerKeys
    const kind = at % 4 < 2 ? 'encrypted' : 'plain'
    const file = encodeSessionFile(keys, Y.encodeStateAsUpdate(doc), kind)
    const opened = openSessionFile(file, kind === 'plain' ? nobody : () => keys)
    if (opened.state !== 'opened') throw new Error(`Session ${at} of seed ${seed} is ${opened.state}`)
    const again = new Y.Doc()
    Y.applyUpdate(again, opened.update)
    expect(Y.encodeSnapshot(Y.snapshot(again))).toEqual(Y.encodeSnapshot(Y.snapshot(doc)))
    expect(again.getMap('records').toJSON()).toEqual(doc.getMap('records').toJSON())
    expect(readStories(again)).toEqual(readStories(doc))
    expect(opened.keys).toEqual(keys)
  }
})

test.each(roles)('a plain file carries the keys of the %s it was saved by', (role) => {
  const keys = keysFor(role, ownerKeys)
  const opened = openSessionFile(encodeSessionFile(keys, bytesOf(7), 'plain'), nobody)
  expect(opened).toEqual({ state: 'opened', keys, update: bytesOf(7) })
})

test('an encrypted file says which session it needs the invitation of, and nothing else', () => {
  const file = encodeSessionFile(memberKeys, new TextEncoder().encode('canary of the content'), 'encrypted')
  expect(openSessionFile(file, nobody)).toEqual({ state: 'locked', session: memberKeys.session })
  expect(openSessionFile(file, () => createSessionKeys())).toEqual({ state: 'damaged' })
  const text = new TextDecoder('latin1').decode(file)
  expect(text).not.toContain('canary')
  expect(text).not.toContain(new TextDecoder('latin1').decode(memberKeys.secret))
})

test('whoever opens a file sees what those who saved it saw: names, votes, reveals and estimates', () => {
  for (let at = 0; at < 8; at++) {
    const chance = new Chance(seed + at)
    const people = ['alice', 'bob', 'carol'].map((name) => new Device(name).introduces())
    const [alice] = people as [Device]
    const [story] = addStories(alice.doc, [{ title: 'Search' }])
    meet(...people)
    const rounds = [alice.starts(story), alice.starts()]
    meet(...people)
    for (const round of rounds) {
      for (const person of people) if (chance.happens(0.8)) person.votes(round, chance.pick(cards).label)
      meet(...people)
      if (chance.happens(0.8)) noteTime(alice.doc, chance.pick(people).reveals(round), 1000 + at)
      meet(...people)
      for (const person of people) if (chance.happens(0.8)) person.opens(round)
      if (alice.state(round).phase !== 'voting' && chance.happens(0.5)) alice.settles(round, '5')
    }
    meet(...people)
    const file = encodeSessionFile(memberKeys, Y.encodeStateAsUpdate(alice.doc), 'plain')
    const opened = openSessionFile(file, nobody)
    if (opened.state !== 'opened') throw new Error(`Session ${at} of seed ${seed} is ${opened.state}`)
    const dave = new Device('dave', opened.keys)
    Y.applyUpdate(dave.doc, opened.update)
    dave.reads()
    expect(seenBy(dave)).toEqual(seenBy(alice))
  }
})

function seenBy({ doc, ledger }: Device) {
  const told = ledger
    .topics()
    .map((topic) => [topic, [...tellRounds(ledger, topic, readTimes(doc))]] as const)
  return { profiles: ledger.profiles(), told: new Map(told), stories: readStories(doc) }
}

test.each(['encrypted', 'plain'] as const)('any changed or missing byte of an %s file is named', (kind) => {
  const file = encodeSessionFile(memberKeys, bytesOf(7, 100), kind)
  const open = (bytes: Uint8Array) => openSessionFile(bytes, () => memberKeys).state
  for (let at = 0; at < file.length; at++) {
    const changed = file.slice()
    changed[at] = (changed[at] ?? 0) ^ 0x80
    expect(open(changed), `byte ${at}`).toBe(at < 8 ? 'notAFile' : at === 8 ? 'newer' : 'damaged')
    expect(open(file.slice(0, at)), `${at} bytes`).toBe(at < 8 ? 'notAFile' : 'damaged')
  }
  expect(open(new Uint8Array([...file, 0]))).toBe('damaged')
})

test('noise is never opened, and nothing that it says makes the reader throw', () => {
  const chance = new Chance(seed)
  const heads = [0, 1].map((kind) => Uint8Array.of(...new TextEncoder().encode('facedown'), 1, kind))
  for (let at = 0; at < 2000; at++) {
    const noise = new Uint8Array([...chance.pick(heads), ...chance.bytes(chance.below(200))])
    expect(openSessionFile(noise, () => memberKeys).state).toBe('damaged')
  }
})

test('a file too short to be one is damaged: it does not ask for an invitation first', () => {
  const file = encodeSessionFile(memberKeys, new Uint8Array(), 'encrypted')
  expect(openSessionFile(file, nobody).state).toBe('locked')
  expect(openSessionFile(file.slice(0, -1), nobody).state).toBe('damaged')
})

test('the owner can save a file for the team that gives away no more than an invitation does', () => {
  const file = encodeSessionFile(keysFor('member', ownerKeys), bytesOf(7), 'plain')
  const opened = openSessionFile(file, nobody)
  expect(opened.state === 'opened' && opened.keys.role).toBe('member')
  expect(new TextDecoder('latin1').decode(file)).not.toContain(
    new TextDecoder('latin1').decode(ownerKeys.secret),
  )
})

test('what is no session file is told from a damaged and from a newer one', () => {
  expect(openSessionFile(new TextEncoder().encode('Key,Summary\n'), nobody)).toEqual({ state: 'notAFile' })
  expect(openSessionFile(new Uint8Array(), nobody)).toEqual({ state: 'notAFile' })
  const file = encodeSessionFile(memberKeys, bytesOf(7), 'plain')
  file[8] = 2
  expect(openSessionFile(file, nobody)).toEqual({ state: 'newer' })
  file[8] = 0
  expect(openSessionFile(file, nobody)).toEqual({ state: 'damaged' })
})
