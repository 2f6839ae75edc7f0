export { getOnlineUsersInRoom, isUserOnline, removePresence, setPresence } from './functions.js'
export { PresenceService, type PresenceChange, type PresenceOptions } from './presence-service.js'
