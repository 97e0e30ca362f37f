/**
 * `npm run pictures`: every page and state in every shape, for looking at, in test-results/pictures, and the two of the
 * README. Names take only those: `npm run pictures -- voting decks readme`.
 */
import { pages } from './pages.ts'
import { panels } from './panels.ts'
import { takeForReadme } from './readme.ts'
import { takeInEveryShape } from './shapes.ts'
import { Stage } from './stage.ts'
import { tables } from './tables.ts'

const wanted = process.argv.slice(2)
const isWanted = (name: string) => wanted.length === 0 || wanted.includes(name)

process.setMaxListeners(0) // everybody's connection listens for the end of the process
const stage = await Stage.start()
try {
  for (const [name, scene] of Object.entries({ ...pages, ...tables, ...panels })) {
    if (!isWanted(name)) continue
    console.log(`${Math.round(performance.now() / 1000)} s: ${name}`)
    await takeInEveryShape(await scene(stage), 'test-results/pictures', name)
    await stage.clear()
  }
  if (isWanted('readme')) await takeForReadme(stage)
} finally {
  await stage.stop()
}
