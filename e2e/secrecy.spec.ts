import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { keysFromLink, lengthsSent, recordsIn, updatesReceived, updatesStored } from './inspect.ts'
import { expect, test } from './people.ts'

const canaries = {
  name: 'Zephyrine Quillfeather',
  title: 'Xylophone marmalade telescope',
  session: 'Obsidian rhubarb council',
}

/** A string as it may lie in traffic, files and heaps: UTF-8 or UTF-16. */
function holds(bytes: Buffer, text: string): boolean {
  return bytes.includes(text) || bytes.includes(Buffer.from(text, 'utf16le'))
}

test('what people type is nowhere in the traffic, database, logs and memory of the relay', async ({
  relay,
  alice,
  bob,
}) => {
  await relay.stop()
  await relay.resume(['--heapsnapshot-signal=SIGUSR2', `--diagnostic-dir=${relay.dataDir}`])
  await alice.starts(relay.url)
  await alice.page.getByLabel('Your name').fill(canaries.name)
  await alice.votes('13')
  await alice.addsStory(canaries.title)
  const sessionName = alice.page.getByRole('textbox', { name: 'Name of the session' })
  await sessionName.fill(canaries.session)
  await sessionName.press('Enter')
  const link = await alice.invitation()
  await bob.joins(link, '5')
  await expect(bob.page.getByRole('textbox', { name: 'Title of the story' })).toHaveValue(canaries.title)
  await bob.reveals()
  await expect(alice.status).toContainText('Saved at the relay')

  process.kill(relay.pid as number, 'SIGUSR2')
  const files = () => readdirSync(relay.dataDir)
  await expect
    .poll(() => files().some((file) => file.endsWith('.heapsnapshot')), { timeout: 30_000 })
    .toBe(true)
  await relay.stop()

  // What a relay does know would be found: the session's id, in its memory and in what it keeps.
  const session = link.slice(link.indexOf('/s/') + 3, link.indexOf('#'))
  const knowing = files().filter((file) => holds(readFileSync(join(relay.dataDir, file)), session))
  expect(knowing).toEqual(
    expect.arrayContaining([expect.stringContaining('.heapsnapshot'), expect.stringContaining('.sqlite')]),
  )
  const frames = [alice, bob].flatMap((person) => [...person.sent, ...person.received])
  expect(frames.length).toBeGreaterThan(10)
  for (const text of [...Object.values(canaries), link.slice(link.indexOf('#') + 2)]) {
    expect(frames.some((frame) => holds(frame, text))).toBe(false)
    expect(relay.output).not.toContain(text)
    for (const file of files()) {
      expect(holds(readFileSync(join(relay.dataDir, file)), text), `${file} holds "${text}"`).toBe(false)
    }
  }
})

test('before the reveal no other browser has the card: not in frames, storage or document', async ({
  relay,
  alice,
  bob,
}) => {
  const link = await alice.startsAndInvites(relay.url)
  const keys = keysFromLink(link)
  await bob.joins(link, '1')
  await alice.votes('21')
  await expect(bob.seatOf(alice)).toContainText('has voted')
  await expect(bob.status).toContainText('Saved at the relay')

  const held = async () => [recordsIn(updatesReceived(bob, keys)), recordsIn(await updatesStored(bob))]
  for (const records of await held()) {
    expect(records.filter((record) => record.kind === 'seal').length).toBeGreaterThan(0)
    expect(records.filter((record) => record.kind === 'open')).toEqual([])
  }
  expect(await bob.page.content()).not.toContain('voted 21')

  await bob.reveals()
  await expect(bob.seatOf(alice)).toContainText('voted 21')
  await expect
    .poll(async () =>
      (await held()).map((records) => records.filter((record) => record.kind === 'open').length),
    )
    .toEqual([1, 2]) // bob received alice's, and stored his own too
})

// Where lines break, what was on its way is sent again: how often it was tells nothing about a card.
const calmly = test.extend({ rough: false })

calmly('everything that is sent has the same length whichever card was chosen', async ({ relay, alice }) => {
  await alice.starts(relay.url)
  await alice.tellsName()
  await expect(alice.status).toContainText('Saved at the relay')
  const lengths: number[][] = []
  for (const card of ['0', '5', '21', '☕ (Break)']) {
    const before = alice.sent.length
    await alice.votes(card)
    await expect.poll(() => lengthsSent(alice, before).length).toBeGreaterThan(0)
    await expect(alice.status).toContainText('Saved at the relay')
    lengths.push(lengthsSent(alice, before))
  }
  expect(new Set(lengths.map((sent) => sent.join())).size).toBe(1)
})
