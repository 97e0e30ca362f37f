/** A mistake of whoever set the relay up. Its message says the remedy and is all they need to see. */
export class SetupError extends Error {}

/** The same for what a disk did: something is not what it was. */
export class DamageError extends SetupError {}
