/** Takes the place of `lib0/logging` in the app: Yjs says two warnings with it, and it brings 3 KB of coloured output. */
export const [ORANGE, BOLD, UNBOLD, RED] = ['', '', '', '']

export function print(...args: readonly unknown[]): void {
  console.log(...args)
}

export function warn(...args: readonly unknown[]): void {
  console.warn(...args)
}
