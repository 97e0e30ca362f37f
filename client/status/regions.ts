import type { ProcessSeen, Status } from '../../shared/status.ts'

const clock = (time: number) => new Date(time).toLocaleTimeString()
const alone =
  'This one process is relay and store; what it keeps is drawn above. It knows of no other stores or regions.'

/** What an operator has to know at once: undefined when nothing is amiss. */
export function troubleOf({ regions, fewest, processes }: Status): string | undefined {
  if (!fewest) return undefined
  if (fewest.stores === 0 && isEvery(fewest.shards)) return 'No store is ready'
  if (fewest.stores === 0) return 'Some shards have no store'
  const silent = regions.filter((region) => !isReached(region, processes))
  return silent.length > 0 ? `${silent.join(', ')} cannot be heard` : undefined
}

/** One sentence about all, then each region with its stores and relays. */
export function showRegions(status: Status, about: HTMLElement, list: HTMLElement): void {
  about.textContent = status.fewest ? sentenceOf(status.fewest) : alone
  list.replaceChildren(...status.regions.map((region, at) => regionOf(region, at === 0, status.processes)))
}

function sentenceOf({ stores, shards }: NonNullable<Status['fewest']>): string {
  const which = isEvery(shards) ? 'Every shard' : `Shards ${shards}`
  switch (stores) {
    case 0:
      return `${which}: no store of this region that keeps them is ready. Those sessions go on, and nothing of them is saved here.`
    case 1:
      return `${which}: one store only is ready. Without it nothing of those sessions is saved here; give each shard to two.`
    default:
      return `Every shard is kept by ${stores} stores of this region or more.`
  }
}

function regionOf(region: string, isOurs: boolean, all: readonly ProcessSeen[]): HTMLElement {
  const processes = all
    .filter((process) => process.region === region)
    .sort((a, b) => b.kind.localeCompare(a.kind) || a.startedAt - b.startedAt)
  const article = document.createElement('article')
  article.setAttribute('aria-label', region)
  const title = textIn('h3', region)
  const state = textIn('p', isOurs ? 'This region' : linkOf(region, processes))
  state.className = isReached(region, processes) ? 'link' : 'link bad'
  const rows = document.createElement('ul')
  rows.append(...processes.map(rowOf))
  article.append(title, state, rows)
  return article
}

function linkOf(region: string, processes: readonly ProcessSeen[]): string {
  if (isReached(region, processes)) return 'Linked'
  const last = Math.max(...processes.map(({ heardAt }) => heardAt))
  const since = processes.length > 0 ? `since ${clock(last)}` : 'since this process runs'
  return `Nothing heard ${since}: the link is cut, or everything there is down`
}

function rowOf(process: ProcessSeen): HTMLElement {
  const { kind, isHere, isHeard, isReady, heardAt } = process
  const row = document.createElement('li')
  const state = isHeard ? (isReady ? 'ready' : 'not ready') : `silent since ${clock(heardAt)}`
  const badge = textIn('span', state)
  badge.className = isHeard && isReady ? 'badge' : 'badge bad'
  row.append(
    textIn('b', `${kind === 'store' ? 'Store' : 'Relay'}${isHere ? ', this one' : ''}`),
    badge,
    textIn('small', detailsOf(process).join(' · ')),
  )
  return row
}

function detailsOf({ shards, connections, behind, version, startedAt }: ProcessSeen): string[] {
  const lags = Object.entries(behind).map(([region, messages]) => `${region} ${messages.toLocaleString()}`)
  return [
    ...(shards === undefined ? [] : [`shards ${shards}`]),
    ...(connections === null ? [] : [`${connections.toLocaleString()} connections`]),
    ...(lags.length > 0 ? [`behind ${lags.join(', ')}`] : []),
    version,
    `runs since ${new Date(startedAt).toLocaleString()}`,
  ]
}

function isReached(region: string, processes: readonly ProcessSeen[]): boolean {
  return processes.some((process) => process.region === region && process.isHeard)
}

function isEvery(shards: string): boolean {
  return shards === '0-63'
}

function textIn(name: 'h3' | 'p' | 'b' | 'span' | 'small', text: string): HTMLElement {
  const element = document.createElement(name)
  element.textContent = text
  return element
}
