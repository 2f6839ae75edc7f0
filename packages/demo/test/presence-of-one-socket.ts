import { PresenceService as Presence } from '../../realtime/src/index.js'

export * from '../../realtime/src/index.js'

/** A user has one socket in each process, whatever comes and goes. */
export class PresenceService extends Presence {
  override setOnline(userId: string, _socketId: string, roomId?: string): Promise<boolean> {
    return super.setOnline(userId, userId, roomId)
  }

  override setOffline(userId: string, _socketId: string, roomId?: string): Promise<boolean> {
    return super.setOffline(userId, userId, roomId)
  }
}
