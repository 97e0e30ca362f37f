/** One replacement that turns one text into another. */
export interface Difference {
  readonly at: number
  readonly remove: number
  readonly insert: string
}

/** The steps of a `Y.Text` event. */
export type Delta = readonly {
  readonly retain?: number | undefined
  readonly delete?: number | undefined
  readonly insert?: unknown
}[]

/** Undefined when nothing differs. Never splits a surrogate pair, which Yjs would turn into replacement characters. */
export function difference(before: string, after: string): Difference | undefined {
  if (before === after) return undefined
  const shorter = Math.min(before.length, after.length)
  let start = 0
  while (start < shorter && before[start] === after[start]) start++
  if (start > 0 && isHigh(before, start - 1)) start--
  let end = 0
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++
  if (end > 0 && isLow(before, before.length - end)) end--
  return { at: start, remove: before.length - end - start, insert: after.slice(start, after.length - end) }
}

/** Where a caret belongs after somebody else's edit: what they write at the caret goes behind it. */
export function follow(caret: number, delta: Delta): number {
  let at = 0
  let moved = caret
  for (const step of delta) {
    if (at >= moved) break
    if (step.retain) at += step.retain
    else if (step.delete) moved -= Math.min(step.delete, moved - at)
    else if (typeof step.insert === 'string') {
      at += step.insert.length
      moved += step.insert.length
    }
  }
  return moved
}

/** An edit made against `base`, moved to where it belongs in `current`, which others changed meanwhile. */
export function rebase(edit: Difference, base: string, current: string): Difference {
  const theirs = difference(base, current)
  if (!theirs) return edit
  const delta = [{ retain: theirs.at }, { insert: theirs.insert }, { delete: theirs.remove }]
  const start = follow(edit.at, delta)
  return { at: start, remove: Math.max(0, follow(edit.at + edit.remove, delta) - start), insert: edit.insert }
}

function isHigh(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xd800
}

function isLow(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00
}
