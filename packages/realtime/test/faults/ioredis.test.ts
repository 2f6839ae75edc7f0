import { faultSuite } from './suite.js'

faultSuite('ioredis')
