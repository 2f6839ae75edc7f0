export type { Closable } from './closable.js'
export { closeOnSignals, type CloseOnSignalsOptions, type Shutdown } from './close-on-signals.js'
