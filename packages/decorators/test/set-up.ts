import { afterEach, beforeEach } from 'vitest'
import { releaseNames } from '@tiercel/decorators'
import { closeCaches } from './ground.js'

beforeEach(() => {
  // Every test defines classes of its own, mostly under the same names.
  releaseNames()
})

afterEach(closeCaches)
