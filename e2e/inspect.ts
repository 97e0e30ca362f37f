/** What can be found in somebody's browser and on the wire, with the keys in hand: the strongest eavesdropper is a member. */
import * as Y from 'yjs'
import { recordsOf } from '../shared/document.ts'
import { decrypt } from '../shared/envelope.ts'
import { boxKeyBytes, openBox } from '../shared/escrow.ts'
import { base32, parseBase32, parseSessionId, type SessionId } from '../shared/id.ts'
import { parseInvitation } from '../shared/invitation.ts'
import { keysFor, participantSeed, roleSeed, roles, type SessionKeys } from '../shared/keys.ts'
import { decodePart } from '../shared/parts.ts'
import { decodeRecord, type RecordOf, type StoredRecord } from '../shared/record.ts'
import { decodeFromClient, decodeFromRelay } from '../shared/wire.ts'
import type { Person } from './person.ts'

export function keysFromLink(link: string): SessionKeys {
  const { pathname, hash } = new URL(link)
  const keys = parseInvitation(pathname.split('/').at(-1) ?? '', hash.slice(1))
  if (!keys) throw new Error('The invitation is damaged')
  return keys
}

/** The updates in the frames that a person received, decrypted. */
export function updatesReceived(person: Person, keys: SessionKeys): Uint8Array[] {
  return person.received.flatMap((frame) => {
    const message = decodeFromRelay(new Uint8Array(frame))
    if (message?.type === 'snapshot') return decrypt(keys, 'snapshot', message.envelope) ?? []
    const content = message?.type === 'entry' ? decrypt(keys, 'change', message.envelope) : undefined
    return (content && decodePart(content)?.bytes) ?? []
  })
}

/** The lengths of the changes that a person sent. */
export function lengthsSent(person: Person, after = 0): number[] {
  return person.sent
    .slice(after)
    .map((frame) => new Uint8Array(frame))
    .filter((frame) => decodeFromClient(frame)?.type === 'append')
    .map((frame) => frame.length)
}

/** The rows of y-indexeddb in a person's browser. */
export async function updatesStored(person: Person): Promise<Uint8Array[]> {
  const rows = await person.page.evaluate(async () => {
    const result = <Value>(request: IDBRequest<Value>) =>
      new Promise<Value>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error)
      })
    const found: number[][] = []
    for (const { name } of await indexedDB.databases()) {
      const db = await result(indexedDB.open(name ?? ''))
      for (const row of await result(db.transaction('updates').objectStore('updates').getAll())) {
        found.push(Array.from(row as Uint8Array))
      }
      db.close()
    }
    return found
  })
  return rows.map((row) => Uint8Array.from(row))
}

export function recordsIn(updates: readonly Uint8Array[]): StoredRecord[] {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  return [...recordsOf(doc).values()].flatMap((bytes) =>
    bytes instanceof Uint8Array ? (decodeRecord(bytes) ?? []) : [],
  )
}

/** How many votes have arrived in somebody's browser: of one that was changed, nothing can be seen before the reveal. */
export async function votesStored(person: Person): Promise<number> {
  return recordsIn(await updatesStored(person)).filter(({ kind }) => kind === 'seal').length
}

/** The messages of one type among the frames that somebody sent or received. */
export function framesOf<Message extends { readonly type: string }, Type extends Message['type']>(
  frames: readonly Buffer[],
  decode: (frame: Uint8Array) => Message | undefined,
  type: Type,
): Extract<Message, { type: Type }>[] {
  return frames.flatMap((frame) => {
    const message = decode(new Uint8Array(frame))
    return message?.type === type ? [message as Extract<Message, { type: Type }>] : []
  })
}

/** How many of all the 32 bytes that lie beside each other somewhere open the seal's box. */
export function keysThatOpen(
  session: SessionId,
  seal: RecordOf<'seal'> | undefined,
  haystack: readonly Buffer[],
): number {
  if (!seal) throw new Error('There is no such seal')
  const place = { session, round: seal.round, voter: seal.author, counter: seal.counter }
  let found = 0
  for (const bytes of haystack) {
    for (let at = 0; at + boxKeyBytes <= bytes.length; at++) {
      if (openBox(bytes.subarray(at, at + boxKeyBytes), place, seal)) found++
    }
  }
  return found
}

/** The secrets of a person's device and of its sessions, with all that follows from them, in each way they may be written. */
export async function secretsOf({ context }: Person): Promise<Buffer[]> {
  const { origins } = await context.storageState()
  const kept = origins.flatMap(({ localStorage }) => localStorage)
  const device = kept.flatMap(({ name, value }) =>
    name === 'facedown.secret' || name.startsWith('facedown.person.') ? (parseBase32(value, 32) ?? []) : [],
  )
  const sessions = kept.flatMap(({ name, value }) => {
    const id = parseSessionId(name.replace(/^facedown\.session\./, ''))
    const [secret] = id ? (JSON.parse(value) as [string]) : []
    const keys = id && secret && parseInvitation(id, secret)
    if (id && !keys) throw new Error(`The device keeps no invitation to ${id}`)
    return keys || []
  })
  const bytes = [
    ...device,
    ...sessions.flatMap(({ session }) => device.map((secret) => participantSeed(secret, session))),
    ...sessions.flatMap(secretsOfSession),
  ]
  return bytes
    .map((secret) => Buffer.from(secret))
    .flatMap((secret) => [
      secret,
      Buffer.from(secret.toString('base64url').slice(0, -1)), // the last letter depends on what follows
      Buffer.from(secret.toString('hex')),
      Buffer.from(base32(secret)),
    ])
}

function secretsOfSession(keys: SessionKeys): Uint8Array[] {
  return roles.slice(roles.indexOf(keys.role)).flatMap((role) => {
    const lesser = keysFor(role, keys)
    return [
      lesser.secret,
      lesser.contentKey,
      roleSeed(lesser),
      ...(lesser.memberSeed ? [lesser.memberSeed] : []),
    ]
  })
}
