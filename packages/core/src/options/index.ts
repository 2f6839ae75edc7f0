export { toMs, type Duration, type DurationUnit } from './duration.js'
export { checkKey, checkTag, checkTagCount, checkTags, namespaceLevels } from './names.js'
export type { CacheOptions, CallOptions, EntryOptions, ErrorHandler, MemoryOptions, OutageOptions } from './options.js'
export { checkNamespaceOptions, resolveCache, resolveCall, resolveDefaults, type CacheSettings, type Policy } from './resolve.js'
