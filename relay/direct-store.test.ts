import { rmSync } from 'node:fs'
import { afterAll } from 'vitest'
import { DirectStore } from './direct-store.ts'
import { createPlace } from './place.testing.ts'
import { storeContract } from './store.contract.ts'
import { temporaryFolder } from './testing.ts'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

storeContract('a store without a thread', () => {
  const folder = temporaryFolder()
  folders.push(folder)
  return createPlace(folder, async (options, report) => {
    return new DirectStore(options, (notice) => {
      if (notice.type === 'damagedRow') report({ event: 'damagedRow', table: notice.table })
    })
  })
})
