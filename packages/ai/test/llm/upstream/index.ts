export { startUpstream, type Upstream } from './upstream.js'
export { vectorOf } from './embedding.js'
export type { Call, Kind } from './call.js'
export type { Plan, Turn } from './plan.js'
