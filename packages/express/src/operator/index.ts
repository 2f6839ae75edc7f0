export { operatorRouter, type OperatorAction, type OperatorOptions } from './operator-router.js'
export type { OperatorSource, PurgeTarget } from './source.js'
