export { createDenylist, type DenylistHealth, type DenylistOptions, type DenylistStats, type RevokeOptions, type TokenDenylist, type Verdict } from './denylist.js'
export { denyRevoked, type DenyRevokedOptions } from './deny-revoked.js'
export type { Token, TokenClaims } from './token.js'
