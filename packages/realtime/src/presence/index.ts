export { getOnlineUsersInRoom, isUserOnline, removePresence, setPresence } from './functions.js'
export { PresenceService, type PresenceChange, type PresenceHealth, type PresenceOptions, type PresenceStats } from './presence-service.js'
