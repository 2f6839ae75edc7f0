/**
 * What Redis answers: bulk strings as `Buffer`, integers as `number`, nil as `null`, simple strings as `string`.
 *
 * A simple string inside an array may be a `Buffer`: ioredis does not tell it from a bulk string.
 */
export type Reply = Buffer | string | number | null | Reply[]

export type Argument = string | Buffer
