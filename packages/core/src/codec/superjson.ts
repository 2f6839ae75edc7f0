// The only file that imports superjson: it is published as ES modules alone, so the CommonJS build puts a bundle in this file's place.
export { SuperJSON } from 'superjson'
