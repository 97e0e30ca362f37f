import type { SessionId } from '../../shared/id.ts'
import {
  formatInvitation,
  namedRole,
  parseDeviceInvitation,
  parseInvitation,
  seedsToCheck,
  sessionPath,
} from '../../shared/invitation.ts'
import { createSessionKeys, type SessionKeys } from '../../shared/keys.ts'
import type { Current } from '../app.svelte'
import {
  becomeParticipant,
  forgetSession,
  type KeptSession,
  keepSession,
  keptSessions,
  keysOf,
  participantSeedFor,
  rememberedName,
  rememberName,
  restoreSession,
  secretOf,
} from '../device/device.ts'
import { folder } from '../device/device-storage.ts'
import { type Remembered, rememberEstimates } from '../device/estimate-memory.ts'
import { derivePublicKeys, signNatively, verifyNatively } from '../device/native-ed25519.ts'
import { yielded } from '../device/yielded.ts'
import { Ways } from '../link/ways.ts'
import type { FileProblem, HomeView, SessionEntry } from '../pages/session-entry.ts'
import { LiveSession } from '../session/session.svelte.ts'
import { parseRoute } from './router.ts'

/** How long a relay may take for what is done from the home page, in milliseconds. */
const patience = 10_000

/** One visit to the app: which page is shown, and the session that is open. */
export class Visit implements HomeView {
  current = $state.raw<Current>({ page: 'none' })
  #sessions = $state.raw<readonly KeptSession[]>(keptSessions())
  #session: LiveSession | undefined
  /** How often this visit went somewhere: what opens when it has gone on is not shown. */
  #went = 0
  readonly #ways = new Ways()
  readonly #base: string

  /** `base`: where the app lives, taken before any navigation, because the document's base address moves with it. */
  constructor(base: string) {
    this.#base = base
  }

  get sessions(): readonly SessionEntry[] {
    return this.#sessions.map(({ id, secret, name, opened, at }) => ({
      id,
      name,
      opened,
      mayRename: at === folder() && namedRole(secret) !== 'observer',
      mayDelete: at === folder() && namedRole(secret) === 'owner',
      href: new URL(at + sessionPath(id), this.#base).href,
    }))
  }

  /** Shows what the address says. */
  async follow(address: string): Promise<void> {
    const went = ++this.#went
    const route = parseRoute(address, this.#base)
    await this.#leave()
    if (went !== this.#went) return
    if (route.page === 'home') {
      this.#sessions = keptSessions()
      this.current = { page: 'home' }
    } else if (route.page === 'session') {
      this.current = { page: 'opening' }
      await yielded()
      await derivePublicKeys([route.secret, secretOf(route.id) ?? ''].flatMap(seedsToCheck))
      if (went !== this.#went) return
      const device = parseDeviceInvitation(route.id, route.secret)
      if (device) becomeParticipant(device.keys.session, device.seed)
      const invited = device?.keys ?? parseInvitation(route.id, route.secret)
      const keys = route.secret ? invited : keysOf(route.id)
      if (!keys) this.current = { page: 'problem', problem: route.secret ? 'damagedLink' : 'missingSecret' }
      else await this.#open(keys, went)
    } else {
      this.current = { page: 'problem', problem: route.page === 'damaged' ? 'damagedLink' : 'unknownPath' }
    }
  }

  async start(): Promise<void> {
    const keys = createSessionKeys()
    this.#goTo(keys)
    await this.#show(LiveSession.create(this.#optionsFor(keys)))
  }

  retry(): void {
    this.#session?.retry()
  }

  remove(id: SessionId): void {
    this.#forgotten.set(id, forgetSession(id))
    this.#sessions = keptSessions()
  }

  /** The name is in the session itself: it is opened for as long as that takes. */
  async rename(id: SessionId, name: string): Promise<void> {
    await this.#visit(id, async (session) => {
      session.rename(name)
      await session.whenSaved(patience)
    })
    this.#sessions = keptSessions()
  }

  async deleteFromRelay(id: SessionId): Promise<'deleted' | 'offline' | 'refused'> {
    const outcome = await this.#visit(id, (session) => session.deleteFromRelay(patience))
    return outcome ?? 'refused'
  }

  /** Opens the session the file is of, with what the file has of it besides what this device has. */
  async openFile(file: Blob, invitation?: string): Promise<FileProblem | undefined> {
    const went = ++this.#went
    const read = await (await import('./read-file.ts')).readFile(file, this.#base, invitation)
    if (typeof read === 'string') return read
    if (went !== this.#went) return undefined
    const { keys, update } = read
    this.#goTo(keys)
    await this.#show(LiveSession.open({ ...this.#optionsFor(keysOf(keys.session) ?? keys), update }), went)
    return undefined
  }

  /** Where nothing can be kept the address is the only way back. It may be shared, so it is an invitation to others at most. */
  #goTo(keys: SessionKeys): void {
    const path = sessionPath(keys.session)
    const invited = keys.role === 'owner' ? 'member' : keys.role
    const secret = keepSession(keys, Date.now()) ? '' : `#${formatInvitation(keys, invited)}`
    history.pushState(null, '', new URL(path + secret, this.#base))
  }

  restore(entry: SessionEntry): void {
    const kept = this.#forgotten.get(entry.id)
    if (kept) restoreSession(kept)
    this.#sessions = keptSessions()
  }

  readonly #forgotten = new Map<SessionId, KeptSession | undefined>()

  async #open(invited: SessionKeys, went: number): Promise<void> {
    const kept = keepSession(invited, Date.now())
    // What is in the address bar ends up in histories and screen shares; this device remembers it now.
    if (kept)
      history.replaceState(null, '', new URL(sessionPath(invited.session) + location.search, this.#base))
    await yielded()
    const options = this.#optionsFor(keysOf(invited.session) ?? invited)
    await derivePublicKeys([options.seed])
    await this.#show(LiveSession.open(options), went)
  }

  async #visit<Result>(
    id: SessionId,
    act: (session: LiveSession) => Promise<Result>,
  ): Promise<Result | undefined> {
    const keys = keysOf(id)
    if (!keys) return undefined
    const session = await LiveSession.open(this.#optionsFor(keys))
    try {
      return await act(session)
    } finally {
      await session.close()
    }
  }

  async #show(opening: Promise<LiveSession>, went = ++this.#went): Promise<void> {
    const session = await opening
    await yielded()
    if (went !== this.#went) return session.close()
    this.#session = session
    this.current = { page: 'session', session }
  }

  async #leave(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    await session?.close()
  }

  #optionsFor(keys: SessionKeys) {
    const seed = participantSeedFor(keys.session)
    return {
      keys,
      seed,
      rememberedName: rememberedName(),
      base: this.#base,
      connect: this.#ways.connect,
      sign: signNatively,
      verify: verifyNatively,
      pause: yielded,
      rememberEstimates: (estimates: readonly Remembered[]) => rememberEstimates(keys.session, estimates),
      remember: ({ person, session }: { readonly person?: string; readonly session?: string }) => {
        if (person !== undefined) {
          rememberName(person)
          // Somebody who says who they are means to stay; some browsers ask them. Plain http has no such thing.
          navigator.storage?.persist().catch(() => {})
        }
        if (session !== undefined) keepSession(keys, Date.now(), session)
      },
      keepAgain: () => {
        becomeParticipant(keys.session, seed)
        keepSession(keys, Date.now(), this.#session?.name)
      },
    }
  }
}
