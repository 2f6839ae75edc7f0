import { lazily } from '../backend/lazily.js'
import { PresenceService } from './presence-service.js'

const ofProcess: PresenceService = lazily((backend) => new PresenceService({ backend }))

// With the service of the process, by its environment; opened at the first use.

/** As `PresenceService.setOnline`. */
export function setPresence(userId: string, socketId: string, roomId?: string): Promise<boolean> {
  return ofProcess.setOnline(userId, socketId, roomId)
}

/** As `PresenceService.setOffline`. */
export function removePresence(userId: string, socketId: string, roomId?: string): Promise<boolean> {
  return ofProcess.setOffline(userId, socketId, roomId)
}

/** As `PresenceService.isOnline`. */
export function isUserOnline(userId: string): Promise<boolean> {
  return ofProcess.isOnline(userId)
}

/** As `PresenceService.getOnlineUsers`. */
export function getOnlineUsersInRoom(roomId: string): Promise<string[]> {
  return ofProcess.getOnlineUsers(roomId)
}
