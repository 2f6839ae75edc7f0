export { startProxy, type FaultProxy, type ProxyTarget } from './fault-proxy.js'
export type { AfterDrop, Arrived, Direction, ProxyCounts } from './fault-settings.js'
export type { Directions, Faults } from './faults.js'
export type { ProxyConnection } from './proxy-connection.js'
