/**
 * `MINUTES=30 npm run test:long`: every fuzzer, the simulation and the histories of rounds, each for its share of the
 * time, one after the other. Prints how many inputs became what; ends with 1 and the seeds when something failed.
 */
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'

const minutes = Number(process.env.MINUTES ?? 20)
const from = Number(process.env.FROM ?? Date.now() % 1e9)

const fuzzers = ['shared', 'client', 'relay'].flatMap((project) =>
  readdirSync(project, { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.fuzz.test.ts'))
    .map((file) => ({ project, filter: `${project}/${file}` })),
)
/** A storm takes about half a second, and two run at once; a thousand histories take a second. */
const share = (minutes * 60) / (fuzzers.length + 2)
const runs = [
  ...fuzzers.map((fuzzer) => ({ ...fuzzer, env: { FUZZ_SECONDS: String(Math.round(share / 2)) } })),
  {
    project: 'e2e',
    filter: 'storm',
    env: { SEEDS: String(Math.max(2, Math.round(share * 2))), COUNTS: '1' },
  },
  { project: 'shared', filter: 'round.histories', env: { HISTORIES: String(Math.round(share * 500)) } },
]

const failed = []
for (const { project, filter, env } of runs) {
  const { code, output } = await run(project, filter, { FROM: String(from), ...env })
  const totals = [...output.matchAll(/fuzzed (\{.*\})/g)].map(([, json]) => JSON.parse(json))
  for (const { name, inputs, longest, kinds } of totals) {
    console.log(`\n${name}\n  ${inputs} inputs, the slowest took ${longest} ms`)
    console.table(kinds)
  }
  if (totals.length === 0)
    console.log(`\n${filter}: ${code === 0 ? `passed with ${JSON.stringify(env)}` : 'failed'}`)
  const storms = [...output.matchAll(/stormed (\{.*\})/g)].map(([, json]) => JSON.parse(json))
  if (storms.length > 0) console.table(sumOf(storms))
  if (code === 0) continue
  const [seed = 'no seed was named'] = output.match(/(SEED|FROM)=\d+.*/g)?.slice(-1) ?? []
  failed.push(
    `${filter}: ${seed}\n  SEED=<it> npx vitest run --project ${project} ${filter}\n${output.slice(-3000)}`,
  )
}
console.log(failed.length === 0 ? '\nNothing failed.' : `\nFailed:\n${failed.join('\n')}`)
process.exitCode = failed.length === 0 ? 0 : 1

/** Of what each half of the seeds has come to. */
function sumOf(counts) {
  const sums = {}
  for (const [name, count] of counts.flatMap(Object.entries)) sums[name] = (sums[name] ?? 0) + count
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, Math.round(sum)]))
}

/** One that hangs is ended; what it said last names the seeds it was at. */
function run(project, filter, env) {
  const args = ['vitest', 'run', '--project', project, filter]
  const child = spawn('npx', args, { env: { ...process.env, ...env }, detached: true })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (output += bytes))
  const hangs = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), (share * 10 + 300) * 1000)
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearTimeout(hangs)
      resolve({ code, output })
    })
  })
}
