import { meet } from './meeting.ts'
import { test, trustingOptions } from './people.ts'

// `FACEDOWN_URL=https://poker.example.org/ npx playwright test smoke` tries an installation.
const given = process.env.FACEDOWN_URL
if (given) test.use({ launchOptions: trustingOptions })

test('alice and bob meet at the address they were given', async ({ network, alice, bob }) => {
  if (given) network.allow(given)
  await meet(given ?? (await network.startRelay()).url, alice, bob)
})
