/** Stands for the mending that is fetched when it is needed: fetching takes real time, which a simulation does not have. */
export { Mending as LazyMending } from '../../client/session/mending.ts'
