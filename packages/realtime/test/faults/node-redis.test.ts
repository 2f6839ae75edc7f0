import { faultSuite } from './suite.js'

faultSuite('redis')
