/**
 * Somebody who sends a thousand frames a second, and comes back whenever they are closed. A process of its own, so that those who measure
 * do not wait for it. Tells its parent each time that it was asked for a pause.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { BareClient, webSocketOf } from '../../relay/connections/bare-client.testing.ts'
import { closeCodes } from '../../relay/connections/close-words.ts'
import { someEnvelope } from '../../relay/testing.ts'
import { createSessionKeys } from '../../shared/keys.ts'

const ways = {
  changes: (one: BareClient) => void one.append(someEnvelope()),
  'signals to everybody': (one: BareClient) => one.send({ type: 'signal', to: 0, envelope: someEnvelope() }),
  pings: (one: BareClient) => webSocketOf(one).ping(),
}
export type Way = keyof typeof ways

const [url = '', way = 'changes'] = process.argv.slice(2)
const send = ways[way as Way]
const keys = createSessionKeys()
process.once('disconnect', () => process.exit())

for (;;) {
  const mallory = new BareClient(url, keys)
  const joined = await mallory.next('caughtUp').then(
    () => true,
    () => false,
  )
  if (!joined) continue
  const start = performance.now()
  const socket = webSocketOf(mallory)
  for (let sent = 0; socket.readyState === socket.OPEN; await wait(5)) {
    for (; sent < performance.now() - start; sent++) send(mallory)
  }
  if ((await mallory.closed).code === closeCodes.tooFast.code) process.send?.('closed')
}
