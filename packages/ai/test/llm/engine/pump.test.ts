import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { Pump } from '../../../src/llm/pump.js'

it('a stream of a model is let go of part by part, however long it is', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const parts: WeakRef<object>[] = []
  const left: number[] = []
  async function* stream(): AsyncGenerator<object> {
    for (let i = 0; i < 100; i++) {
      const part = { i }
      parts.push(new WeakRef(part))
      yield part
    }
    await turn()
    collect()
    left.push(parts.filter((part) => part.deref() !== undefined).length)
  }
  await new Pump(stream(), () => false).run(async () => {}, new AbortController().signal)
  expect(left[0]).toBeLessThan(10)
})
