import * as Y from 'yjs'
import { addStories, writeField, writeName } from '../../../shared/document.ts'
import { createSessionKeys, keysFor, type SessionKeys } from '../../../shared/keys.ts'
import { playRounds } from '../../played-rounds.ts'
import { Device, until } from '../../simulation/device.ts'
import { joinCounted } from '../counted-device.ts'
import { against, pause } from '../figures.ts'
import { withServer } from '../server.ts'

const rounds = 100
const people = 8
const edits = [100, 1000]

/** Somebody comes when nobody else is there. */
export async function join(): Promise<void> {
  await withServer('facedown', async ({ port }) => {
    const url = `http://127.0.0.1:${port}/`
    const keys = createSessionKeys()
    const author = new Device(url, keysFor('member', keys))
    playRounds(author.doc, keys, rounds, people)
    await upload(author, url, keys)
    const plain = Y.encodeStateAsUpdate(author.doc).length
    author.stop()
    const { device, traffic, ms } = await joinCounted(url, keysFor('observer', keys))
    device.stop()
    console.log(
      `${people} people × ${rounds} rounds, nobody else there: in step after ${ms.toFixed(0)} ms and ${traffic.counts.roundTrips} round trips (${against(traffic.counts.roundTrips, 1)}); ${traffic.counts.received} bytes for a plain snapshot of ${plain}: × ${(traffic.counts.received / plain).toFixed(2)} (${against(traffic.counts.received / plain, 1.4)})`,
    )
    for (const count of edits) await joinLongHistory(url, count)
  })
}

/** What was said before is in the snapshot, however much it was: only what it made of the document costs something. */
async function joinLongHistory(url: string, count: number): Promise<void> {
  const keys = createSessionKeys()
  const author = new Device(url, keysFor('member', keys))
  author.connect()
  const [story] = addStories(author.doc, [{ title: 'Story 1' }])
  if (!story) throw new Error('There is a story')
  for (let edit = 0; edit < count; edit++) {
    writeField(author.doc, story, 'link', `Story 1, ${edit}`)
    // Each is a change of its own, and a connection may send only so many a second.
    if (edit % 4 === 3) await pause(55)
  }
  await upload(author, url, keys)
  const plain = Y.encodeStateAsUpdate(author.doc).length
  author.stop()
  const { device, traffic, ms } = await joinCounted(url, keysFor('observer', keys))
  device.stop()
  console.log(
    `after ${count} changes of one link: in step after ${ms.toFixed(0)} ms, ${traffic.counts.received} bytes in ${traffic.kinds.length} frames, for a plain snapshot of ${plain}`,
  )
}

/** Until all of it is saved. Once the log is long the relay asks whoever has just changed something for a snapshot, now and then. */
async function upload(author: Device, url: string, keys: SessionKeys): Promise<void> {
  author.connect()
  await until(
    () => author.caughtUp,
    () => 'The session was not uploaded',
  )
  if (Y.encodeStateAsUpdate(author.doc).length < 65_536) return
  for (let tries = 0; tries < 60; tries++) {
    writeName(author.doc, `Session ${tries}`)
    const { device, traffic } = await joinCounted(url, keysFor('observer', keys))
    device.stop()
    if (traffic.kinds.includes('snapshot')) return
    await pause(500)
  }
  throw new Error('Nobody made a snapshot')
}
