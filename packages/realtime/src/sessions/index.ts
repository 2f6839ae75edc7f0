export type { SessionStorage } from './live-sessions.js'
export type { MigrationFigures } from './managed-records.js'
export type { Session, SessionData, SessionFacts } from './session.js'
export { closeStorageManager, getStorageManager, StorageManager, type SessionConflict, type StorageManagerOptions, type StorageStatus } from './storage-manager.js'
