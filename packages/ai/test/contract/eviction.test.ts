import { describe, expect, it } from 'vitest'
import { useKinds } from './faces.js'
import { families } from './families.js'

const MINUTE = 60_000
// With Redis behind it, what was evicted here may come back from there.
const kinds = useKinds().filter(({ isShared }) => !isShared)

describe.each(kinds)('$name', ({ open, advance }) => {
  describe.each(families)('a full family of $name', ({ name, sized, get, set }) => {
    it('loses what was not used for longest, and a get counts as use', async () => {
      const face = await open(sized(3))
      for (const key of ['a', 'b', 'c']) await set(face, key, key)
      await get(face, 'a')
      await set(face, 'd', 'd')
      expect(await Promise.all(['a', 'b', 'c', 'd'].map(async (key) => get(face, key)))).toEqual(['a', null, 'c', 'd'])
    })

    it('loses nothing when a value is replaced', async () => {
      const face = await open(sized(2))
      for (const key of ['a', 'b', 'a']) await set(face, key, key)
      expect(await Promise.all(['a', 'b'].map(async (key) => get(face, key)))).toEqual(['a', 'b'])
    })

    it('loses what has expired before what has not', async () => {
      const face = await open(sized(3))
      await set(face, 'old', 'v', 60)
      await set(face, 'short', 'v', 1)
      await set(face, 'young', 'v', 60)
      await get(face, 'short')
      await advance(MINUTE + 1)
      await set(face, 'new', 'v', 60)
      expect(await Promise.all(['old', 'short', 'young', 'new'].map(async (key) => get(face, key)))).toEqual(['v', null, 'v', 'v'])
    })

    it('loses a value to one that has expired already', async () => {
      const face = await open(sized(2))
      for (const key of ['a', 'b']) await set(face, key, key)
      await set(face, 'c', 'c', -1)
      expect(await Promise.all(['a', 'b', 'c'].map(async (key) => get(face, key)))).toEqual([null, 'b', null])
      expect(face.getStats()[name].size).toBe(1)
    })
  })
})
