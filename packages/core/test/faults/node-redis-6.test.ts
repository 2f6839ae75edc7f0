import { boundsSuite } from './bounds.js'
import { faultSuite } from './suite.js'

faultSuite('redis')
boundsSuite('redis')
