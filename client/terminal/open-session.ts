import { WebSocket } from 'ws'
import type { SessionKeys } from '../../shared/keys.ts'
import { signNatively, verifyNatively } from '../device/native-ed25519.ts'
import type { PlainSocket } from '../link/plain-socket.ts'
import type { SessionOptions } from '../session/core.ts'
import { LiveSession } from '../session/session.svelte.ts'
import type { SavedView } from '../session/session-view.ts'
import { Complaint } from './complaint.ts'
import type { CommandTrace } from './trace.ts'

/** Larger than any frame of a relay. */
const maxPayload = 1 << 22

/** What the relay's own words, which are for a browser, do not fit. */
const refusals: Readonly<Record<string, string>> = {
  malformed: 'This program and the relay do not understand each other. Use the version that the relay has',
  version: 'This program and the relay have different versions. Use the one that the relay has',
  deleted: 'Its owner deleted this session from the relay',
  forbidden: 'The relay does not accept this invitation. Ask for the link again',
}

export interface Opening {
  readonly keys: SessionKeys
  readonly base: string
  readonly seed: Uint8Array
  /** How long the relay may take, in milliseconds. */
  readonly patience: number
  /** Changes from a file, to begin with. */
  readonly update?: Uint8Array
  /** Makes a session that never was, by somebody of this name. */
  readonly creator?: string
  readonly trace?: CommandTrace | undefined
}

export interface OpenSession {
  readonly session: LiveSession
  /** Resolves when the relay has all that was done here. Complains when it does not in time. */
  whenSaved(): Promise<void>
}

/** Opens a session and waits until the relay has said what there is of it. Nothing of it is kept on this machine. */
export async function openSession({
  creator,
  patience,
  update,
  trace,
  ...opening
}: Opening): Promise<OpenSession> {
  let trouble = ''
  const options: SessionOptions = {
    ...opening,
    rememberedName: creator ?? '',
    connect: (url, protocol) => {
      const origin = new URL(opening.base).origin
      const followed = trace?.connect()
      const { headers = {} } = followed ?? {}
      const socket = new WebSocket(url, protocol, { origin, headers, perMessageDeflate: false, maxPayload })
      followed?.watch(socket)
      socket.on('error', (error) => {
        trouble = error.message
      })
      return socket as unknown as PlainSocket
    },
    sign: signNatively,
    verify: verifyNatively,
    alone: true,
    rememberEstimates: () => {},
    remember: () => {},
    ...(update ? { update } : {}),
  }
  const session = await (creator === undefined ? LiveSession.open(options) : LiveSession.create(options))
  const { core } = session
  const relay = (): SavedView['relay'] => session.saved.relay
  const answered = () => relay().state === 'connected' || (relay().state === 'unkept' && core.ledger.size > 0)
  await core.until(() => answered() || relay().state === 'refused', patience)
  if (!answered()) {
    await session.close()
    throw refusalIn(relay()) ?? new Complaint(silence(opening.base, relay().state, patience, trouble))
  }
  return { session, whenSaved: () => whenSaved(session, patience) }
}

/** Undefined while the relay does not refuse the session. */
export function refusalIn(relay: SavedView['relay']): Complaint | undefined {
  if (relay.state !== 'refused') return undefined
  return new Complaint(
    refusals[relay.reason] ?? (relay.words.replace(/\.$/, '') || 'The relay refused the session'),
  )
}

function silence(base: string, state: string, patience: number, trouble: string): string {
  const seconds = `${patience / 1000} s`
  if (state === 'unkept') {
    return `The relay at ${base} cannot read its store, and nobody is there who has the session. Try again later`
  }
  return `No relay answered at ${base} within ${seconds}${trouble && `: ${trouble}`}. Does it run there, and is there a network?`
}

async function whenSaved(session: LiveSession, patience: number): Promise<void> {
  const { core } = session
  const { link } = core
  const done = () => link?.waiting === 0 && (core.mayWrite ? keyIsKept(session) : true)
  await core.until(() => done() || refusalIn(session.saved.relay) !== undefined, patience)
  const { waiting } = session.saved
  if (waiting === 0) return
  const changes = waiting === 1 ? 'A change was' : `${waiting} changes were`
  throw new Complaint(
    `${changes} not saved by the relay within ${patience / 1000} s, and this program keeps none: do it again`,
  )
}

/** So that the card opens with the others, though its voter leaves. */
function keyIsKept({ table, rules }: LiveSession): boolean {
  return !rules.escrow || table?.opensAlone !== false
}
