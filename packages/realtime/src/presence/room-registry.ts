/** The sockets of this process, by room: what Redis is told, and told again. */
export class RoomRegistry {
  readonly #byRoom = new Map<string, Map<string, string>>()
  readonly #bySocket = new Map<string, Set<string>>()

  get rooms(): string[] {
    return [...this.#byRoom.keys()]
  }

  roomsOf(socket: string): string[] {
    return [...(this.#bySocket.get(socket) ?? [])]
  }

  /** Socket and user in a row. */
  socketsOf(room: string): string[] {
    return [...(this.#byRoom.get(room) ?? [])].flat()
  }

  users(room: string): Set<string> {
    return new Set(this.#byRoom.get(room)?.values())
  }

  count(room: string): number {
    return this.#byRoom.get(room)?.size ?? 0
  }

  set(room: string, socket: string, user: string): void {
    this.#byRoom.set(room, (this.#byRoom.get(room) ?? new Map<string, string>()).set(socket, user))
    this.#bySocket.set(socket, (this.#bySocket.get(socket) ?? new Set()).add(room))
  }

  remove(room: string, socket: string): void {
    const sockets = this.#byRoom.get(room)
    const rooms = this.#bySocket.get(socket)
    sockets?.delete(socket)
    rooms?.delete(room)
    if (sockets?.size === 0) this.#byRoom.delete(room)
    if (rooms?.size === 0) this.#bySocket.delete(socket)
  }

  clear(): void {
    this.#byRoom.clear()
    this.#bySocket.clear()
  }
}
