import { preferences } from '../device/preferences.svelte.ts'
import type { TableView } from '../session/session-view.ts'
import { pause, spellings, type } from './hand-keys.ts'

/** What the keys of the table do. */
export interface TableActs {
  /** Undefined: there is no table yet. */
  readonly table: TableView | undefined
  /** Whether this participant has a hand of cards. */
  readonly plays: boolean
  choose(card: number): void
  toggleUnsure(): void
  reveal(): void
  next(): void
  project(): void
  help(): void
  undo(): void
}

/** Listens to keys that are not meant for a field or a menu. */
export function tableKeys(acts: TableActs): (event: KeyboardEvent) => void {
  let typed = ''
  let timer: ReturnType<typeof setTimeout> | undefined

  /** Whether the key belongs to a card. */
  function chooseTyped({ cards, state }: TableView, spelt: readonly string[]): boolean {
    if (!acts.plays || state.phase !== 'voting') return false
    clearTimeout(timer)
    const meant = spelt.map((key) => type(cards, typed, key))
    const { rest, card } = meant.find(({ rest, card }) => rest || card !== undefined) ?? { rest: '' }
    typed = rest
    const choose = () => {
      typed = ''
      if (card !== undefined && card !== acts.table?.chosen) acts.choose(card)
    }
    if (rest) timer = setTimeout(choose, pause)
    else choose()
    return rest !== '' || card !== undefined
  }

  return (event) => {
    const { key, target, ctrlKey, metaKey, altKey, shiftKey } = event
    const { table } = acts
    if (!table || event.defaultPrevented || altKey || key.length > 1) return
    if (target instanceof Element && target.closest(elsewhere)) return
    const spelt = spellings(event)
    const means = (letter: string) => spelt.includes(letter)
    if (ctrlKey || metaKey) {
      if (!means('z') || shiftKey) return
      event.preventDefault()
      acts.undo()
    } else if (!preferences.singleKeys) return
    else if (means('?')) acts.help()
    else if (!chooseTyped(table, spelt)) {
      const voting = table.state.phase === 'voting'
      if (means('p')) acts.project()
      if (means('u') && voting) acts.toggleUnsure()
      if (means('r') && voting) acts.reveal()
      if (means('n') && (!voting || !table.everybodys)) acts.next()
    }
  }
}

const elsewhere = 'input, textarea, select, [contenteditable], dialog, [popover], .popover .panel'
