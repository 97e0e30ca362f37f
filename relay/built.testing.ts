import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { buildRelay } from './build.testing.ts'

/** Before the tests of a project. */
export default async function setup({ name, provide }: TestProject): Promise<() => Promise<void>> {
  const main = await buildRelay(`facedown-${name}-${process.pid}`)
  provide('builtRelay', main)
  return () => rm(join(main, '..'), { recursive: true, force: true })
}
