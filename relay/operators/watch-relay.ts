import type { Surroundings } from '../connections/connection.ts'
import type { Connections } from '../connections/connections.ts'
import type { Config } from '../settings/config.ts'
import { version } from '../version.ts'
import type { Meters } from './meters.ts'

/** What a relay is, and who is connected to it now. */
export function watchRelay(
  meters: Meters,
  { role, region }: Pick<Config, 'role' | 'region'>,
  { rooms, limits }: Pick<Surroundings, 'rooms' | 'limits'>,
  connections: Pick<Connections, 'open' | 'slow'>,
): void {
  meters.state('facedown_info', 'What this process is', { version, region, role })
  meters.watch('facedown_rooms', 'Sessions somebody is connected to', () => rooms.open)
  meters.watch('facedown_connections', 'Open connections', () => connections.open)
  meters.watch('facedown_connections_limit', 'More connections are refused', () => limits.open)
  meters.watch('facedown_slow_readers', 'Clients that lag behind what they are sent', () => connections.slow)
}
