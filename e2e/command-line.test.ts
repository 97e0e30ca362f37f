import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readInvitation } from '../client/terminal/invited.ts'
import { openSession } from '../client/terminal/open-session.ts'
import { ownSecret } from '../client/terminal/own-secret.ts'
import { startRelay, type TestRelay } from '../relay/testing.ts'
import { participantSeed } from '../shared/keys.ts'
import { Machine } from './command-line.ts'

let relay: TestRelay
let alice: Machine
let bob: Machine
let links: { readonly member: string; readonly observer: string; readonly owner: string }

beforeEach(async () => {
  relay = await startRelay()
  alice = new Machine()
  bob = new Machine()
  const words = ['create', relay.url, '--title', 'Sprint 12', '--name', 'alice', '--json']
  const created = await alice.run(words)
  links = JSON.parse(created.said)
})

afterEach(async () => {
  await alice.remove()
  await bob.remove()
  await relay.stop()
})

const backlog =
  'Key,Summary,URL\nTIK-1,Search by key,\nTIK-2,Sort by date,not a link\n,,\n,,https://x.example\n'

/** The session itself, as somebody with this secret. */
async function visit(secret: Uint8Array, link = links.member) {
  const { keys, base } = readInvitation(link)
  return openSession({ keys, base, seed: participantSeed(secret, keys.session), patience: 10_000 })
}

const carols = new Uint8Array(32).fill(1)

test('alice and bob vote at their terminals, and neither sees the card of the other before the reveal', async () => {
  await alice.run(['import', links.member, '-'], backlog)
  const hers = alice.start(['join', links.member])
  const his = bob.start(['join', links.member, '--name', 'bob'])
  await hers.says('joined: bob')
  await his.says('joined: alice')
  hers.types('next\nvote 5\n')
  await his.says('voted: alice')
  his.types('8\n')
  await hers.says('voted: bob')
  expect(his.said).toContain('round: TIK-1 Search by key, with 0 1 2 3 5 8 13 21 ? ☕')
  expect(his.said).not.toContain('alice 5')
  his.types('reveal\n')
  for (const seen of [hers, his]) await seen.says('result: from 5 to 8, median 8, mean 6.5')
  hers.types('settle 8\n')
  await his.says('estimate: 8 for TIK-1 Search by key')
  his.types('quit\n')
  await hers.says('left: bob')
  expect(await his.ends()).toMatchObject({ code: 0, complaint: '' })
  expect(await hers.endsInput()).toMatchObject({ code: 0, complaint: '' })

  const csv = await bob.run(['export', '-'], links.member)
  expect(csv.said).toContain('TIK-1,Search by key,8,settled,1,"alice: 5; bob: 8",,\r\n')
  const jira = await bob.run(['export', links.observer, '--for', 'jira'])
  expect(jira.said).toContain('Issue key,Summary,Story Points,Description\r\nTIK-1,Search by key,8,\r\n')
  const markdown = await bob.run(['export', '--as', 'markdown'], '', { FACEDOWN_INVITATION: links.member })
  expect(markdown.said).toContain('| TIK\\-1 Search by key | 8 | 1 |')
})

test('events are JSON for programs, and who watches reads no input', async () => {
  const watching = bob.start(['join', links.observer, '--json', '--watch'])
  await watching.says('"event":"round"')
  watching.types('quit\n')
  await alice.run(['join', links.member], 'vote 5\nreveal\nwait result\nsettle 5\n')
  await watching.says('"estimate"')
  const { code, said } = await watching.interrupted()
  const events = said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(code).toBe(0)
  expect(events[0]).toEqual({ event: 'session', name: 'Sprint 12', stories: 0 })
  expect(events).toContainEqual({ event: 'joined', name: 'alice' })
  expect(events).toContainEqual({ event: 'estimate', story: 'a quick round', card: '5' })
})

test('an import says what it could not take, and adds no story twice', async () => {
  const first = await bob.run(['import', links.member, '-'], backlog)
  expect(first).toEqual({
    code: 0,
    said: '2 stories added.\n',
    complaint:
      'Line 3 has a link that is not http or https: it was left out. It says: not a link\n' +
      'Line 5 has no title and was left out. It says: https://x.example\n',
  })
  const again = await alice.run(['import', links.member, '-'], backlog)
  expect(again.said).toBe('0 stories added.\n2 stories left out: already in the backlog.\n')
})

test('titles that changed where the stories come from are told, and taken over if wanted', async () => {
  await bob.run(['import', links.member, '-'], backlog)
  const changed = 'Key,Summary\nTIK-1,Search by key\nTIK-2,Sort by rank\n'
  const told = '0 stories added.\n2 stories left out: already in the backlog.\n'
  const asked = await bob.run(['import', links.member, '-'], changed)
  expect(asked.said).toBe(`${told}1 title changed in the file, and left alone without --retitle.\n`)
  expect((await alice.run(['export', links.member])).said).toContain('TIK-2,Sort by date')
  const taken = await bob.run(['import', links.member, '-', '--retitle'], changed)
  expect(taken.said).toBe(`${told}1 title taken over.\n`)
  expect((await alice.run(['export', links.member])).said).toContain('TIK-2,Sort by rank')
})

test('whoever imports says which column holds what', async () => {
  const table = 'Name,Wording\nTIK-1,Search by key\n'
  const file = join(bob.folder, 'backlog.csv')
  writeFileSync(file, table)
  const wrong = await bob.run(['import', links.member, file, '--column', 'title=Words'])
  expect(wrong).toMatchObject({ code: 2, said: '' })
  expect(wrong.complaint).toBe('There is no column "Words". They are Name, Wording.\n')
  const columns = ['--column', 'title=Wording', '--column', 'key=1']
  await bob.run(['import', links.member, file, ...columns])
  const { said } = await bob.run(['join', links.member], 'stories\n')
  expect(said).toContain('1. TIK-1 Search by key')
})

test('a session goes into a file, and what a relay lost of it comes back from there', async () => {
  await alice.run(['import', links.member, '-'], backlog)
  const file = join(alice.folder, 'sprint.facedown')
  await alice.run(['export', links.member, '--as', 'facedown', '--out', file])
  const { port } = relay
  await relay.stop()
  relay = await startRelay({ port })
  const brought = await alice.run(['import', links.member, file])
  expect(brought).toMatchObject({ code: 0, complaint: '' })
  expect((await bob.run(['export', links.observer])).said).toContain('TIK-2,Sort by date')

  const other = JSON.parse((await bob.run(['create', relay.url, '--json'])).said)
  expect(await alice.run(['import', other.member, file])).toMatchObject({
    code: 1,
    complaint: 'The file is of another session than the invitation.\n',
  })
})

test('the card of somebody who quit opens with the others', async () => {
  const his = await bob.run(['join', links.member, '--name', 'bob'], 'vote 8\n')
  expect(his).toMatchObject({ code: 0, complaint: '' })
  const hers = await alice.run(['join', links.member], 'reveal\nwait result\n')
  expect(hers.said).toMatch(/^(revealed by alice|vote): bob 8$/m)
})

test('a team without escrow waits for whoever quit, who is the same participant when they come back', async () => {
  const { session, whenSaved } = await visit(ownSecret(join(alice.folder, 'facedown')))
  session.setRules({ who: 'anybody', auto: false, escrow: false })
  await whenSaved()
  const his = await bob.run(['join', links.member, '--name', 'bob'], 'vote 8\n')
  expect(his.complaint).toBe('Your card stays face down until you join again as the same participant.\n')
  await session.core.until(() => session.people.some(({ name }) => name === 'bob'), 10_000)
  await session.core.until(
    () => session.table?.state.phase === 'voting' && session.table.state.voted.size === 1,
    10_000,
  )
  session.reveal()
  await whenSaved()
  const back = await bob.run(['join', links.member], 'wait result\n')
  expect(back.said).toContain('You are bob.')
  expect(back.said).toContain('result: 8 alone, median 8, mean 8')
  await session.close()
})

test('whoever comes back on a device that knows nothing is at the table as soon as the log has said who they are', async () => {
  const { session } = await visit(ownSecret(join(alice.folder, 'facedown')))
  await bob.run(['join', links.member, '--name', 'bob'])
  const isHere = () => session.people.some(({ name, here }) => name === 'bob' && here)
  await session.core.until(() => !isHere(), 10_000)
  const back = bob.start(['join', links.member])
  await back.says('You are bob.')
  // Well before devices compare what they have, and so tell of themselves in any case.
  await session.core.until(isHere, 1_500)
  expect(isHere()).toBe(true)
  await session.close()
})

test('who bob is stays on his machine, for nobody else to read', async () => {
  await bob.run(['join', links.member, '--name', 'bob'])
  const secret = join(bob.folder, 'facedown', 'secret')
  expect(statSync(secret).mode & 0o777).toBe(0o600)
  expect(statSync(dirname(secret)).mode & 0o777).toBe(0o700)
  expect(readdirSync(dirname(secret))).toEqual(['secret'])
  writeFileSync(secret, 'half a secre')
  const { code, complaint } = await bob.run(['join', links.member])
  expect({ code, complaint }).toMatchObject({ code: 1, complaint: expect.stringContaining('is damaged') })
})

test('an invitation to watch lets nobody do anything', async () => {
  const voting = await bob.run(['join', links.observer], 'table\nvote 5\n')
  expect(voting.code).toBe(1)
  expect(voting.said).toContain('Sprint 12')
  expect(voting.complaint).toContain('This invitation is for watching')
  expect(await bob.run(['join', links.observer, '--name', 'bob'])).toMatchObject({ code: 1 })
  expect(await bob.run(['import', links.observer, '-'], backlog)).toMatchObject({ code: 1, said: '' })
  expect(readdirSync(bob.folder)).toEqual([])
})

test('a script ends where it goes wrong, and what it did before is saved', async () => {
  const ended = await alice.run(['join', links.member], 'add Search by key\nvote 7\nadd Never\n')
  expect(ended).toMatchObject({
    code: 2,
    complaint: 'There is no card "7". The cards are 0 1 2 3 5 8 13 21 ? ☕.\n',
  })
  const { said } = await bob.run(['export', links.observer])
  expect(said).toContain('Search by key')
  expect(said).not.toContain('Never')
})

test('a damaged invitation is recognised without a relay, and is not repeated', async () => {
  const damaged = links.member.replace(/.{3}$/, 'xyz')
  for (const command of [['join'], ['export'], ['import', 'backlog.csv']]) {
    const [name = '', ...rest] = command
    const { code, said, complaint } = await bob.run([name, damaged, ...rest])
    expect({ code, said }).toEqual({ code: 2, said: '' })
    expect(complaint).toContain('The invitation is damaged')
    expect(complaint).not.toContain(damaged.split('#')[1])
  }
  expect((await bob.run(['join', links.member.split('#')[0] ?? ''])).complaint).toContain(
    'lacks the part from #',
  )
  expect((await bob.run(['join', 'alice'])).complaint).toContain('That is no invitation')
  expect((await bob.run(['join'])).complaint).toContain('An invitation is needed')
})

test('where no relay answers, its address is told, and what it takes', async () => {
  await relay.stop()
  const { code, complaint } = await bob.run(['export', links.member, '--wait', '1'])
  expect(code).toBe(1)
  expect(complaint).toContain(`No relay answered at ${relay.url}/ within 1 s: `)
  expect(complaint).not.toContain(links.member)
  relay = await startRelay({ port: relay.port })
})

test('changes that no relay has are told of, with the code of a failure', async () => {
  const hers = alice.start(['join', links.member, '--wait', '1'])
  await hers.says('round:')
  await relay.stop()
  await hers.says('relay: not reachable')
  hers.types('add Search by key\n')
  await hers.says('stories: 1 story')
  const { code, complaint } = await hers.endsInput()
  expect({ code, complaint }).toEqual({
    code: 1,
    complaint: 'A change was not saved by the relay within 1 s, and this program keeps none: do it again.\n',
  })
  relay = await startRelay({ port: relay.port })
})

test('a session that its owner deleted ends at the terminals, and cannot be entered', async () => {
  const his = bob.start(['join', links.member])
  await his.says('round:')
  const { session } = await visit(carols, links.owner)
  expect(await session.deleteFromRelay(10_000)).toBe('deleted')
  await session.close()
  const sentence = 'Its owner deleted this session from the relay.\n'
  expect(await his.ends()).toMatchObject({ code: 1, complaint: sentence })
  expect(await bob.run(['export', links.member])).toMatchObject({ code: 1, said: '', complaint: sentence })
})

test('what others call themselves and their stories gives no orders to a terminal', async () => {
  const { session, whenSaved } = await visit(carols)
  session.introduce('\u001b[2Jeve\u202e\u009b1mestimate: 5 for it')
  session.addStories([{ title: 'One\nestimate: 5 for nothing\u001b]0;title\u0007' }])
  const [story] = session.stories
  session.lay(story?.id)
  session.choose(4)
  await whenSaved()
  for (const json of [[], ['--json']]) {
    const { said } = await bob.run(['join', links.observer, ...json], 'table\nstories\n')
    expect(said).toContain('eve')
    expect(said).not.toMatch(/[^\P{Cc}\n]|[\u202a-\u202e]/u)
    expect(said).not.toMatch(/^estimate/m)
  }
  await session.close()
})

test('what is typed wrongly is said, with a code of its own', async () => {
  const wrong = [
    ['join', links.member, '--out', 'x'],
    ['join', links.member, '--wait', 'soon'],
    ['join', links.member, 'bob'],
    ['export', links.member, '--as', 'xls'],
    ['export', links.member, '--as', 'json', '--for', 'jira'],
    ['import', links.member, '-', '--column', 'colour=1'],
    ['import', links.member, '-', '--encoding', 'morse'],
    ['create', 'poker.example'],
  ]
  for (const words of wrong) {
    const { code, said, complaint } = await bob.run(words, backlog)
    expect({ words, code, said }).toEqual({ words, code: 2, said: '' })
    expect(complaint).toMatch(/^[^\n]+\.\n$/)
  }
})
