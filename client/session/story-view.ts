import type { Story } from '../../shared/document.ts'
import type { ParticipantId } from '../../shared/id.ts'
import type { Ledger } from '../../shared/ledger.ts'
import { distinctValues, standingEstimates } from '../../shared/round.ts'
import type { StoryView } from './session-view.ts'
import { linkFromTemplate, parseLink } from './story-link.ts'

/** The same view of a story as long as nothing changed that it shows: what is drawn of ten thousand then stays as it is. */
export class StoryViews {
  #state = ''
  #views = new WeakMap<Story, LazyStory>()
  #lists = new WeakMap<readonly Story[], readonly LazyStory[]>()

  of(stories: readonly Story[], ledger: Ledger, me: ParticipantId, template: string): readonly LazyStory[] {
    const state = `${ledger.size} ${template}`
    if (state !== this.#state) {
      this.#state = state
      this.#views = new WeakMap()
      this.#lists = new WeakMap()
    }
    const list = this.#lists.get(stories) ?? stories.map((story) => this.#view(story, ledger, me, template))
    this.#lists.set(stories, list)
    return list
  }

  #view(story: Story, ledger: Ledger, me: ParticipantId, template: string): LazyStory {
    const view = this.#views.get(story) ?? new LazyStory(story, ledger, me, template)
    this.#views.set(story, view)
    return view
  }
}

/** A story as the backlog shows it. What needs signatures verified is found when it is asked for: a row that nobody scrolls to costs nothing. */
class LazyStory implements StoryView {
  readonly #story: Story
  readonly #ledger: Ledger
  readonly #me: ParticipantId
  readonly #template: string
  #estimates: StoryView['estimates'] | undefined
  #voters: ReadonlySet<ParticipantId> | undefined

  constructor(story: Story, ledger: Ledger, me: ParticipantId, template: string) {
    this.#story = story
    this.#ledger = ledger
    this.#me = me
    this.#template = template
  }

  get id() {
    return this.#story.id
  }

  get title() {
    return this.#story.title
  }

  get key() {
    return this.#story.key
  }

  get typedLink() {
    return this.#story.link
  }

  get link() {
    return parseLink(this.#story.link) ?? linkFromTemplate(this.#template, this.#story.key)
  }

  get given() {
    return this.#story.given
  }

  get hasNotes() {
    return this.#story.hasNotes
  }

  get estimates() {
    this.#estimates ??= distinctValues(standingEstimates(this.#ledger.estimatesOf(this.id))).map(
      ({ card, by }) => ({ card, by }),
    )
    return this.#estimates
  }

  get round() {
    const current = this.#ledger.current(this.id)
    if (!current) return 'none'
    return this.#ledger.isRevealed(current.id) ? 'revealed' : 'voting'
  }

  get voted() {
    return this.#votersNow().size
  }

  get votedMyself() {
    return this.#votersNow().has(this.#me)
  }

  #votersNow(): ReadonlySet<ParticipantId> {
    const current = this.#voters ? undefined : this.#ledger.current(this.id)
    const state = current && this.#ledger.resolve(current)
    this.#voters ??= state?.phase === 'voting' ? state.voted : new Set()
    return this.#voters
  }
}
