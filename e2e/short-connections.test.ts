import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { startRelay } from '../relay/testing.ts'
import { addStories, readStories } from '../shared/document.ts'
import { createSessionKeys } from '../shared/keys.ts'
import { Device, until } from './simulation/device.ts'
import { TcpProxy } from './tcp-proxy.ts'

test('what a tab made that closed at once is sent by another one, though no connection lasts four seconds', async () => {
  const relay = await startRelay()
  const cable = await TcpProxy.start(Number(new URL(relay.url).port))
  const keys = createSessionKeys()
  const [alice, bob] = [new Device(relay.url, keys), new Device(cable.url, keys)]
  for (const device of [alice, bob]) device.connect()
  try {
    await until(
      () => alice.caughtUp && bob.caughtUp,
      () => 'They did not get in',
    )
    cable.resetEvery(3_500)
    const closed = new Y.Doc()
    addStories(closed, [{ title: 'Made in a tab that closed' }])
    // As it comes from the other tabs of a browser.
    Y.applyUpdate(bob.doc, Y.encodeStateAsUpdate(closed), bob.provider)
    await until(
      () => readStories(alice.doc).length > 0,
      () => 'Nobody sent it',
    )
    expect(readStories(alice.doc).map(({ title }) => title)).toEqual(['Made in a tab that closed'])
  } finally {
    for (const device of [alice, bob]) device.stop()
    await cable.stop()
    await relay.stop()
  }
})
