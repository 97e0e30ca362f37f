import type { SessionView, StoryView, TableView } from '../session/session-view.ts'

/** Where to go on from the story on the table, looking onwards from it and then from the top. */
export function followingStory(session: SessionView, table: TableView): StoryView | undefined {
  const at = session.stories.findIndex(({ id }) => id === table.story?.id)
  const onwards = [...session.stories.slice(at + 1), ...session.stories.slice(0, Math.max(0, at))]
  return onwards.find(table.everybodys ? isOpen : waitsForMe)
}

function isOpen(story: StoryView): boolean {
  return story.estimates.length === 0
}

function waitsForMe(story: StoryView): boolean {
  return story.round === 'voting' && !story.votedMyself
}
