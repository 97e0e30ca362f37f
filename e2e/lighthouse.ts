/**
 * `npm run lighthouse`: what Lighthouse says of the home page and of a table with a vote going on, phone profile, medians of
 * RUNS (5). Fetches Lighthouse from npm. What else the machine does counts against the page: measure when it is quiet.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import config from '../playwright.config.ts'
import { Team } from './pictures/team.ts'
import { RelayProcess } from './relay.ts'

const version = '12.8.2'
const runs = Number(process.env.RUNS ?? 5)
const wanted = 95

interface Report {
  readonly environment: { readonly benchmarkIndex: number }
  readonly categories: Readonly<Record<string, { readonly score: number | null }>>
  readonly audits: Readonly<Record<string, { readonly displayValue?: string } | undefined>>
}

const { executablePath, args } = config.use?.launchOptions ?? {}
const folder = await mkdtemp(join(tmpdir(), 'facedown-lighthouse-'))
const relay = await RelayProcess.start()
const team = await Team.gather(relay.url, 'alice', 'bob', 'carol', 'dave')
team.names('Sprint 48')
const [story] = team.adds({ title: 'Sign in with a passkey', key: 'APP-1' }, { title: 'Export' })
if (!story) throw new Error('No story was added.')
team.vote(team.lays(story), '5 8 5 -')

let isGood = true
try {
  for (const [page, address] of [
    ['home', relay.url],
    ['table', team.link(relay.url)],
  ] as const) {
    await judge(page, address)
  }
} finally {
  team.leave()
  await relay.remove()
  await rm(folder, { recursive: true })
}
process.exit(isGood ? 0 : 1)

async function judge(page: string, address: string): Promise<void> {
  const scores = new Map<string, number[]>()
  for (let run = 0; run < runs; run++) {
    const { environment, categories, audits } = await reportOn(address)
    const measured = Object.entries(categories).map(([name, { score }]) => {
      const hundredths = Math.round((score ?? 0) * 100)
      scores.set(name, [...(scores.get(name) ?? []), hundredths])
      return `${name} ${hundredths}`
    })
    const times = ['first-contentful-paint', 'largest-contentful-paint', 'total-blocking-time'].map(
      (name) => `${name} ${audits[name]?.displayValue}`,
    )
    console.log(
      `${page}: ${measured.join(', ')} (${times.join(', ')}; machine ${environment.benchmarkIndex})`,
    )
  }
  for (const [name, each] of scores) {
    const median = each.sort((a, b) => a - b)[each.length >> 1] ?? 0
    if (median < wanted) isGood = false
    console.log(
      `${page} ${name}: median ${median}, lowest ${each[0]}${median < wanted ? `, below ${wanted}` : ''}`,
    )
  }
}

async function reportOn(address: string): Promise<Report> {
  const path = join(folder, 'report.json')
  await promisify(execFile)(
    'npx',
    [
      '--yes',
      `lighthouse@${version}`,
      address,
      '--quiet',
      '--output=json',
      `--output-path=${path}`,
      '--form-factor=mobile',
      `--chrome-flags=--headless=new ${args?.join(' ')}`,
    ],
    { env: { ...process.env, CHROME_PATH: executablePath } },
  )
  return JSON.parse(await readFile(path, 'utf8')) as Report
}
