import { boundsSuite } from './bounds.js'
import { faultSuite } from './suite.js'

faultSuite('ioredis')
boundsSuite('ioredis')
