/** `npm run cluster`: a region of two relays and two stores behind HAProxy, until Ctrl-C. PORT is where people connect. */
import { RegionProcesses } from './region.ts'

const region = await RegionProcesses.start('east', Number(process.env.PORT ?? 8787))
console.log(`Open ${region.url}`)
for (const [at, relay] of region.relays.entries()) console.log(`  relay ${at + 1}  ${relay.direct}`)
for (const [at, store] of region.stores.entries())
  console.log(`  store ${at + 1}  ${store.direct}readyz  ${store.dataDir}`)
console.log(`  NATS     ${region.nats.url}`)

const stop = () => {
  console.log('Stopping')
  void region.stop().then(() => process.exit(0))
}
process.once('SIGINT', stop)
process.once('SIGTERM', stop)
