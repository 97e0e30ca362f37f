/** `npm run cluster`: two regions of two relays and two stores each, behind HAProxy, until Ctrl-C. PORT and the one after it are where people connect. */
import { Cluster } from './cluster.ts'

const port = Number(process.env.PORT ?? 8787)
const starting = Cluster.start({ east: port, west: port + 1 })
/** Also while it starts: what has begun by then ends with it. */
const stop = () => {
  console.log('Stopping')
  void starting.then((cluster) => cluster.stop()).finally(() => process.exit(0))
}
process.once('SIGINT', stop)
process.once('SIGTERM', stop)

const cluster = await starting.catch((error: Error) => {
  console.error(`${error.message.trim()}\nIf something else has port ${port} or ${port + 1}, set PORT`)
  process.exit(1)
})
for (const [name, region] of Object.entries(cluster.regions)) {
  console.log(`${name}: open ${region.url}`)
  for (const [at, relay] of region.relays.entries()) console.log(`  relay ${at + 1}  ${relay.direct}`)
  for (const [at, store] of region.stores.entries())
    console.log(`  store ${at + 1}  ${store.direct}readyz  ${store.dataDir}`)
  console.log(`  NATS     ${region.nats.url}`)
}
console.log(`The link between them goes through ${new URL(cluster.link.url).host}`)
