import type { SessionId } from '../shared/id.ts'
import { parseInvitation, sessionPath } from '../shared/invitation.ts'
import { createSessionKeys, type SessionKeys } from '../shared/keys.ts'
import type { Current } from './app.svelte'
import {
  deviceSecret,
  forgetSession,
  type KeptSession,
  keepSession,
  keptSessions,
  keysOf,
  rememberedName,
  rememberName,
  restoreSession,
} from './device.ts'
import type { PlainSocket } from './link/relay-link.ts'
import type { HomeView, SessionEntry } from './pages/session-entry.ts'
import { parseRoute } from './router.ts'
import { LiveSession } from './session.svelte.ts'
import { words } from './words.ts'

/** One visit to the app: which page is shown, and the session that is open. */
export class Visit implements HomeView {
  current = $state.raw<Current>({ page: 'opening' })
  #sessions = $state.raw<readonly KeptSession[]>(keptSessions())
  #session: LiveSession | undefined
  readonly #base: string

  /** `base`: where the app lives, taken before any navigation, because the document's base address moves with it. */
  constructor(base: string) {
    this.#base = base
  }

  get sessions(): readonly SessionEntry[] {
    return this.#sessions.map(({ id, name, opened }) => ({
      id,
      name,
      opened,
      href: new URL(sessionPath(id), this.#base).href,
    }))
  }

  /** Shows what the address says. */
  async follow(address: string): Promise<void> {
    const route = parseRoute(address, this.#base)
    await this.#leave()
    if (route.page === 'home') {
      this.#sessions = keptSessions()
      this.current = { page: 'home' }
    } else if (route.page === 'session') {
      const keys = route.secret ? parseInvitation(route.id, route.secret) : keysOf(route.id)
      if (!keys) this.current = { page: 'problem', problem: route.secret ? 'damagedLink' : 'missingSecret' }
      else await this.#open(keys)
    } else {
      this.current = { page: 'problem', problem: route.page === 'damaged' ? 'damagedLink' : 'unknownPath' }
    }
  }

  async start(): Promise<void> {
    const keys = createSessionKeys()
    history.pushState(null, '', new URL(sessionPath(keys.session), this.#base))
    keepSession(keys, Date.now())
    await this.#show(LiveSession.create(this.#optionsFor(keys)))
  }

  remove(id: SessionId): void {
    this.#forgotten.set(id, forgetSession(id))
    this.#sessions = keptSessions()
  }

  restore(entry: SessionEntry): void {
    const kept = this.#forgotten.get(entry.id)
    if (kept) restoreSession(kept)
    this.#sessions = keptSessions()
  }

  readonly #forgotten = new Map<SessionId, KeptSession | undefined>()

  async #open(invited: SessionKeys): Promise<void> {
    this.current = { page: 'opening' }
    const kept = keepSession(invited, Date.now())
    // What is in the address bar ends up in histories and screen shares; this device remembers it now.
    if (kept) history.replaceState(null, '', new URL(sessionPath(invited.session), this.#base))
    await this.#show(LiveSession.open(this.#optionsFor(keysOf(invited.session) ?? invited)))
  }

  async #show(opening: Promise<LiveSession>): Promise<void> {
    const session = await opening
    this.#session = session
    this.current = { page: 'session', session }
  }

  async #leave(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    await session?.close()
  }

  #optionsFor(keys: SessionKeys) {
    return {
      keys,
      secret: deviceSecret(),
      rememberedName: rememberedName(),
      base: this.#base,
      connect: (url: string, protocol: string) => new WebSocket(url, protocol) as PlainSocket,
      remember: ({ person, session }: { readonly person?: string; readonly session?: string }) => {
        if (person !== undefined) rememberName(person)
        if (session !== undefined) keepSession(keys, Date.now(), session)
      },
      troubleWords: words.saved.trouble,
    }
  }
}
