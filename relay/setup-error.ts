/** A mistake of whoever set the relay up. Its message says the remedy and is all they need to see. */
export class SetupError extends Error {}
