import type { PlantedBug } from './bugs.mjs'

export const clusterBugs: readonly Omit<PlantedBug, 'run'>[]
