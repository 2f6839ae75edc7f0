import { toJson } from '../backend/json.js'
import { wholeNumber } from '../backend/names.js'
import type { Awaitable } from '../keyspace/keyspace.js'
import { fieldChanges, memberField, type FieldChanges, type Session, type SessionData, sessionOf } from './session.js'
import type { SessionRecord } from './session-records.js'

/** Sessions with members, the same wherever they are kept. */
export interface SessionStorage<Data extends object = SessionData, Member = unknown> {
  /** A new session; one of that id that is there is replaced. */
  createSession(id: string, data: Data): Promise<Session<Data, Member>>
  getSession(id: string): Promise<Session<Data, Member> | undefined>
  /** Changes the fields that are named and no others; `undefined` removes one. Gives what it is then, or `undefined` when there is no such session. */
  updateSession(id: string, changes: { readonly [Name in keyof Data]?: Data[Name] | undefined }): Promise<Session<Data, Member> | undefined>
  /** Adds a member or replaces it. Gives the session, or `undefined` when there is none. */
  addMember(id: string, memberId: string, member: Member): Promise<Session<Data, Member> | undefined>
  removeMember(id: string, memberId: string): Promise<Session<Data, Member> | undefined>
  /** Gives whether there was one. */
  deleteSession(id: string): Promise<boolean>
  /** Those that expire first come first. Default: at most 1000. */
  getSessions(limit?: number): Promise<Session<Data, Member>[]>
  countSessions(): Promise<number>
}

/** Where records are kept. */
export interface Records {
  write(id: string, mode: 'create' | 'change', changes: FieldChanges): Awaitable<SessionRecord | undefined>
  read(id: string): Awaitable<SessionRecord | undefined>
  remove(id: string): Awaitable<boolean>
  list(most: number): Awaitable<string[]>
  count(): Awaitable<number>
}

export class LiveSessions<Data extends object, Member> implements SessionStorage<Data, Member> {
  readonly #records: Records

  constructor(records: Records) {
    this.#records = records
  }

  async createSession(id: string, data: Data): Promise<Session<Data, Member>> {
    const record = await this.#records.write(id, 'create', fieldChanges(data))
    return sessionOf(id, record?.fields ?? [])
  }

  async getSession(id: string): Promise<Session<Data, Member> | undefined> {
    return this.#session(id, await this.#records.read(id))
  }

  updateSession(id: string, changes: object): Promise<Session<Data, Member> | undefined> {
    return this.#change(id, () => fieldChanges(changes))
  }

  addMember(id: string, memberId: string, member: Member): Promise<Session<Data, Member> | undefined> {
    return this.#change(id, () => ({ set: [memberField(memberId), toJson(member, 'member')], gone: [] }))
  }

  removeMember(id: string, memberId: string): Promise<Session<Data, Member> | undefined> {
    return this.#change(id, () => ({ set: [], gone: [memberField(memberId)] }))
  }

  async deleteSession(id: string): Promise<boolean> {
    return await this.#records.remove(id)
  }

  async getSessions(limit = 1000): Promise<Session<Data, Member>[]> {
    const ids = await this.#records.list(wholeNumber(limit, 'limit', 1, 100_000))
    const sessions = await Promise.all(ids.map((id) => this.getSession(id)))
    return sessions.filter((session) => session !== undefined)
  }

  async countSessions(): Promise<number> {
    return await this.#records.count()
  }

  async #change(id: string, changes: () => FieldChanges): Promise<Session<Data, Member> | undefined> {
    return this.#session(id, await this.#records.write(id, 'change', changes()))
  }

  #session(id: string, record: SessionRecord | undefined): Session<Data, Member> | undefined {
    return record === undefined ? undefined : sessionOf<Data, Member>(id, record.fields)
  }
}
