import { expect, it } from 'vitest'
import { MemoryKeyspace } from '../../src/keyspace/memory-keyspace.js'

it('memory holds so many keys, and the one that was written to longest ago goes first', () => {
  const memory = new MemoryKeyspace({ maxKeys: 3 })
  memory.send(['ZADD', 'index', 1, 'a'])
  for (const key of ['a', 'b', 'c', 'd']) {
    memory.send(['SET', key, 'x'])
    memory.send(['ZADD', 'index', 1, key])
  }
  expect(memory.size).toBe(3)
  expect(memory.send(['ZRANGE', 'index', 0, -1])).toEqual(['a', 'b', 'c', 'd'])
  expect(['index', 'a', 'b', 'c', 'd'].filter((key) => memory.send(['EXISTS', key]) === 1)).toEqual(['index', 'c', 'd'])
})

it('memory keeps the time of a collection that is written to', () => {
  let now = 1000
  const memory = new MemoryKeyspace({ now: () => now })
  memory.send(['HSET', 'h', 'a', '1'])
  memory.send(['PEXPIRE', 'h', 500])
  memory.send(['HSET', 'h', 'b', '2'])
  expect(memory.send(['PTTL', 'h'])).toBe(500)
  now += 500
  expect(memory.send(['HGETALL', 'h'])).toEqual([])
})

it('memory lets go of what expired though nobody asks for it', () => {
  let now = 1000
  const memory = new MemoryKeyspace({ now: () => now })
  for (let n = 0; n < 100; n++) memory.send(['SET', `old${n}`, 'x', 'PX', 100])
  now += 100
  for (let n = 0; n < 100; n++) memory.send(['SET', 'new', String(n)])
  expect(memory.size).toBe(1)
})
