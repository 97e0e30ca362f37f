import { type Component, getContext, setContext } from 'svelte'
import type { StoryId } from '../../shared/id.ts'
import type { SessionView } from '../session/session-view.ts'

/** What every panel is given. */
export interface PanelProps {
  readonly session: SessionView
  /** The story it is about, for panels that are about one. */
  readonly story?: StoryId | undefined
  readonly onclose: () => void
}

/** Everything that opens over the table, fetched when it is opened: no part of the way to the first vote. */
const loaders = {
  help: () => import('./help.svelte'),
  decks: () => import('./decks.svelte'),
  export: () => import('./export.svelte'),
  import: () => import('./import.svelte'),
  lookingBack: () => import('./looking-back.svelte'),
  invite: () => import('./invite.svelte'),
  phone: () => import('./phone.svelte'),
  rules: () => import('./rules.svelte'),
  story: () => import('./story.svelte'),
} satisfies Record<string, () => Promise<{ default: Component<PanelProps> }>>

export type PanelName = keyof typeof loaders

export function loadPanel(name: PanelName): Promise<{ default: Component<PanelProps> }> {
  return loaders[name]()
}

/** Which panel is open. Whatever wants to open one finds it in its context. */
export class Panels {
  current = $state.raw<{ readonly name: PanelName; readonly story: StoryId | undefined }>()

  open(name: PanelName, story?: StoryId): void {
    this.current = { name, story }
  }

  close(): void {
    this.current = undefined
  }
}

const key = Symbol('panels')

export function providePanels(): Panels {
  return setContext(key, new Panels())
}

/** Outside a page, as in a test of one component, it opens nothing. */
export function panels(): Panels {
  return getContext<Panels | undefined>(key) ?? new Panels()
}
