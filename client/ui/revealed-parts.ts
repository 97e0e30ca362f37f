/** What shows a revealed round, as one file: each on its own would cost the first load an address. */
export { default as EndMark } from './end-mark.svelte'
export { default as Figure } from './figure.svelte'
export { keepFocus } from './keep-focus.ts'
export { default as Piles } from './piles.svelte'
export { progress } from './progress.ts'
export { default as Result } from './result.svelte'
export { speaksFirst } from './speaks-first.ts'
export { warmUp } from './warm-up.ts'
