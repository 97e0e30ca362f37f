import { fuzz } from '../../shared/fuzz.testing.ts'
import { formatInvitation, sessionPath } from '../../shared/invitation.ts'
import { mutantTextOf } from '../../shared/mutants.testing.ts'
import { ownerKeys } from '../../shared/testing.ts'
import { linkFromTemplate, parseLink } from '../session/story-link.ts'
import { parseRoute } from './router.ts'

const base = 'https://poker.example/team/'
const secret = formatInvitation(ownerKeys, 'member')
const links = [
  base,
  `${base}s/${ownerKeys.session}#${secret}`,
  `${base}s/${ownerKeys.session}`,
  `${base}index.html`,
]

fuzz(
  'any address leads to a page of this app, or nowhere',
  { inputs: 20_000, kinds: ['home', 'session', 'damaged', 'unknown', 'no address'] },
  (chance) => {
    const address = mutantTextOf(links, chance)
    if (!URL.canParse(address)) return 'no address'
    const route = parseRoute(address, base)
    if (route.page === 'session') {
      const path = sessionPath(route.id) + (route.secret && `#${route.secret}`)
      const again = parseRoute(new URL(path, base).href, base)
      if (JSON.stringify(again) !== JSON.stringify(route))
        throw new Error('It leads elsewhere when written again')
    }
    return route.page
  },
)

const typed = [
  'https://tracker.example/browse/{key}',
  'http://[::1]:80/a?b#c',
  'javascript:alert(1)',
  'data:text/html,x',
]

fuzz('only web addresses become links', { inputs: 20_000, kinds: ['link', 'text'] }, (chance) => {
  const text = mutantTextOf(typed, chance)
  const made = [parseLink(text), linkFromTemplate(text, mutantTextOf(['APP-1', '../../..'], chance))]
  for (const link of made) {
    if (link !== undefined && !/^https?:$/.test(new URL(link).protocol)) throw new Error(`A link to ${link}`)
  }
  return made.some((link) => link !== undefined) ? 'link' : 'text'
})
