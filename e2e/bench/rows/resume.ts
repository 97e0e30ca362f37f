import { createSessionKeys, keysFor } from '../../../shared/keys.ts'
import { playRounds } from '../../played-rounds.ts'
import { Device, until } from '../../simulation/device.ts'
import { joinCounted } from '../counted-device.ts'
import { against } from '../figures.ts'
import { withServer } from '../server.ts'

/** Somebody comes back, and nothing happened meanwhile. */
export async function resume(): Promise<void> {
  await withServer('facedown', async ({ port }) => {
    const url = `http://127.0.0.1:${port}/`
    const keys = createSessionKeys()
    const author = new Device(url, keysFor('member', keys))
    playRounds(author.doc, keys, 20, 8)
    author.connect()
    await until(
      () => author.caughtUp && author.place !== undefined,
      () => 'The session was not uploaded',
    )
    const { device, traffic } = await joinCounted(url, keysFor('member', keys))
    const known = { ...traffic.counts }
    device.disconnect()
    await until(
      () => device.link.connection === undefined,
      () => 'The device was not disconnected',
    )
    traffic.forget()
    device.connect()
    await until(
      () => device.link.connection !== undefined && device.caughtUp && traffic.kinds.includes('caughtUp'),
      () => 'The device did not come back',
    )
    const again = traffic.counts
    device.stop()
    author.stop()
    console.log(
      `coming back with nothing new (the first time took ${known.received} bytes): ${again.sent} bytes sent (${against(again.sent, 1024)}), ${again.received} received (${against(again.received, 1024)}), ${again.roundTrips} round trips`,
    )
  })
}
