/** Why there is nothing to show but a sentence and a way out. */
export type Problem = 'damagedLink' | 'missingSecret' | 'unknownPath' | 'storage' | 'refused'
