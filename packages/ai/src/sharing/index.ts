export { Sharing } from './sharing.js'
