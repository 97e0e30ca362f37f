export interface PlantedBug {
  readonly name: string
  readonly file: string
  readonly text: string
  readonly instead: string
  readonly run: readonly string[]
}

export const bugs: readonly PlantedBug[]
