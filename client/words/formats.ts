/** Names, numbers and times as the language in use writes them. */
import { isolate } from '../locales/isolate.ts'
import { language } from './words.svelte.ts'

let made: ReturnType<typeof make> | undefined

/** "alice, bob, and carol" */
export function list(names: readonly string[]): string {
  return formats().lists().format(isolated(names))
}

/** "alice, bob, carol", where there is little room. */
export function shortList(names: readonly string[]): string {
  return formats().shortLists().format(isolated(names))
}

/** In the order in which readers look for a name. */
export function byName<Named>(all: readonly Named[], nameOf: (one: Named) => string = String): Named[] {
  const { compare } = formats().names()
  return [...all].sort((a, b) => compare(nameOf(a), nameOf(b)))
}

/** "3 or 5" */
export function either(labels: readonly string[]): string {
  return formats().alternatives().format(isolated(labels))
}

export function number(value: number): string {
  if (Number.isInteger(value) && value >= 0 && value < 1000) return String(value)
  return formats().numbers().format(value)
}

export function percent(share: number): string {
  return formats().percents().format(share)
}

export function time(at: number): string {
  return formats().clock().format(at)
}

export function dayTime(at: number): string {
  return formats().day().format(at)
}

/** None reorders what stands beside it. */
export function isolated(names: readonly string[]): string[] {
  const { direction } = language()
  return names.map((name) => isolate(name, direction))
}

function formats(): ReturnType<typeof make> {
  const tag = language().formats
  if (made?.tag !== tag) made = make(tag)
  return made
}

/** Each is made when it is first asked for: a browser takes milliseconds for one. */
function make(tag: string) {
  return {
    tag,
    lists: lazily(() => new Intl.ListFormat(tag, { type: 'conjunction' })),
    shortLists: lazily(() => new Intl.ListFormat(tag, { type: 'conjunction', style: 'narrow' })),
    alternatives: lazily(() => new Intl.ListFormat(tag, { type: 'disjunction' })),
    names: lazily(() => new Intl.Collator(tag, { numeric: true })),
    numbers: lazily(() => new Intl.NumberFormat(tag, { maximumFractionDigits: 1 })),
    percents: lazily(() => new Intl.NumberFormat(tag, { style: 'percent', maximumFractionDigits: 0 })),
    clock: lazily(() => new Intl.DateTimeFormat(tag, { timeStyle: 'short' })),
    day: lazily(() => new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeStyle: 'short' })),
  }
}

function lazily<Value>(make: () => Value): () => Value {
  let made: Value | undefined
  return () => {
    made ??= make()
    return made
  }
}
