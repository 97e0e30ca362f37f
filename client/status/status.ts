import './status.css'
import type { CloseReason } from '../../shared/close-code.ts'
import type { Sample, Status } from '../../shared/status.ts'
import { Chart } from './chart.ts'
import { plans, regionPlans } from './plans.ts'
import { showRegions, troubleOf } from './regions.ts'

const hour = 3_600_000
const charts = plans.map((plan) => new Chart(plan))
let regionCharts: Chart[] = []
let regions = ''
let samples: Sample[] = []
let answeredAt: number | undefined

/** What an operator can make of a reason; the words people are told are the relay's. */
const meanings: Record<CloseReason | 'address', string> = {
  address: 'One network address has or opens too many. Behind a proxy of your own set TRUST_PROXY.',
  full: 'MAX_CONNECTIONS are open.',
  origin: 'Pages of an address that ORIGINS does not list.',
  version: 'App and relay are too far apart; people reload the page.',
  forbidden: 'Damaged or foreign invitations, or programs that try.',
  deleted: 'Sessions that their owners deleted.',
  malformed: 'Programs that do not speak the protocol.',
  tooLarge: 'Changes larger than a frame may be.',
  tooFast: 'Too many frames in a short time.',
  tooSlow: 'Clients that could not keep up; they resume.',
  lateHello: 'Connections that said nothing in five seconds.',
  resume: 'The store was away; clients came back and sent what was missed.',
}

element('charts').append(...charts.map(({ element }) => element))
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const chart of [...charts, ...regionCharts]) chart.redraw()
})
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void look()
})
void look().then((everyMs) => setInterval(() => document.hidden || void look(), everyMs))

/** Asks for what is new and draws it. Returns how often there is something new. */
async function look(): Promise<number> {
  const status = await ask(samples.at(-1)?.time ?? 0)
  if (status) {
    answeredAt = Date.now()
    // A relay that has started again knows nothing of before, but this page does.
    samples = [...samples, ...status.samples].filter(({ time }) => time > Date.now() - hour)
    show(status)
  } else {
    const since = answeredAt === undefined ? '' : ` since ${new Date(answeredAt).toLocaleTimeString()}`
    say(`No answer${since}`, true)
  }
  return status?.everyMs ?? 10_000
}

async function ask(after: number): Promise<Status | undefined> {
  try {
    const answer = await fetch(`status.json?after=${after}`, { signal: AbortSignal.timeout(8000) })
    return answer.ok ? await answer.json() : undefined
  } catch {
    return undefined // no network, or no relay; the page says so
  }
}

function show(status: Status): void {
  const { version, region, role, startedAt } = status
  const roles: Record<string, string> = { both: '', relay: 'relay only, ', store: 'store only, ' }
  element('what').textContent =
    `${region}, ${roles[role] ?? ''}${version}, runs since ${new Date(startedAt).toLocaleString()}`
  const refuses = (samples.at(-1)?.figures.unsavedPerSecond ?? 0) > 0
  const trouble = refuses ? 'Changes are refused' : troubleOf(status)
  say(trouble ?? 'Works', trouble !== undefined)
  if (status.regions.join() !== regions) planFor(status.regions)
  for (const chart of [...charts, ...regionCharts]) chart.show(samples)
  showRegions(status, element('regions-about'), element('region-list'))
  showRefusals()
}

function planFor(names: readonly string[]): void {
  regions = names.join()
  regionCharts = names.length > 0 ? regionPlans(names).map((plan) => new Chart(plan)) : []
  element('region-charts').replaceChildren(...regionCharts.map(({ element }) => element))
}

function say(words: string, isBad: boolean): void {
  const state = element('state')
  state.classList.toggle('bad', isBad)
  if (state.textContent !== words) state.textContent = words
}

function showRefusals(): void {
  const rows = Object.entries(meanings)
    .map(([reason, meaning]) => ({
      reason,
      meaning,
      lately: count(reason, hour / 6),
      all: count(reason, hour),
    }))
    .filter(({ all }) => all > 0)
    .sort((one, other) => other.all - one.all)
  element('none-refused').hidden = rows.length > 0
  const table = element('refusals').querySelector('table')
  if (!table) return
  table.hidden = rows.length === 0
  table.tBodies[0]?.replaceChildren(
    ...rows.map(({ reason, meaning, lately, all }) => {
      const row = document.createElement('tr')
      const about = document.createElement('small')
      about.textContent = meaning
      const name = row.insertCell()
      name.append(reason, about)
      row.insertCell().textContent = lately.toLocaleString()
      row.insertCell().textContent = all.toLocaleString()
      return row
    }),
  )
}

function count(reason: string, within: number): number {
  return samples
    .filter(({ time }) => time > Date.now() - within)
    .reduce((sum, { refusals }) => sum + (refusals[reason] ?? 0), 0)
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (!found) throw new Error(`The page has no #${id}`)
  return found
}
