import { boundsSuite } from './bounds.js'
import { faultSuite } from './suite.js'

faultSuite('ioredis5')
boundsSuite('ioredis5')
