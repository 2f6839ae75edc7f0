import { InvalidArgumentError } from '@tiercel/core'
import { fromJson, toJson } from '../backend/json.js'
import { encodeId } from '../backend/names.js'
import { CHANGED, CREATED, VERSION } from './record-operations.js'

export type SessionData = Record<string, unknown>

/** What is kept beside the session's own fields. */
export interface SessionFacts<Member = unknown> {
  readonly id: string
  /** By their ids. */
  readonly members: Readonly<Record<string, Member>>
  /** One more with each change. */
  readonly version: number
  /** In milliseconds since 1970, by Redis's clock. */
  readonly createdAt: number
  readonly updatedAt: number
}

export type Session<Data extends object = SessionData, Member = unknown> = Data & SessionFacts<Member>

const RESERVED = new Set(['id', 'members', 'version', 'createdAt', 'updatedAt'])

/** Names and values in a row, as a hash takes them. */
export interface FieldChanges {
  readonly set: readonly string[]
  readonly gone: readonly string[]
}

/** @throws {InvalidArgumentError} for names that are not the application's to give, and for what is no JSON. */
export function fieldChanges(changes: object): FieldChanges {
  const set: string[] = []
  const gone: string[] = []
  for (const [name, value] of Object.entries(changes as SessionData)) {
    if (RESERVED.has(name)) throw new InvalidArgumentError(`A session has a field ${name} of its own: give this one another name`)
    if (value === undefined) gone.push(`.${name}`)
    else set.push(`.${name}`, toJson(value, 'session'))
  }
  return { set, gone }
}

export function memberField(memberId: string): string {
  return `+${encodeId(memberId, 'member id')}`
}

export function sessionOf<Data extends object, Member>(id: string, fields: readonly (readonly [string, string])[]): Session<Data, Member> {
  const named = (letter: string) => Object.fromEntries(fields.flatMap(([name, json]) => (name[0] === letter ? [[name.slice(1), fromJson(json)]] : [])))
  const kept = new Map(fields)
  const ms = (name: string) => Math.floor(Number(kept.get(name) ?? 0) / 1000)
  const facts: SessionFacts = { id, members: named('+'), version: Number(kept.get(VERSION) ?? 0), createdAt: ms(CREATED), updatedAt: ms(CHANGED) }
  return { ...named('.'), ...facts } as Session<Data, Member>
}
