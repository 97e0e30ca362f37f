/** Milliseconds of a calm movement; none for people who asked for less motion. */
export function calm(): number {
  return globalThis.matchMedia?.('(prefers-reduced-motion: reduce)').matches ? 0 : 240
}
