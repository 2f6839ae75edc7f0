export { operatorRouter, type OperatorAction, type OperatorOptions, type OperatorRouter } from './operator-router.js'
export type { OperatorSource, PurgeTarget } from './source.js'
