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
const scenes = Object.entries({ ...pages, ...tables, ...panels }).filter(([name]) => isWanted(name))

/** Takes what is left of the scenes, on a stage of its own. */
async function takeScenes(): Promise<void> {
  const stage = await Stage.start()
  try {
    for (let next = scenes.shift(); next; next = scenes.shift()) {
      const [name, scene] = next
      console.log(name)
      await takeInEveryShape(await scene(stage), 'test-results/pictures', name)
      await stage.clear()
    }
  } finally {
    await stage.stop()
  }
}

process.setMaxListeners(0) // everybody's connection listens for the end of the process
await Promise.all([takeScenes(), takeScenes()])

if (isWanted('readme')) {
  const stage = await Stage.start()
  await takeForReadme(stage).finally(() => stage.stop())
}
