import { language } from '../../words/words.svelte.ts'

/** "2 hr, 5 min": the two largest units of a stretch of milliseconds. */
export function duration(milliseconds: number): string {
  const tag = language().formats
  const seconds = Math.round(milliseconds / 1000)
  const parts = [
    ['hour', Math.floor(seconds / 3600)],
    ['minute', Math.floor(seconds / 60) % 60],
    ['second', seconds % 60],
  ] as const
  const first = parts.findIndex(([, amount]) => amount > 0)
  const shown = first < 0 ? parts.slice(2) : parts.slice(first, first + 2).filter(([, amount]) => amount > 0)
  const words = shown.map(([unit, amount]) =>
    new Intl.NumberFormat(tag, { style: 'unit', unit, unitDisplay: 'short' }).format(amount),
  )
  return new Intl.ListFormat(tag, { type: 'unit', style: 'short' }).format(words)
}
