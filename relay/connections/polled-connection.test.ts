/** What holds for connections over WebSockets holds over plain requests: the same tests, over those. */
import { transport } from './bare-client.testing.ts'

transport.kind = 'polling'

await import('./connection.test.ts')
await import('../deletion.test.ts')
await import('./hello.test.ts')
await import('./limits.test.ts')
