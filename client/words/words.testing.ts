/** Before every test of the client: all English words are there, as they are for somebody who opened a panel before. */
import { panelWords } from './words.svelte.ts'

await panelWords()
