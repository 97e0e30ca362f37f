import { rm } from 'node:fs/promises'
import type { TestProject } from 'vitest/node'
import { buildSimulation } from './build.testing.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the simulation that all storms run. */
    builtSimulation: string
  }
}

/** Before the tests of a project. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const folder = await buildSimulation(`simulation-${process.pid}`)
  provide('builtSimulation', folder)
  return () => rm(folder, { recursive: true, force: true })
}
