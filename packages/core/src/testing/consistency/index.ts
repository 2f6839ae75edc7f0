export { createConsistencyChecker, type ConsistencyChecker, type ConsistencyOptions } from './checker.js'
export type { ConsistencyBatch, ConsistencyEvent, InvalidateEvent, ReadEvent, RestEvent, WriteEvent } from './events.js'
export { createConsistencyRecorder, type ConsistencyRecorder, type RecorderOptions } from './recorder.js'
export type { ConsistencyReport, Violation, ViolationKind } from './report.js'
