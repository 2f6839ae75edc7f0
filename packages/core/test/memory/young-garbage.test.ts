import { expect, it } from 'vitest'
import { inOwnProcess } from './own-process.js'

const run = inOwnProcess()

it('leaves what its loads leave behind to be collected young, also once it has grown old itself', async () => {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8'
    const oldBytes = () => getHeapSpaceStatistics().find((space) => space.space_name === 'old_space').space_used_size
    const cache = createCache({ redis: false })
    const load = async (i) => { await cache.getOrSet('k' + (i % 1000), () => new Array(50).fill(i), { memory: false }) }
    const loads = async (count) => { for (let i = 0; i < count; i += 50) await Promise.all(Array.from({ length: 50 }, (_, j) => load(i + j))) }
    await loads(20_000)
    gc()
    gc()
    const before = oldBytes()
    await loads(20_000)
    console.log(Math.round((oldBytes() - before) / 2 ** 20))
    await cache.close()`
  const { out } = await run(script, '--expose-gc')
  // In MiB, of 20 that were garbage. Where the maps of what is under way are never made anew it is most of them.
  expect(Number(out)).toBeLessThan(4)
})
