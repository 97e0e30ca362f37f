/**
 * `npm run check:cluster`: writers append to sessions in two regions while every kind of process is killed and stopped and the link
 * is cut; afterwards whatever was acknowledged, by each level of acknowledgement, is read back by newcomers in either region, and
 * from either store alone. A run in which a level never came fails, too. In the manner of Jepsen's set test. OPERATIONS and FAULTS
 * say how much, SESSIONS how wide, PATIENCE after how many seconds without faults everything has to be everywhere.
 */
import { BareClient } from '../../relay/connections/bare-client.testing.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { Cluster } from './cluster.ts'
import { Nemesis } from './nemesis.ts'
import { type Level, nameOf, neverTold, Writer } from './writer.ts'

const operations = Number(process.env.OPERATIONS ?? 5_000)
const faults = Number(process.env.FAULTS ?? 100)
const sessions = Number(process.env.SESSIONS ?? 12)
/** Between two faults, in milliseconds. */
const calm = 1_200
/** After the last fault, until everything has to be everywhere. */
const healed = Number(process.env.PATIENCE ?? 60) * 1000

const cluster = await Cluster.start()
const { east, west } = cluster.regions
/** As browsers write origins. */
const urls = { east: east.url.slice(0, -1), west: west.url.slice(0, -1) }
const keys = Array.from({ length: sessions }, createSessionKeys)
const writers = keys.flatMap((own) => [
  new Writer(own, [urls.east, urls.west]),
  new Writer(own, [urls.west, urls.east]),
])
const nemesis = new Nemesis(cluster)
const count = (level: Level) => writers.reduce((sum, writer) => sum + writer.count(level), 0)
const acknowledged = () => count('saved') + count('savedTwice')

let failed = false
try {
  const began = Date.now()
  while (acknowledged() < operations || nemesis.total < faults) {
    await new Promise((resolve) => setTimeout(resolve, calm))
    await nemesis.strike()
    if (nemesis.total % 10 === 0) console.log(`${nemesis.total} faults, ${acknowledged()} acknowledged`)
  }
  await Promise.all(writers.map((writer) => writer.stop()))
  await nemesis.rest()
  const lasted = Math.round((Date.now() - began) / 1000)
  console.log(`${nemesis.total} faults in ${lasted} s:`)
  for (const [name, times] of [...nemesis.strikes].sort()) console.log(`  ${times} × ${name}`)
  const connections = writers.reduce((sum, writer) => sum + writer.connections, 0)
  console.log(
    `${acknowledged()} changes acknowledged, ${count('savedTwice')} of them in two regions, ${count('sent')} not answered or refused, over ${connections} connections`,
  )
  const untold = neverTold(writers.flatMap(({ levels }) => [...levels.values()]))
  if (untold.length > 0) console.log(`no change was ${untold.join(' or ')}, so this run says nothing of that`)

  for (const [where, without] of [
    ['from all stores', []],
    ['from the second stores alone', [east.stores[0], west.stores[0]]],
    ['from the first stores alone', [east.stores[1], west.stores[1]]],
  ] as const) {
    await Promise.all(without.map((store) => store?.stop('SIGTERM')))
    failed = !(await agree(where))
    if (failed) break
    await Promise.all(without.map((store) => store?.resume()))
  }
  failed ||= untold.length > 0
} finally {
  await Promise.all(writers.map((writer) => writer.stop()))
  await cluster.stop()
}
process.exit(failed ? 1 : 0)

/** Newcomers in both regions get every change that was acknowledged, and the same ones. */
async function agree(where: string): Promise<boolean> {
  const end = Date.now() + healed
  for (;;) {
    const [inEast, inWest] = [await readAll(urls.east), await readAll(urls.west)]
    const lost = (read: Map<string, Set<string>>) =>
      writers.flatMap(({ keys, levels }) =>
        [...levels].filter(([name, level]) => level !== 'sent' && !read.get(keys.session)?.has(name)),
      )
    const missing = [lost(inEast), lost(inWest)]
    const divergent = keys.filter(({ session }) => {
      const [one, other] = [inEast.get(session), inWest.get(session)]
      return one?.size !== other?.size || [...(one ?? [])].some((name) => !other?.has(name))
    })
    const isRight = missing.every(({ length }) => length === 0) && divergent.length === 0
    if (!isRight && Date.now() < end) continue
    const [eastLost, westLost] = missing.map((names) => names.length)
    const twice = missing.flat().filter(([, level]) => level === 'savedTwice').length
    console.log(
      `${where}: ${eastLost} lost in the east, ${westLost} in the west (${twice} of those saved in two regions), ${divergent.length} of ${sessions} sessions divergent`,
    )
    return isRight
  }
}

async function readAll(url: string): Promise<Map<string, Set<string>>> {
  const read = new Map<string, Set<string>>()
  for (const own of keys) {
    const newcomer = await BareClient.join(url, own).catch(() => undefined)
    read.set(own.session, new Set(newcomer?.envelopes().map(nameOf)))
    await newcomer?.leave()
  }
  return read
}
