/** Stands for the exchange that is fetched when it is needed: fetching takes real time, which a simulation does not have. */
export { StateExchange as LazyExchange } from '../../client/link/state-exchange.ts'
