import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { addStories, markRemoved, readStories, writeName } from './document.ts'
import { createSessionKeys, keysFor, roles, type SessionKeys } from './keys.ts'
import { encodeSessionFile, openSessionFile } from './session-file.ts'
import { bytesOf, Chance, Device, memberKeys, observerKeys, ownerKeys } from './testing.ts'

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

test.each<[string, SessionKeys | undefined]>([
  ['encrypted', memberKeys],
  ['plain', undefined],
])('any changed or missing byte of an %s file is noticed', (kind, keys) => {
  const file = encodeSessionFile(memberKeys, bytesOf(7, 100), kind as 'encrypted' | 'plain')
  for (let at = 0; at < file.length; at++) {
    const changed = file.slice()
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(openSessionFile(changed, () => keys).state).not.toBe('opened')
    expect(openSessionFile(file.slice(0, at), () => keys).state).not.toBe('opened')
  }
})

test('what is no session file is told from a damaged and from a newer one', () => {
  expect(openSessionFile(new TextEncoder().encode('Key,Summary\n'), nobody)).toEqual({ state: 'notAFile' })
  expect(openSessionFile(new Uint8Array(), nobody)).toEqual({ state: 'notAFile' })
  const file = encodeSessionFile(memberKeys, bytesOf(7), 'plain')
  file[8] = 2
  expect(openSessionFile(file, nobody)).toEqual({ state: 'newer' })
})
