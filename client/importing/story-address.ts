import type { NewStory } from '../../shared/document.ts'

/** What an address alone tells of a story: nobody asks its tracker. */
export function storyAt(address: string): NewStory {
  if (!URL.canParse(address)) return { title: address }
  const { pathname, searchParams, host } = new URL(address)
  const places = pathname.split('/').filter((place) => place)
  const isKey = (text: string | null | undefined) => /^[A-Z][A-Z\d_]*-\d+$/.test(text ?? '')
  const selected = searchParams.get('selectedIssue')
  if (selected && isKey(selected)) return { title: selected, key: selected }
  const at = places.findIndex(isKey)
  const key = places[at]
  if (key) return { title: wordsOf(places[at + 1]) || key, key }
  const [, project, number] =
    /^\/(.+?)(?:\/-)?\/(?:issues|pull|merge_requests|work_items|discussions)\/(\d+)/.exec(pathname) ?? []
  if (project) return { title: `${project}#${number}` }
  return { title: `${host}${pathname.replace(/\/$/, '')}` }
}

/** Linear writes the title behind the key: `/issue/ENG-12/search-by-date`. */
function wordsOf(slug = ''): string {
  const words = /^[a-z\d-]+$/.test(slug) ? slug.replaceAll('-', ' ') : ''
  return words.charAt(0).toUpperCase() + words.slice(1)
}
