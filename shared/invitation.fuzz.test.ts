import { fuzz } from './fuzz.testing.ts'
import {
  formatDeviceInvitation,
  formatInvitation,
  parseDeviceInvitation,
  parseInvitation,
} from './invitation.ts'
import { roles } from './keys.ts'
import { mutantTextOf } from './mutants.testing.ts'
import { bytesOf, memberKeys, ownerKeys } from './testing.ts'

const ids = [ownerKeys.session, 'a'.repeat(26)]
const fragments = [
  ...roles.map((role) => formatInvitation(ownerKeys, role)),
  formatDeviceInvitation(ownerKeys, bytesOf(4)),
  formatDeviceInvitation(memberKeys, bytesOf(5)),
]
const parts = new Set(fragments.flatMap((fragment) => fragment.split('.')))

fuzz(
  'a link that was changed anywhere is no invitation',
  { inputs: 12_000, kinds: ['refused', 'unchanged'] },
  (chance) => {
    const id = chance.happens(0.9) ? ownerKeys.session : mutantTextOf(ids, chance)
    const fragment = chance.happens(0.01) ? chance.pick(fragments) : mutantTextOf(fragments, chance)
    const device = parseDeviceInvitation(id, fragment)
    const keys = device?.keys ?? parseInvitation(id, fragment)
    if (!keys) return 'refused'
    // A mutant may be the one link's invitation with the other one's person, each of them whole.
    if (id !== ownerKeys.session || fragment.split('.').some((part) => !parts.has(part)))
      throw new Error(`Accepted: ${id}#${fragment}`)
    return 'unchanged'
  },
)
