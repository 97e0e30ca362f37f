import * as Y from 'yjs'
import { isAcceptable } from '../../client/link/gate.ts'
import type { Cursor } from '../../shared/cursor.ts'
import { createDocument, recordsOf } from '../../shared/document.ts'
import { decrypt, type EnvelopeKind, encrypt } from '../../shared/envelope.ts'
import { helloStatement, roleSeed, type SessionKeys, sign } from '../../shared/keys.ts'
import { decodePart, splitIntoParts } from '../../shared/parts.ts'
import type { Chance } from '../../shared/testing.ts'
import { decodeFromRelay, encodeFromClient, type FromClient, protocolVersion } from '../../shared/wire.ts'
import type { Wire } from './virtual-network.ts'

const origin = 'https://table.example'

/** A member who holds the invitation and sends what no app would. */
export class Intruder {
  readonly #keys: SessionKeys
  readonly #chance: Chance
  readonly #connect: () => Wire
  #wire: Wire | undefined
  #ref = 0
  #cursor: Cursor = new Map()
  #snapshot: Uint8Array | undefined
  /** What it has read, but for changes of several parts. */
  readonly #doc = createDocument()
  /** Records that it has removed, or written over. */
  erased = 0
  /** Snapshots that hide everything: one, because of two in a row the store keeps nothing else. */
  hidden = 0

  constructor(keys: SessionKeys, chance: Chance, connect: () => Wire) {
    this.#keys = keys
    this.#chance = chance
    this.#connect = connect
  }

  /** Connects when it is not, else sends some rubbish. Says how much. */
  annoy(): number {
    if (!this.#wire || this.#wire.dead || this.#wire.readyState > 1) {
      this.#begin()
      return 0
    }
    if (this.#wire.readyState === 0) return 0
    const pieces = 1 + this.#chance.below(4)
    for (let piece = 0; piece < pieces; piece++) this.#sendRubbish()
    if (this.#cursor.size > 0 && this.hidden === 0 && this.#chance.happens(0.2)) this.#hideAll()
    return pieces
  }

  leave(): void {
    this.#wire?.close()
    this.#wire = undefined
  }

  #sendRubbish(): void {
    const kind = this.#chance.happens(0.2) ? 'signal' : this.#chance.happens(0.05) ? 'snapshot' : 'append'
    if (kind === 'append') this.#send({ type: 'append', ref: ++this.#ref, envelope: this.#change() })
    else if (kind === 'signal') {
      this.#send({ type: 'signal', to: 0, envelope: encrypt(this.#keys, 'signal', this.#chance.bytes(40)) })
    } else {
      const envelope = encrypt(this.#keys, 'snapshot', this.#chance.bytes(300))
      this.#send({ type: 'snapshot', covers: new Map(), replaces: undefined, envelope })
    }
  }

  /** Takes the place of the whole log, and has nothing of it. */
  #hideAll(): void {
    this.hidden++
    const envelope = encrypt(this.#keys, 'snapshot', Y.encodeStateAsUpdate(new Y.Doc()))
    this.#send({ type: 'snapshot', covers: this.#cursor, replaces: this.#snapshot, envelope })
  }

  #begin(): void {
    this.#cursor = new Map()
    this.#snapshot = undefined
    const wire = this.#connect()
    this.#wire = wire
    wire.onmessage = ({ data }) => {
      const message = data instanceof ArrayBuffer ? decodeFromRelay(new Uint8Array(data)) : undefined
      if (message?.type === 'challenge') this.#greet(message.nonce)
      if (message?.type === 'snapshot') {
        this.#snapshot = message.id
        this.#read('snapshot', message.envelope)
      }
      if (message?.type === 'entry') this.#read('change', message.envelope)
      if (message?.type === 'caughtUp') this.#cursor = message.cursor
    }
  }

  #greet(nonce: Uint8Array): void {
    this.#send({
      type: 'hello',
      version: protocolVersion,
      role: this.#keys.role,
      publicKeys: this.#keys.publicKeys,
      signature: sign(helloStatement(nonce, this.#keys.session, origin), roleSeed(this.#keys)),
      generation: 0,
      cursor: new Map(),
    })
  }

  #read(kind: EnvelopeKind, envelope: Uint8Array): void {
    const content = decrypt(this.#keys, kind, envelope)
    const update = content && kind === 'change' ? decodePart(content)?.bytes : content
    if (update && isAcceptable(update)) Y.applyUpdate(this.#doc, update)
  }

  #erase(): Uint8Array {
    const before = Y.encodeStateVector(this.#doc)
    const records = recordsOf(this.#doc)
    this.#doc.transact(() => {
      for (const id of [...records.keys()].filter(() => this.#chance.happens(0.3))) {
        this.erased++
        if (this.#chance.happens(0.5)) records.delete(id)
        else records.set(id, this.#chance.bytes(100))
      }
    })
    return Y.encodeStateAsUpdate(this.#doc, before)
  }

  #change(): Uint8Array {
    const chance = this.#chance
    if (chance.happens(0.2)) return chance.bytes(256)
    const content = chance.happens(0.1) ? this.#erase() : chance.pick(rubbish)(chance)
    const [part = content] = splitIntoParts(content)
    return encrypt(this.#keys, 'change', content.length < 1000 && chance.happens(0.1) ? content : part)
  }

  #send(message: FromClient): void {
    this.#wire?.send(encodeFromClient(message) as Uint8Array<ArrayBuffer>)
  }
}

/** Updates of documents nobody else has, so that no two devices ever get different changes under one name. */
const rubbish: readonly ((chance: Chance) => Uint8Array)[] = [
  (chance) => chance.bytes(60),
  () => updateOf((doc) => doc.getMap('stories').set('nobody', new Y.Array<string>())),
  () => updateOf((doc) => doc.getMap('stories').set('nobody', new Y.Map([['title', 'no text']]))),
  (chance) => updateOf((doc) => doc.getMap('settings').set('laid', chance.bytes(20))),
  (chance) => updateOf((doc) => recordsOf(doc).set('no id', chance.bytes(100))),
  () => updateOf((doc) => recordsOf(doc).set('no bytes', { deep: { deeper: 1 } })),
  () => updateOf((doc) => doc.getMap('times').set('nothing', 'soon')),
  cutShort,
  afterGap,
  firstOfTwoParts,
]

function updateOf(change: (doc: Y.Doc) => void): Uint8Array {
  const doc = new Y.Doc()
  change(doc)
  return Y.encodeStateAsUpdate(doc)
}

function cutShort(chance: Chance): Uint8Array {
  const whole = updateOf((doc) => doc.getText('t').insert(0, 'some text'))
  return whole.subarray(0, chance.below(whole.length))
}

/** A change whose predecessor nobody ever gets. */
function afterGap(): Uint8Array {
  const doc = new Y.Doc()
  doc.getText('t').insert(0, 'never sent')
  const before = Y.encodeStateVector(doc)
  doc.getText('t').insert(3, 'sent')
  return Y.encodeStateAsUpdate(doc, before)
}

/** `splitIntoParts` gives two, and only the first is sent. */
function firstOfTwoParts(): Uint8Array {
  return updateOf((doc) => doc.getText('t').insert(0, 'x'.repeat(70_000)))
}
