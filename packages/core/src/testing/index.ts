export * from './consistency/index.js'
export * from './proxy/index.js'
export * from './redis/index.js'
export { MissingProgramError, TestServerError } from '../errors/index.js'
