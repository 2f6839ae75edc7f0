/** Attributes that several signals have. Those of one kind of span begin with its name: `tiercel.load.keys`. */
export const NAMESPACE = 'tiercel.namespace'
export const TIER = 'tiercel.tier'
export const DURING = 'tiercel.during'
export const BACKGROUND = 'tiercel.load.background'
export const KEY_HASH = 'tiercel.key.hash'
/** From the general conventions of OpenTelemetry, as is `_OTHER` below. */
export const ERROR_TYPE = 'error.type'
