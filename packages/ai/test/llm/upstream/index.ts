export { startUpstream, type Upstream } from './upstream.js'
export { vectorOf } from './embedding.js'
