/**
 * Libraries that become a part of the built relay. Finding and reading their hundreds of small files was half of a relay's start,
 * which is how long its place is empty after a crash. The others have native code, threads, or are seldom needed.
 */
export const bundled = [
  /^@hono\//,
  /^@noble\//,
  /^@opentelemetry\//,
  /^cockatiel$/,
  /^hono(\/|$)/,
  /^lib0\//,
  /^prom-client$/,
  /^ws$/,
]
