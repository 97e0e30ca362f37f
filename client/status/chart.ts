import uPlot from 'uplot'
import type { Figure, Sample } from '../../shared/status.ts'

export interface ChartPlan {
  readonly title: string
  readonly about: string
  readonly lines: readonly {
    readonly label: string
    /** The name of a figure, or what is made of several. */
    readonly figure: Figure | ((sample: Sample) => number | null)
    readonly color: Color
  }[]
  readonly format: (value: number) => string
  /** Of whole things, between which there is nothing to draw a line at. */
  readonly isCount?: boolean
  /** For what is counted in few: it is one number, and then another. */
  readonly inSteps?: boolean
}

/** Tokens of the design. */
export type Color = '--accent' | '--warning' | '--danger' | '--line-strong'

const height = 160
const counts = Array.from({ length: 10 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat()
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const exactClock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })

/** One figure over time, with its last value in words for those who do not see the drawing. */
export class Chart {
  readonly element = document.createElement('figure')
  readonly #plan: ChartPlan
  readonly #now = document.createElement('span')
  readonly #place = document.createElement('div')
  #data: uPlot.AlignedData = [[]]
  #plot: uPlot | undefined

  constructor(plan: ChartPlan) {
    this.#plan = plan
    const caption = document.createElement('figcaption')
    const title = document.createElement('h2')
    const about = document.createElement('p')
    title.textContent = plan.title
    this.element.setAttribute('aria-label', plan.title)
    about.textContent = plan.about
    this.#now.className = 'now'
    this.#place.className = 'chart'
    this.#place.setAttribute('aria-hidden', 'true')
    caption.append(title, this.#now, about)
    this.element.append(caption, this.#place)
    new ResizeObserver(() => this.#plot?.setSize({ width: this.#width, height })).observe(this.#place)
  }

  /** What a process does not have is not shown, such as the database of a relay among others. */
  show(samples: readonly Sample[]): void {
    const { lines, format } = this.#plan
    const times = samples.map(({ time }) => time / 1000)
    const values = lines.map(({ figure }) =>
      samples.map((sample) => (typeof figure === 'function' ? figure(sample) : sample.figures[figure])),
    )
    this.element.hidden = values.every((line) => line.every((value) => value === null))
    this.#data = [times, ...values]
    this.#now.textContent = lines
      .map(({ label }, at) => {
        const last = values[at]?.at(-1) ?? null
        return `${lines.length > 1 ? `${label} ` : ''}${last === null ? '–' : format(last)}`
      })
      .join(' · ')
    if (this.#plot) this.#plot.setData(this.#data)
    else this.redraw()
  }

  /** With the colours of now: light or dark. */
  redraw(): void {
    this.#plot?.destroy()
    this.#plot = this.element.hidden ? undefined : new uPlot(this.#options(), this.#data, this.#place)
  }

  get #width(): number {
    return Math.max(200, this.#place.clientWidth)
  }

  #options(): uPlot.Options {
    const { lines, format, isCount, inSteps } = this.#plan
    const axis = {
      stroke: colorOf('--ink-soft'),
      grid: { stroke: colorOf('--line'), width: 1 },
      ticks: { show: false },
    }
    return {
      width: this.#width,
      height,
      cursor: { sync: { key: 'status' }, drag: { x: false, y: false } },
      scales: { y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] } },
      axes: [
        { ...axis, size: 28, values: (_, times) => times.map((time) => clock.format(time * 1000)) },
        { ...axis, size: 64, values: (_, values) => values.map(format), ...(isCount && { incrs: counts }) },
      ],
      series: [
        { label: 'at', value: (_, time) => (time === null ? '' : exactClock.format(time * 1000)) },
        ...lines.map(({ label, color }) => ({
          label,
          stroke: colorOf(color),
          width: 2,
          points: { show: false },
          ...(inSteps && uPlot.paths.stepped && { paths: uPlot.paths.stepped({ align: 1 }) }),
          value: (_: uPlot, value: number | null) => (value === null ? '' : format(value)),
        })),
      ],
    }
  }
}

/** What a token is just now, as a canvas understands it. */
function colorOf(token: Color | '--ink-soft' | '--line'): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${token})`
  document.body.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}
