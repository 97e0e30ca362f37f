/**
 * `npm run bench`: the figures of ARCHITECTURE.md, row by row; ratios within a run count, not times. ROWS=servers,idle takes some of them,
 * RUNS=5 repeats what is compared, in turn. TEAMS, SIZE, CHANGES (a second), SECONDS and SERVERS change the workload, PROGRAM is another
 * build. Linux only: CPU comes from /proc.
 */
import { existsSync } from 'node:fs'
import { growth } from './rows/growth.ts'
import { idle } from './rows/idle.ts'
import { join } from './rows/join.ts'
import { playing } from './rows/playing.ts'
import { region } from './rows/region.ts'
import { relays } from './rows/relays.ts'
import { resume } from './rows/resume.ts'
import { compareServers } from './rows/servers.ts'
import { storm } from './rows/storm.ts'

const rows = { servers: compareServers, idle, playing, growth, join, resume, storm, relays, region }

if (!existsSync('dist/relay/main.js')) throw new Error('Build first: npm run build')
const chosen = process.env.ROWS?.split(',') ?? Object.keys(rows)
for (const [name, row] of Object.entries(rows)) {
  if (!chosen.includes(name)) continue
  console.log(`\n${name}`)
  await row()
}
console.log(
  '\nElsewhere: a killed relay, slow readers and a slow disk in e2e/faults, opening a session and the first load in e2e/speed.spec.ts',
)
process.exit(0)
